//! Requests outside the limits of the API and the text AWS KMS answers.
#![expect(clippy::panic, reason = "test code")]

use keyreeve_wire::{InputError, Operation, model};
use serde_json::{Value, json};

fn message(operation: Operation, request: &Value) -> String {
    let model = model().iter().find(|model| model.operation == operation);
    match model.map(|model| (model.check)(request.to_string().as_bytes())) {
        Some(Err(InputError::Validation(message))) => message,
        other => panic!("{operation} {request}: {other:?}"),
    }
}

fn is_inside_limits(operation: Operation, request: &Value) -> bool {
    model().iter().any(|m| m.operation == operation && (m.check)(request.to_string().as_bytes()).is_ok())
}

fn bytes(length: usize) -> String {
    assert_eq!(length % 3, 0, "whole groups only");
    "AAAA".repeat(length / 3)
}

const KEY_SPECS: &str = "[RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1, ECC_NIST_EDWARDS25519, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512, SM2, ML_DSA_44, ML_DSA_65, ML_DSA_87, ML_KEM_512, ML_KEM_768, ML_KEM_1024]";
const SIGNING_ALGORITHMS: &str = "[RSASSA_PSS_SHA_256, RSASSA_PSS_SHA_384, RSASSA_PSS_SHA_512, RSASSA_PKCS1_V1_5_SHA_256, RSASSA_PKCS1_V1_5_SHA_384, RSASSA_PKCS1_V1_5_SHA_512, ECDSA_SHA_256, ECDSA_SHA_384, ECDSA_SHA_512, ED25519_SHA_512, ED25519_PH_SHA_512, SM2DSA, ML_DSA_SHAKE_256]";
const ENCRYPTION_ALGORITHMS: &str = "[RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT]";
const MAC_ALGORITHMS: &str = "[HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]";
const GRANT_OPERATIONS: &str = "[Decrypt, Encrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, ReEncryptFrom, ReEncryptTo, Sign, Verify, GetPublicKey, CreateGrant, RetireGrant, DescribeKey, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext, GenerateMac, VerifyMac, DeriveSharedSecret, Encapsulate, Decapsulate]";

