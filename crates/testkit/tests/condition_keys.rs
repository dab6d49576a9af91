//! Which condition keys a request has: the table of the Service Authorization Reference, one key and operation at a time.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>.
#![expect(clippy::indexing_slicing, reason = "test code")]

use keyreeve_core::Caller;
use keyreeve_core::caller::Acting;
use keyreeve_kms::is_supported;
use keyreeve_policy::ContextKey;
use keyreeve_store::conformance::block_on;
use keyreeve_testkit::{Fixture, Has, World, body};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

/// What every operation on a key knows of it and of who asks. One of a single Region has no `kms:MultiRegionKeyType`.
const OF_KEY: &str = "CallerAccount ViaService KeySpec KeyUsage KeyOrigin MultiRegion ResourceAliases";

/// What an operation has beyond [`OF_KEY`]; none where it is on no key and has nothing at all.
fn row(operation: Operation) -> Option<&'static str> {
    use Operation as O;
    Some(match operation {
        O::GenerateRandom | O::ListAliases | O::ListKeys | O::ListRetirableGrants => return None,
        O::CreateGrant => {
            "EncryptionContextKeys GrantConstraintSourceArn GrantConstraintType GrantIsForAWSResource GrantOperations \
             GranteePrincipal RetiringPrincipal"
        }
        O::CreateKey => "BypassPolicyLockoutSafetyCheck CustomerMasterKeySpec CustomerMasterKeyUsage",
        O::Decrypt | O::Encrypt | O::GenerateDataKey | O::GenerateDataKeyWithoutPlaintext => {
            "EncryptionAlgorithm EncryptionContextKeys RequestAlias"
        }
        O::DeriveSharedSecret => "KeyAgreementAlgorithm RequestAlias",
        O::Decapsulate | O::DescribeKey | O::Encapsulate | O::GetPublicKey => "RequestAlias",
        O::DisableKey => "TrailingDaysWithoutKeyUsage",
        O::EnableKeyRotation => "RotationPeriodInDays",
        O::GenerateDataKeyPair | O::GenerateDataKeyPairWithoutPlaintext => {
            "DataKeyPairSpec EncryptionAlgorithm EncryptionContextKeys RequestAlias"
        }
        O::GenerateMac | O::VerifyMac => "MacAlgorithm RequestAlias",
        O::GetKeyPolicy => "PolicyName",
        O::GetParametersForImport => "WrappingAlgorithm WrappingKeySpec",
        O::ImportKeyMaterial => "ExpirationModel ValidTo",
        O::ListGrants | O::RevokeGrant => "GrantIsForAWSResource",
        O::PutKeyPolicy => "BypassPolicyLockoutSafetyCheck PolicyName",
        O::ReEncrypt => "EncryptionAlgorithm EncryptionContextKeys ReEncryptOnSameKey RequestAlias",
        O::ReplicateKey => "MultiRegionKeyType ReplicaRegion",
        O::RetireGrant => "EncryptionContextKeys GrantConstraintType",
        O::ScheduleKeyDeletion => "ScheduleKeyDeletionPendingWindowInDays TrailingDaysWithoutKeyUsage",
        O::Sign | O::Verify => "MessageType RequestAlias SigningAlgorithm",
        O::UpdatePrimaryRegion => "MultiRegionKeyType PrimaryRegion",
        O::CancelKeyDeletion
        | O::ConnectCustomKeyStore
        | O::CreateAlias
        | O::CreateCustomKeyStore
        | O::DeleteAlias
        | O::DeleteCustomKeyStore
        | O::DeleteImportedKeyMaterial
        | O::DescribeCustomKeyStores
        | O::DisableKeyRotation
        | O::DisconnectCustomKeyStore
        | O::EnableKey
        | O::GetKeyLastUsage
        | O::GetKeyRotationStatus
        | O::ListKeyPolicies
        | O::ListKeyRotations
        | O::ListResourceTags
        | O::RotateKeyOnDemand
        | O::TagResource
        | O::UntagResource
        | O::UpdateAlias
        | O::UpdateCustomKeyStore
        | O::UpdateKeyDescription => "",
    })
}

