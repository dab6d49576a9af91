//! The canonical encoding of an encryption context.
//!
//! Injective: two contexts have the same bytes exactly where they hold the same pairs. An absent context and an empty one
//! are the same. Strings are compared byte for byte, without Unicode normalisation.

use std::collections::BTreeMap;

/// `u32 count ‖ Σ (u32 length ‖ key ‖ u32 length ‖ value)`, pairs sorted by the bytes of their key, integers big-endian.
///
/// The order of `String` is the order of its bytes, so the map already is in order.
pub fn encode_canonical(context: &BTreeMap<String, String>, out: &mut Vec<u8>) {
    out.extend_from_slice(&length(context.len()));
    for text in context.iter().flat_map(|(key, value)| [key, value]) {
        out.extend_from_slice(&length(text.len()));
        out.extend_from_slice(text.as_bytes());
    }
}

/// A request body is far shorter than 4 GiB; a longer one could not be told from a shorter one, so it saturates and the
/// authentication fails on every later read.
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(context: &BTreeMap<String, String>) -> Vec<u8> {
        let mut out = Vec::new();
        encode_canonical(context, &mut out);
        out
    }

    #[test]
    fn an_empty_context_is_four_zero_bytes() {
        assert_eq!(encoded(&BTreeMap::new()), [0; 4]);
    }

    proptest! {
        #[test]
        fn different_contexts_have_different_bytes(
            a in proptest::collection::btree_map("[ab]{0,3}", "[ab]{0,3}", 0..4),
            b in proptest::collection::btree_map("[ab]{0,3}", "[ab]{0,3}", 0..4),
        ) {
            prop_assert_eq!(encoded(&a) == encoded(&b), a == b);
        }
    }
}
