//! The canonical encoding of an encryption context.
//!
//! Injective: two contexts have the same bytes exactly where they hold the same pairs. An absent context and an empty one
//! are the same. Strings are compared byte for byte, without Unicode normalisation.

/// `u32 count ‖ Σ (u32 length ‖ key ‖ u32 length ‖ value)`, pairs sorted by the bytes of their key, integers big-endian.
///
/// `pairs` hold no key twice: whoever parsed them refused that.
pub fn encode_canonical(pairs: &[(String, String)], out: &mut Vec<u8>) {
    let mut sorted: Vec<_> = pairs.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
    sorted.sort_unstable();
    out.extend_from_slice(&length(sorted.len()));
    for (key, value) in sorted {
        for text in [key, value] {
            out.extend_from_slice(&length(text.len()));
            out.extend_from_slice(text);
        }
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

    fn encoded(pairs: &[(String, String)]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_canonical(pairs, &mut out);
        out
    }

    #[test]
    fn an_empty_context_is_four_zero_bytes() {
        assert_eq!(encoded(&[]), [0; 4]);
    }

    proptest! {
        #[test]
        fn the_order_of_pairs_does_not_matter(map in proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..6), seed in any::<u64>()) {
            let sorted: Vec<_> = map.into_iter().collect();
            let mut mixed = sorted.clone();
            if !mixed.is_empty() {
                let by = usize::try_from(seed % 7).unwrap() % mixed.len();
                mixed.rotate_left(by);
            }
            prop_assert_eq!(encoded(&sorted), encoded(&mixed));
        }

        #[test]
        fn different_contexts_have_different_bytes(
            a in proptest::collection::btree_map("[ab]{0,3}", "[ab]{0,3}", 0..4),
            b in proptest::collection::btree_map("[ab]{0,3}", "[ab]{0,3}", 0..4),
        ) {
            let same = a == b;
            let (a, b): (Vec<_>, Vec<_>) = (a.into_iter().collect(), b.into_iter().collect());
            prop_assert_eq!(encoded(&a) == encoded(&b), same);
        }
    }
}