fn has(operation: Operation, key: ContextKey) -> bool {
    let Some(name) = key.name().strip_prefix("kms:") else { return false };
    // A key that is not there yet has no aliases.
    let of_key = (operation, name) != (Operation::CreateKey, "ResourceAliases");
    row(operation).is_some_and(|row| {
        row.split_whitespace().chain(OF_KEY.split_whitespace().filter(|_| of_key)).any(|known| known == name)
    })
}

/// A request that says as much as it can.
fn full(operation: Operation, of: &Fixture, world: &World) -> Value {
    let mut request = body(operation, of);
    let is_by_alias = row(operation).is_some_and(|row| row.contains("RequestAlias"));
    for member in ["KeyId", "SourceKeyId", "DestinationKeyId"] {
        if is_by_alias && request.get(member).is_some() {
            request[member] = json!(of.alias);
        }
    }
    if operation == Operation::CreateGrant {
        request["RetiringPrincipal"] = request["GranteePrincipal"].clone();
        request["Constraints"] = json!({
            "EncryptionContextSubset": {"purpose": "test"},
            "SourceArn": "arn:aws:logs:us-east-1:111122223333:log-group:g",
        });
    } else if operation == Operation::ReEncrypt {
        request["DestinationEncryptionContext"] = request["SourceEncryptionContext"].clone();
    } else if operation == Operation::ImportKeyMaterial {
        request["ExpirationModel"] = json!("KEY_MATERIAL_EXPIRES");
        request["ValidTo"] = json!(world.now().plus_days(30).millis() / 1000);
    } else if operation == Operation::RetireGrant {
        let asked = json!({
            "KeyId": of.arn, "GranteePrincipal": world.root.arn(), "RetiringPrincipal": world.root.arn(),
            "Operations": ["Encrypt"], "Constraints": {"EncryptionContextSubset": {"purpose": "test"}},
        });
        request["GrantId"] = world.done(Operation::CreateGrant, asked)["GrantId"].clone();
    }
    request
}

/// The action that an operation is asked for first.
fn action(operation: Operation) -> String {
    let name = if operation == Operation::ReEncrypt { "ReEncrypt*" } else { operation.name() };
    format!("kms:{name}")
}

#[test]
fn a_request_has_the_condition_keys_of_its_operation_and_no_others() {
    let mut wrong = Vec::new();
    for operation in Operation::ALL.iter().copied().filter(|operation| is_supported(*operation)) {
        let world = World::default();
        let of = world.fixture_for(operation);
        let request = full(operation, &of, &world);
        // What an alias has to say of itself is no condition of its key.
        let resource = if row(operation).is_none() || operation == Operation::CreateKey {
            "*"
        } else {
            "arn:aws:kms:*:*:key/*"
        };
        let action = action(operation);
        let allowed = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#;
        let caller = |statements: &str| -> Caller {
            world.user_with(world.root.account(), "bob", Has::policy(statements));
            let found = block_on(world.service.forwarded("arn:aws:iam::111122223333:user/bob", world.now()));
            found.unwrap().acting(Acting { via: Some("s3.amazonaws.com".to_owned()), ..Acting::default() })
        };
        for key in ContextKey::all().filter(|key| key.name().starts_with("kms:")) {
            // Denied if it is as the table says: where all is well the answer is a refusal, and changes nothing.
            let is_absent = if has(operation, key) { "false" } else { "true" };
            let denied = format!(
                r#"{{"Effect":"Deny","Action":"{action}","Resource":"{resource}","Condition":{{"Null":{{"{}":"{is_absent}"}}}}}}"#,
                key.name()
            );
            let answer = world.call_as(&caller(&format!("{allowed},{denied}")), operation, request.clone()).1;
            if answer["__type"] != "AccessDeniedException" {
                wrong.push(format!("{operation} {}: absent should be {is_absent}", key.name()));
            }
        }
        let (status, answer) = world.call_as(&caller(allowed), operation, request);
        assert_eq!(status, 200, "{operation}: {answer}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
