//! The request quota of an operation that is known before its key is.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html>.

use keyreeve_core::request_quota::RequestQuota;
use keyreeve_wire::Operation;

/// The quota of `operation`; none where it depends on the key or on the key pair that is asked for.
pub(crate) fn of(operation: Operation) -> Option<RequestQuota> {
    Some(match operation {
        Operation::GenerateRandom => RequestQuota::Symmetric,
        Operation::Decapsulate
        | Operation::Decrypt
        | Operation::DeriveSharedSecret
        | Operation::Encapsulate
        | Operation::Encrypt
        | Operation::GenerateDataKey
        | Operation::GenerateDataKeyPair
        | Operation::GenerateDataKeyPairWithoutPlaintext
        | Operation::GenerateDataKeyWithoutPlaintext
        | Operation::GenerateMac
        | Operation::ReEncrypt
        | Operation::Sign
        | Operation::Verify
        | Operation::VerifyMac => return None,
        other => return RequestQuota::named(other.name()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_quota_of_its_name_or_one_of_its_key() {
        let without: Vec<_> = Operation::ALL
            .iter()
            .filter(|operation| of(**operation).is_none())
            .map(|known| known.name())
            .collect();
        let of_a_key = [
            "Decapsulate",
            "Decrypt",
            "DeriveSharedSecret",
            "Encapsulate",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateMac",
            "ReEncrypt",
            "Sign",
            "Verify",
            "VerifyMac",
        ];
        assert_eq!(without, of_a_key);
    }
}
