//! A valid request of every operation.

use keyreeve_domain::spec::{KeySpec, KeyUsage};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

/// A key with all that an operation can be called on, and another key.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The id of the key. It has an alias and a tag; a symmetric one rotates every 365 days.
    pub id: String,
    /// The ARN of the key.
    pub arn: String,
    /// The alias of the key.
    pub alias: String,
    /// [`Fixture::PLAINTEXT`] under the key: its ciphertext, signature or MAC; an encapsulated secret; the public key of a
    /// key that agrees.
    pub ciphertext: String,
    /// The id of a grant on the key, which the root user may retire.
    pub grant: String,
    /// The id of the other key, which is always enabled.
    pub other: String,
    /// The alias of the other key.
    pub other_alias: String,
    /// For an operation on imported material: the token of an import, and the material of the key, wrapped for it.
    pub import: Option<(String, String)>,
}

impl Fixture {
    /// What is encrypted, in base64.
    pub const PLAINTEXT: &str = "YSBzZWNyZXQgdGhhdCBubyB0cmFpbCBob2xkcw==";
    /// A key policy that is not the default one.
    pub const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
}

/// The operations that this release refuses. The list may only shrink.
pub const UNSUPPORTED: &[Operation] = &[
    Operation::ConnectCustomKeyStore,
    Operation::CreateCustomKeyStore,
    Operation::DeleteCustomKeyStore,
    Operation::DescribeCustomKeyStores,
    Operation::DisconnectCustomKeyStore,
    Operation::UpdateCustomKeyStore,
];

/// The operations on imported material.
pub const ON_IMPORTED: [Operation; 3] =
    [Operation::DeleteImportedKeyMaterial, Operation::GetParametersForImport, Operation::ImportKeyMaterial];

/// The operations on the primary key of related keys.
pub(crate) const ON_MULTI_REGION: [Operation; 2] = [Operation::ReplicateKey, Operation::UpdatePrimaryRegion];

/// The kind of key that `operation` is called on.
#[must_use]
pub fn spec_of(operation: Operation) -> (KeySpec, KeyUsage) {
    if [Operation::GetPublicKey, Operation::Sign, Operation::Verify].contains(&operation) {
        (KeySpec::EccNistP256, KeyUsage::SignVerify)
    } else if [Operation::GenerateMac, Operation::VerifyMac].contains(&operation) {
        (KeySpec::Hmac256, KeyUsage::GenerateVerifyMac)
    } else if [Operation::Decapsulate, Operation::Encapsulate].contains(&operation) {
        (KeySpec::MlKem512, KeyUsage::EncapsulateDecapsulate)
    } else if operation == Operation::DeriveSharedSecret {
        (KeySpec::EccNistP256, KeyUsage::KeyAgreement)
    } else {
        (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt)
    }
}

