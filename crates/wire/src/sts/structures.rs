//! Structures inside requests and answers.

use keyreeve_domain::Timestamp;

use crate::query::declare::query_structure;
use crate::sts::shapes;
use crate::value::SensitiveText;

query_structure! {
    /// A session of a role.
    output AssumedRoleUser = "AssumedRoleUser" {
        assumed_role_id: required String = "AssumedRoleId" ASSUMED_ROLE_ID,
        arn: required String = "Arn" ARN,
    }
}

query_structure! {
    /// Temporary credentials.
    output Credentials = "Credentials" {
        access_key_id: required String = "AccessKeyId" ACCESS_KEY_ID,
        secret_access_key: required SensitiveText = "SecretAccessKey" ACCESS_KEY_SECRET,
        session_token: required SensitiveText = "SessionToken" TOKEN,
        expiration: required Timestamp = "Expiration" DATE,
    }
}

query_structure! {
    /// A federated user.
    output FederatedUser = "FederatedUser" {
        federated_user_id: required String = "FederatedUserId" FEDERATED_ID,
        arn: required String = "Arn" ARN,
    }
}

query_structure! {
    /// A managed policy, by its ARN.
    input PolicyDescriptorType = "PolicyDescriptorType" {
        arn: optional String = "arn" ARN,
    }
}

query_structure! {
    /// A context that somebody else vouches for.
    input ProvidedContext = "ProvidedContext" {
        provider_arn: optional String = "ProviderArn" ARN,
        context_assertion: optional String = "ContextAssertion" CONTEXT_ASSERTION,
    }
}

query_structure! {
    /// A tag.
    input Tag = "Tag" {
        key: required String = "Key" TAG_KEY,
        value: required String = "Value" TAG_VALUE,
    }
}
