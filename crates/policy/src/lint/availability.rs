//! Which requests have which condition keys.
//!
//! Source: the condition keys of each action in
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>.

use crate::action::Action;
use crate::key::{ContextKey, KeyFamily};

/// The actions whose requests can have the key `name`, as bits of the table of actions; none if all can, or it is not known.
pub(super) fn actions_with(name: &str) -> Option<u64> {
    let names = match (ContextKey::named(name), KeyFamily::of(name)) {
        (Some(key), _) => of_key(key)?,
        (None, Some(KeyFamily::EncryptionContext)) => WITH_CONTEXT,
        (None, Some(KeyFamily::RecipientAttestation)) => {
            &["Decrypt", "DeriveSharedSecret", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom"]
        }
        (None, Some(KeyFamily::RequestTag)) => &["CreateKey", "ReplicateKey", "TagResource"],
        (None, Some(KeyFamily::IamResourceTag | KeyFamily::PrincipalTag | KeyFamily::ResourceTag) | None) => {
            return None;
        }
    };
    let bit = |name: &&str| Action::new(&alloc::format!("kms:{name}")).bit();
    Some(names.iter().map(bit).fold(0, |set, bit| set | bit))
}

const WITH_CONTEXT: &[&str] = &[
    "CreateGrant",
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
];
const WITH_ALGORITHM: &[&str] = &[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];
const WITH_ALIAS: &[&str] = &[
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "VerifyMac",
];

fn of_key(key: ContextKey) -> Option<&'static [&'static str]> {
    BY_KEY.iter().find(|(keys, _)| keys.contains(&key)).map(|(_, names)| *names)
}

const BY_KEY: &[(&[ContextKey], &[&str])] = &[
    (&[ContextKey::AwsTagKeys], &["CreateKey", "ReplicateKey", "TagResource", "UntagResource"]),
    (&[ContextKey::KmsBypassPolicyLockoutSafetyCheck], &["CreateKey", "PutKeyPolicy"]),
    (&[ContextKey::KmsCustomerMasterKeySpec, ContextKey::KmsCustomerMasterKeyUsage], &["CreateKey"]),
    (&[ContextKey::KmsDataKeyPairSpec], &["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"]),
    (&[ContextKey::KmsEncryptionAlgorithm], WITH_ALGORITHM),
    (&[ContextKey::KmsEncryptionContextKeys], WITH_CONTEXT),
    (&[ContextKey::KmsExpirationModel, ContextKey::KmsValidTo], &["ImportKeyMaterial"]),
    (&[ContextKey::KmsGrantConstraintType], &["CreateGrant", "RetireGrant"]),
    (&[ContextKey::KmsGrantIsForAwsResource], &["CreateGrant", "ListGrants", "RevokeGrant"]),
    (
        &[
            ContextKey::KmsGrantConstraintSourceArn,
            ContextKey::KmsGrantOperations,
            ContextKey::KmsGranteePrincipal,
            ContextKey::KmsGranteeServicePrincipal,
            ContextKey::KmsRetiringPrincipal,
            ContextKey::KmsRetiringServicePrincipal,
        ],
        &["CreateGrant"],
    ),
    (&[ContextKey::KmsKeyAgreementAlgorithm], &["DeriveSharedSecret"]),
    (&[ContextKey::KmsMacAlgorithm], &["GenerateMac", "VerifyMac"]),
    (&[ContextKey::KmsMessageType, ContextKey::KmsSigningAlgorithm], &["Sign", "Verify"]),
    (&[ContextKey::KmsPolicyName], &["GetKeyPolicy", "PutKeyPolicy"]),
    (&[ContextKey::KmsPrimaryRegion], &["UpdatePrimaryRegion"]),
    (&[ContextKey::KmsReEncryptOnSameKey], &["ReEncryptFrom", "ReEncryptTo"]),
    (&[ContextKey::KmsReplicaRegion], &["ReplicateKey"]),
    (&[ContextKey::KmsRequestAlias], WITH_ALIAS),
    (&[ContextKey::KmsRotationPeriodInDays], &["EnableKeyRotation"]),
    (&[ContextKey::KmsScheduleKeyDeletionPendingWindowInDays], &["ScheduleKeyDeletion"]),
    (&[ContextKey::KmsTrailingDaysWithoutKeyUsage], &["DisableKey", "ScheduleKeyDeletion"]),
    (&[ContextKey::KmsWrappingAlgorithm, ContextKey::KmsWrappingKeySpec], &["GetParametersForImport"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_of_the_table_is_one() {
        let by_key = BY_KEY.iter().map(|(_, names)| *names);
        for name in by_key.flatten() {
            assert_ne!(Action::new(&alloc::format!("kms:{name}")).bit(), 0, "{name}");
        }
        assert_eq!(actions_with("KMS:primaryregion"), Some(Action::new("kms:UpdatePrimaryRegion").bit()));
        assert_eq!(actions_with("kms:CallerAccount"), None);
        assert_eq!(actions_with("aws:PrincipalTag/x"), None);
        assert_eq!(actions_with("kms:EncryptionContext:x").map(u64::count_ones), Some(10));
    }
}