/// A request of `operation` on `of` that is inside every limit and, for a change, changes something.
#[must_use]
pub fn body(operation: Operation, of: &Fixture) -> Value {
    let (id, context) = (&of.arn, json!({"purpose": "test"}));
    match operation {
        Operation::CreateKey => json!({"Description": "made", "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        Operation::GenerateRandom => json!({"NumberOfBytes": 32}),
        Operation::ListAliases | Operation::ListKeys => json!({}),
        Operation::DescribeCustomKeyStores => json!({}),
        Operation::ListRetirableGrants => {
            json!({"RetiringPrincipal": "arn:aws:iam::111122223333:root"})
        }
        Operation::RetireGrant => json!({"KeyId": id, "GrantId": of.grant}),
        Operation::CreateAlias => json!({"AliasName": "alias/new", "TargetKeyId": id}),
        Operation::UpdateAlias => json!({"AliasName": of.other_alias, "TargetKeyId": id}),
        Operation::DeleteAlias => json!({"AliasName": of.alias}),
        Operation::Encrypt => {
            json!({"KeyId": id, "Plaintext": Fixture::PLAINTEXT, "EncryptionContext": context})
        }
        Operation::Decrypt => {
            json!({"KeyId": id, "CiphertextBlob": of.ciphertext, "EncryptionContext": context})
        }
        Operation::ReEncrypt => json!({
            "CiphertextBlob": of.ciphertext, "SourceKeyId": id, "DestinationKeyId": id,
            "SourceEncryptionContext": context,
        }),
        Operation::GenerateDataKey | Operation::GenerateDataKeyWithoutPlaintext => {
            json!({"KeyId": id, "KeySpec": "AES_256", "EncryptionContext": context})
        }
        Operation::EnableKeyRotation => json!({"KeyId": id, "RotationPeriodInDays": 180}),
        Operation::PutKeyPolicy => json!({"KeyId": id, "Policy": Fixture::POLICY}),
        Operation::ScheduleKeyDeletion => json!({"KeyId": id, "PendingWindowInDays": 7}),
        Operation::TagResource => json!({"KeyId": id, "Tags": [{"TagKey": "Team", "TagValue": "x"}]}),
        Operation::UntagResource => json!({"KeyId": id, "TagKeys": ["Project"]}),
        Operation::UpdateKeyDescription => json!({"KeyId": id, "Description": "changed"}),
        Operation::CancelKeyDeletion
        | Operation::DeleteImportedKeyMaterial
        | Operation::DescribeKey
        | Operation::DisableKey
        | Operation::DisableKeyRotation
        | Operation::EnableKey
        | Operation::GetKeyLastUsage
        | Operation::GetKeyPolicy
        | Operation::GetKeyRotationStatus
        | Operation::GetPublicKey
        | Operation::ListGrants
        | Operation::ListKeyPolicies
        | Operation::ListKeyRotations
        | Operation::ListResourceTags
        | Operation::RotateKeyOnDemand => json!({"KeyId": id}),
        Operation::ConnectCustomKeyStore
        | Operation::DeleteCustomKeyStore
        | Operation::DisconnectCustomKeyStore
        | Operation::UpdateCustomKeyStore => json!({"CustomKeyStoreId": "cks-1"}),
        Operation::CreateCustomKeyStore => json!({"CustomKeyStoreName": "a"}),
        Operation::CreateGrant => json!({
            "KeyId": id, "GranteePrincipal": "arn:aws:iam::111122223333:user/alice", "Operations": ["DescribeKey"],
        }),
        Operation::RevokeGrant => json!({"KeyId": id, "GrantId": of.grant}),
        Operation::Encapsulate => json!({"KeyId": id, "EncapsulationAlgorithm": "ML_KEM"}),
        Operation::Decapsulate => {
            json!({
                "KeyId": id, "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": of.ciphertext,
            })
        }
        Operation::DeriveSharedSecret => {
            json!({"KeyId": id, "KeyAgreementAlgorithm": "ECDH", "PublicKey": of.ciphertext})
        }
        Operation::GenerateDataKeyPair | Operation::GenerateDataKeyPairWithoutPlaintext => {
            json!({"KeyId": id, "KeyPairSpec": "ECC_NIST_P256", "EncryptionContext": context})
        }
        Operation::GenerateMac => {
            json!({"KeyId": id, "MacAlgorithm": "HMAC_SHA_256", "Message": Fixture::PLAINTEXT})
        }
        Operation::VerifyMac => json!({
            "KeyId": id, "MacAlgorithm": "HMAC_SHA_256", "Message": Fixture::PLAINTEXT, "Mac": of.ciphertext,
        }),
        Operation::GetParametersForImport => json!({
            "KeyId": id, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048",
        }),
        Operation::ImportKeyMaterial => {
            let (token, wrapped) = of.import.clone().unwrap_or_default();
            json!({
                "KeyId": id, "ImportToken": token, "EncryptedKeyMaterial": wrapped,
                "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
            })
        }
        Operation::ReplicateKey => json!({"KeyId": id, "ReplicaRegion": "eu-west-1"}),
        Operation::UpdatePrimaryRegion => json!({"KeyId": id, "PrimaryRegion": "eu-west-1"}),
        Operation::Sign => json!({
            "KeyId": id, "SigningAlgorithm": "ECDSA_SHA_256", "Message": Fixture::PLAINTEXT, "MessageType": "RAW",
        }),
        Operation::Verify => json!({
            "KeyId": id, "SigningAlgorithm": "ECDSA_SHA_256", "Message": Fixture::PLAINTEXT, "MessageType": "RAW",
            "Signature": of.ciphertext,
        }),
    }
}
