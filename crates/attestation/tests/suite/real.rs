//! Published documents of real machines, at their own time, under the real root.
//!
//! Both were made without an RSA key, so all that is wrong with them is found last: that there is none.

use keyreeve_attestation::{AttestationError, MAX_AGE, MAX_AHEAD, Roots, verify};
use keyreeve_domain::Timestamp;

/// Published with a verifier's tests. The map of its payload is of definite length.
const ENCLAVE: (&[u8], i64) = (include_bytes!("../documents/enclave-2024.cbor"), 0x0191_fd73_54cf);
/// Published with a verifier's tests; a P-256 key. The map of its payload is of indefinite length, and a field is null.
const NITROTPM: (&[u8], i64) = (include_bytes!("../documents/nitrotpm-2026.cbor"), 1_786_642_608_432);

fn refusal(document: &[u8], now: i64, roots: &Roots) -> AttestationError {
    verify(document, Timestamp::from_millis(now), roots).unwrap_err()
}

#[test]
fn a_real_document_is_verified_up_to_its_key() {
    for (document, time) in [ENCLAVE, NITROTPM] {
        for (now, error) in [
            (time, AttestationError::PublicKey),
            (time + MAX_AGE, AttestationError::PublicKey),
            (time + MAX_AGE + 1, AttestationError::Stale),
            (time - MAX_AHEAD, AttestationError::PublicKey),
            (time - MAX_AHEAD - 1, AttestationError::Future),
        ] {
            assert_eq!(refusal(document, now, &Roots::aws_nitro()), error, "{time} at {now}");
        }
        assert_eq!(refusal(document, time, &Roots::none()), AttestationError::Root);
    }
}

#[test]
fn no_byte_of_a_real_document_can_be_changed() {
    for (document, time) in [ENCLAVE, NITROTPM] {
        for index in (0..document.len()).step_by(7) {
            let mut changed = document.to_vec();
            changed[index] ^= 0x01;
            let error = refusal(&changed, time, &Roots::aws_nitro());
            assert_ne!(error, AttestationError::PublicKey, "byte {index}");
        }
        let mut signature = document.to_vec();
        *signature.last_mut().unwrap() ^= 0x80;
        assert_eq!(refusal(&signature, time, &Roots::aws_nitro()), AttestationError::Signature);
    }
}
