//! As much DER (X.690) as the frames of keys need.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const CONTEXT_0: u8 = 0xa0;

/// The content of a `SEQUENCE` that is all there is.
pub(super) fn whole(mut bytes: &[u8]) -> Option<&[u8]> {
    take(&mut bytes, SEQUENCE).filter(|_| bytes.is_empty())
}

/// Whether the content of an `AlgorithmIdentifier` names a curve (RFC 5480 section 2.1.1). The library also takes the
/// parameters of a curve one by one, and does not check all of them.
pub(super) fn names_curve(mut algorithm: &[u8]) -> bool {
    let named = take(&mut algorithm, OBJECT_IDENTIFIER).and_then(|_| take(&mut algorithm, OBJECT_IDENTIFIER));
    named.is_some() && algorithm.is_empty()
}

/// The content of the `AlgorithmIdentifier` of a `SubjectPublicKeyInfo`.
pub(super) fn spki_algorithm(spki: &[u8]) -> Option<&[u8]> {
    take(&mut whole(spki)?, SEQUENCE)
}

/// The content of the next element, which has the tag `tag` and a length in the shortest form.
pub(super) fn take<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&[found, short], rest) = input.split_first_chunk()?;
    let (len, rest) = match (short, rest) {
        (0..=0x7f, _) => (usize::from(short), rest),
        (0x81, [len, rest @ ..]) if *len >= 0x80 => (usize::from(*len), rest),
        (0x82, [high, low, rest @ ..]) if *high >= 1 => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len).filter(|_| found == tag)?;
    *input = rest;
    Some(content)
}
