//! The request quota of an operation that is known before its key is.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html>.

use keyreeve_core::request_quota::RequestQuota;
use keyreeve_wire::Operation;

/// The quota of `operation`; none where it depends on the key or on the key pair that is asked for.
pub(crate) fn of(operation: Operation) -> Option<RequestQuota> {
    if operation == Operation::GenerateRandom {
        Some(RequestQuota::Symmetric)
    } else if OF_A_KEY.contains(&operation) {
        None
    } else {
        RequestQuota::named(operation.name())
    }
}

/// The operations that count against a quota of their key or key pair.
const OF_A_KEY: [Operation; 14] = [
    Operation::Decapsulate,
    Operation::Decrypt,
    Operation::DeriveSharedSecret,
    Operation::Encapsulate,
    Operation::Encrypt,
    Operation::GenerateDataKey,
    Operation::GenerateDataKeyPair,
    Operation::GenerateDataKeyPairWithoutPlaintext,
    Operation::GenerateDataKeyWithoutPlaintext,
    Operation::GenerateMac,
    Operation::ReEncrypt,
    Operation::Sign,
    Operation::Verify,
    Operation::VerifyMac,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_operation_has_a_quota() {
        for operation in Operation::ALL {
            assert_eq!(of(*operation).is_none(), OF_A_KEY.contains(operation), "{}", operation.name());
        }
    }
}
