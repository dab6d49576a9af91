//! No bytes make the verifier panic, and none that nobody signed pass.

use crate::cases::{Cases, head, unsigned};
use keyreeve_attestation::AttestationError;
use proptest::prelude::*;

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(document: Vec<u8>) {
        let cases = Cases::read();
        prop_assert!(cases.verify(&document).is_err());
        prop_assert!(cases.verify(&unsigned(&document)).is_err());
        let value = |name: &'static str| cases.fields().set(name, document.clone()).document();
        for name in ["module_id", "timestamp", "pcrs", "nitrotpm_pcrs", "certificate", "cabundle", "public_key"] {
            prop_assert!(cases.verify(&value(name)).is_err());
        }
    }

    #[test]
    fn a_changed_document_is_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let cases = Cases::read();
        let good = cases.document("enclave");
        let mut changed = good.to_vec();
        for (index, bits) in changes {
            changed[index.index(good.len())] ^= bits;
        }
        prop_assume!(changed != good);
        prop_assert!(cases.verify(&changed).is_err());
        prop_assert_eq!(cases.verify(&good[..cut.index(good.len())]).unwrap_err(), AttestationError::Malformed);
    }

    #[test]
    fn a_length_beyond_the_input_is_refused(major in 0u8..8, argument: u64, rest: Vec<u8>) {
        let item = [head(major, argument), rest].concat();
        let cases = Cases::read();
        for name in ["module_id", "timestamp", "pcrs", "certificate", "cabundle", "nonce"] {
            prop_assert!(cases.verify(&cases.fields().set(name, item.clone()).document()).is_err());
        }
    }
}