#[test]
fn one_violation_has_the_recorded_text() {
    use Operation as O;
    let enumeration = |value: &str, at: &str, set: &str| {
        format!(
            "Value '{value}' at '{at}' failed to satisfy constraint: Member must satisfy enum value set: {set}"
        )
    };
    let long = "v".repeat(257);
    let long_key = "a".repeat(129);
    for (operation, request, expected) in [
        (O::GenerateRandom, json!({"NumberOfBytes": 0}), "Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned()),
        (O::GenerateRandom, json!({"NumberOfBytes": 1025}), "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024".to_owned()),
        (O::GenerateRandom, json!({"NumberOfBytes": -1}), "Value '-1' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned()),
        (O::GenerateDataKey, json!({"KeyId": "k", "NumberOfBytes": 0}), "Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned()),
        (O::GenerateDataKey, json!({"KeyId": "k", "NumberOfBytes": 1025}), "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024".to_owned()),
        (O::CreateKey, json!({"KeySpec": "HMAC_random"}), enumeration("HMAC_random", "keySpec", KEY_SPECS)),
        (O::CreateKey, json!({"KeyUsage": "RANDOM"}), enumeration("RANDOM", "keyUsage", "[ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC, KEY_AGREEMENT, ENCAPSULATE_DECAPSULATE]")),
        (O::CreateKey, json!({"Tags": [{"TagKey": "k", "TagValue": long}]}), format!("Value '{long}' at 'tags.1.member.tagValue' failed to satisfy constraint: Member must have length less than or equal to 256")),
        (O::CreateKey, json!({"Tags": [{"TagKey": long_key, "TagValue": ""}]}), format!("Value '{long_key}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128")),
        (O::TagResource, json!({"KeyId": "k", "Tags": [{"TagKey": "k", "TagValue": "v"}, {"TagKey": "k"}]}), "Value null at 'tags.2.member.tagValue' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::GenerateMac, json!({"KeyId": "k", "Message": "AAAA", "MacAlgorithm": "INVALID"}), enumeration("INVALID", "macAlgorithm", MAC_ALGORITHMS)),
        (O::VerifyMac, json!({"KeyId": "k", "Message": "AAAA", "Mac": "AAAA", "MacAlgorithm": "INVALID"}), enumeration("INVALID", "macAlgorithm", MAC_ALGORITHMS)),
        (O::VerifyMac, json!({"KeyId": "k", "Message": "AAAA", "Mac": "AAAA"}), "Value null at 'macAlgorithm' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::DeriveSharedSecret, json!({"KeyId": "k", "PublicKey": "AAAA", "KeyAgreementAlgorithm": "INVALID"}), enumeration("INVALID", "keyAgreementAlgorithm", "[ECDH]")),
        (O::GenerateDataKey, json!({"KeyId": "k", "KeySpec": "FOO"}), enumeration("FOO", "keySpec", KEY_SPECS)),
        (O::GenerateDataKeyWithoutPlaintext, json!({"KeyId": "k", "KeySpec": "RSA_2048"}), enumeration("RSA_2048", "keySpec", KEY_SPECS)),
        (O::Sign, json!({"KeyId": "k", "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "FOO"}), enumeration("FOO", "messageType", "[RAW, DIGEST, EXTERNAL_MU]")),
        (O::Sign, json!({"KeyId": "k", "Message": "AAAA", "SigningAlgorithm": "FOO"}), enumeration("FOO", "signingAlgorithm", SIGNING_ALGORITHMS)),
        (O::Verify, json!({"KeyId": "k", "Message": "AAAA", "Signature": "AAAA", "SigningAlgorithm": "RSAES_OAEP_SHA_256"}), enumeration("RSAES_OAEP_SHA_256", "signingAlgorithm", SIGNING_ALGORITHMS)),
        (O::Sign, json!({"KeyId": "k", "Message": "AAAA"}), "Value null at 'signingAlgorithm' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::Encrypt, json!({"KeyId": "k", "Plaintext": "AAAA", "EncryptionAlgorithm": "FOO"}), enumeration("FOO", "encryptionAlgorithm", ENCRYPTION_ALGORITHMS)),
        (O::Decrypt, json!({"CiphertextBlob": "AAAA", "EncryptionAlgorithm": "FOO"}), enumeration("FOO", "encryptionAlgorithm", ENCRYPTION_ALGORITHMS)),
        (O::DescribeKey, json!({}), "Value null at 'keyId' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::UpdateAlias, json!({"AliasName": "alias/a"}), "Value null at 'targetKeyId' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::ReEncrypt, json!({"CiphertextBlob": "AAAA"}), "Value null at 'destinationKeyId' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::DescribeKey, json!({"KeyId": "キー"}), r"Value 'キー' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\p{ASCII}+$".to_owned()),
        (O::Encrypt, json!({"KeyId": "k", "Plaintext": ""}), "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
        (O::Encrypt, json!({"KeyId": "k", "Plaintext": bytes(4098)}), "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096".to_owned()),
        (O::Encrypt, json!({"KeyId": "k"}), "Value at 'plaintext' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::Sign, json!({"KeyId": "k", "SigningAlgorithm": "ECDSA_SHA_256"}), "Value at 'message' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::GenerateMac, json!({"KeyId": "k", "MacAlgorithm": "HMAC_SHA_256", "Message": ""}), "Value at 'message' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
        (O::Verify, json!({"KeyId": "k", "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": ""}), "Value at 'signature' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
        (O::Verify, json!({"KeyId": "k", "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": bytes(6147)}), "Value at 'signature' failed to satisfy constraint: Member must have length less than or equal to 6144".to_owned()),
        (O::Verify, json!({"KeyId": "k", "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256"}), "Value null at 'signature' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::VerifyMac, json!({"KeyId": "k", "Message": "AAAA", "MacAlgorithm": "HMAC_SHA_256"}), "Value null at 'mac' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::Decrypt, json!({"CiphertextBlob": ""}), "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
        (O::Decrypt, json!({"CiphertextBlob": bytes(6147)}), "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length less than or equal to 6144".to_owned()),
        (O::Decrypt, json!({}), "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::ReEncrypt, json!({"DestinationKeyId": "k"}), "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::Decrypt, json!({"DryRun": false, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}), "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::Decrypt, json!({"DryRun": true}), "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::EnableKeyRotation, json!({"KeyId": "k", "RotationPeriodInDays": 89}), "Value '89' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value greater than or equal to 90".to_owned()),
        (O::EnableKeyRotation, json!({"KeyId": "k", "RotationPeriodInDays": 2561}), "Value '2561' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value less than or equal to 2560".to_owned()),
        (O::ScheduleKeyDeletion, json!({"KeyId": "k", "PendingWindowInDays": 6}), "Value '6' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value greater than or equal to 7".to_owned()),
        (O::ScheduleKeyDeletion, json!({"KeyId": "k", "PendingWindowInDays": 31}), "Value '31' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value less than or equal to 30".to_owned()),
        (O::ListKeys, json!({"Limit": 99_999_999_999_i64}), "Value '99999999999' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000".to_owned()),
        (O::ListKeys, json!({"ResourceOwners": []}), "Value '[]' at 'resourceOwners' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
        (O::CreateAlias, json!({"AliasName": "alias/my-alias!", "TargetKeyId": "k"}), "Value 'alias/my-alias!' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$".to_owned()),
        (O::CreateGrant, json!({"KeyId": "k", "Operations": ["Decrypt", "Foo", "Bar"]}), format!("Value '[Decrypt, Foo, Bar]' at 'operations' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: {GRANT_OPERATIONS}]")),
        (O::CreateGrant, json!({"KeyId": "k", "Operations": ["Decrypt"], "Constraints": {"SourceArn": "arn:aws:s3:::bucket-of-mine"}}), "Value 'arn:aws:s3:::bucket-of-mine' at 'constraints.sourceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$".to_owned()),
        (O::UntagResource, json!({"KeyId": "k", "TagKeys": ["a", ""]}), "Value '[a, ]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]".to_owned()),
        (O::DescribeKey, json!({"KeyId": "k", "GrantTokens": ["t", "t", "t", "t", "t", "t", "t", "t", "t", "t", "t"]}), "Value '[t, t, t, t, t, t, t, t, t, t, t]' at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 10".to_owned()),
        (O::Encrypt, json!({"KeyId": "k", "Plaintext": "AAAA", "EncryptionContext": {"a": "b", "c": null}}), "Value null at 'encryptionContext.c.member' failed to satisfy constraint: Member must not be null".to_owned()),
        (O::GenerateRandom, json!({"Recipient": {"AttestationDocument": ""}}), "Value at 'recipient.attestationDocument' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
        (O::CreateCustomKeyStore, json!({"CustomKeyStoreName": "n", "KeyStorePassword": "hunter"}), "Value at 'keyStorePassword' failed to satisfy constraint: Member must have length greater than or equal to 7".to_owned()),
    ] {
        assert_eq!(message(operation, &request), format!("1 validation error detected: {expected}"), "{operation} {request}");
    }
}

#[test]
fn several_violations_are_counted_and_joined_in_the_order_of_the_members() {
    for (operation, request, expected) in [
        (
            Operation::DescribeKey,
            json!({"KeyId": ""}),
            r"2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\p{ASCII}+$",
        ),
        (
            Operation::Sign,
            json!({"MessageType": "FOO", "SigningAlgorithm": "ECDSA_SHA_256"}),
            "3 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value at 'message' failed to satisfy constraint: Member must not be null; Value 'FOO' at 'messageType' failed to satisfy constraint: Member must satisfy enum value set: [RAW, DIGEST, EXTERNAL_MU]",
        ),
        (
            Operation::CreateKey,
            json!({"Tags": [{}, {"TagKey": "", "TagValue": "v"}]}),
            "3 validation errors detected: Value null at 'tags.1.member.tagKey' failed to satisfy constraint: Member must not be null; Value null at 'tags.1.member.tagValue' failed to satisfy constraint: Member must not be null; Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
    ] {
        assert_eq!(message(operation, &request), expected);
    }
}

#[test]
fn a_secret_is_never_repeated() {
    for (operation, request, secret) in [
        (Operation::Encrypt, json!({"Plaintext": "c2VjcmV0"}), "c2VjcmV0"),
        (Operation::Sign, json!({"Message": "c2VjcmV0"}), "c2VjcmV0"),
        (
            Operation::CreateCustomKeyStore,
            json!({"KeyStorePassword": "s3cr3t", "XksProxyAuthenticationCredential": {
                "AccessKeyId": "s3cr3t", "RawSecretAccessKey": "s3cr3t"}}),
            "s3cr3t",
        ),
        (Operation::UpdateCustomKeyStore, json!({"KeyStorePassword": "s3cr3t"}), "s3cr3t"),
    ] {
        let message = message(operation, &request);
        assert!(!message.contains(secret), "{message}");
    }
}

#[test]
fn what_aws_kms_takes_is_taken() {
    for (operation, request) in [
        (Operation::Sign, json!({"KeyId": "k", "Message": "AAAA", "SigningAlgorithm": "SYMMETRIC_DEFAULT"})),
        (
            Operation::Verify,
            json!({"KeyId": "k", "Message": "AAAA", "Signature": "AAAA", "SigningAlgorithm": "SYMMETRIC_DEFAULT"}),
        ),
        (Operation::Decrypt, json!({"KeyId": "k", "DryRun": true, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]})),
        (
            Operation::ReEncrypt,
            json!({"DestinationKeyId": "k", "DryRun": true, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}),
        ),
        (Operation::GenerateRandom, json!({})),
        (Operation::GenerateDataKey, json!({"KeyId": "k"})),
        (Operation::ListKeys, json!({"Limit": 1000.0})),
        (Operation::DescribeKey, json!({"KeyId": "k", "GrantTokens": ["t", null]})),
        (Operation::UpdateKeyDescription, json!({"KeyId": "k", "Description": ""})),
        (Operation::TagResource, json!({"KeyId": "k", "Tags": []})),
        (Operation::Encrypt, json!({"KeyId": "k", "Plaintext": bytes(4095), "EncryptionContext": {"": ""}})),
        (
            Operation::ImportKeyMaterial,
            json!({"KeyId": "k", "ImportToken": "AAAA", "EncryptedKeyMaterial": "AAAA", "ValidTo": 1_767_225_600}),
        ),
    ] {
        assert!(is_inside_limits(operation, &request), "{operation} {request}");
    }
}
