//! As much DER (X.690) as the frames of keys need.

pub(super) const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;

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

/// Whether an `ECPrivateKey` (RFC 5915) carries its public key in the hybrid form, which RFC 5480 section 2.2 forbids and the library
/// reads: one key would have two documents.
pub(super) fn has_hybrid_point(private_key: &[u8]) -> bool {
    let point = || {
        let mut fields = whole(private_key)?;
        take(&mut fields, INTEGER)?;
        take(&mut fields, OCTET_STRING)?;
        // The parameters may be there, or not.
        let mut public = take(&mut fields, CONTEXT_0).and_then(|_| take(&mut fields, CONTEXT_1));
        if public.is_none() {
            public = take(&mut fields, CONTEXT_1);
        }
        take(&mut public?, BIT_STRING)
    };
    matches!(point(), Some([_unused_bits, 0x06 | 0x07, ..]))
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
