//! The chain of a segment.
//!
//! A segment is a text file of lines `<sequence> <hash> <json>`, each ended by one line feed. `sequence` is decimal and grows by
//! one from line to line, across segments too. `hash` is 64 hexadecimal digits of
//! `SHA-256("keyreeve-audit-v1" ‖ 00 ‖ hash of the line before (32 bytes) ‖ u64 sequence ‖ json)`. The first line of a
//! segment is a header; the hash before the first line of the first segment is 32 zero bytes. So a line that is
//! changed, left out, added or moved breaks every hash after it, and only a cut at the very end shows in nothing but the end.
//!
//! JSON has no NUL. A line with one is where a loss of power has left a hole: of what was written and not forced to the disk, any pages
//! may be missing, and those after them there. With such a line a torn tail begins, as with one without its end.

use keyreeve_crypto::digest::{LowerHex, Sha256, sha256};

/// The longest line in bytes; a longer one is damage.
pub const MAX_LINE_LEN: usize = 1024 * 1024;

const LABEL: &[u8] = b"keyreeve-audit-v1\0";
/// The label, the hash of the line before and the sequence number.
const HASHED_PREFIX: usize = LABEL.len() + 32 + 8;
/// What stands between the sequence number and the JSON of a line. Longer than [`HASHED_PREFIX`].
const HASH_AND_SPACES: usize = 1 + 64 + 1;

/// The end of a chain: what the next line builds on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Chain {
    /// The sequence number of the last line; 0 before the first.
    pub sequence: u64,
    /// The hash of the last line.
    pub hash: [u8; 32],
}

/// A segment does not continue the chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// A line is not of the form, or its hash or sequence number does not follow.
    #[error("line {line} does not continue the chain")]
    Broken {
        /// The number of the line in its segment, from 1.
        line: u64,
    },
}

/// What a segment holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verified {
    /// The end of the chain after the last whole line.
    pub end: Chain,
    /// Whole lines, the header included.
    pub lines: u64,
    /// Bytes of the whole lines; what follows is a torn tail.
    pub len: usize,
    /// Whether the torn tail begins with a hole: nothing that comes after continues the chain.
    pub has_hole: bool,
}

impl Chain {
    /// The chain before the first line of the first segment.
    pub const START: Self = Self { sequence: 0, hash: [0; 32] };

    /// Appends `json`, one line without its end, to `out` as the next line.
    pub fn append(&mut self, json: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        self.sequence = self.sequence.saturating_add(1);
        let mut sequence = itoa::Buffer::new();
        let sequence = sequence.format(self.sequence).as_bytes();
        let json_at = start + sequence.len() + HASH_AND_SPACES;
        out.reserve(sequence.len() + HASH_AND_SPACES + json.len() + 1);
        out.resize(json_at, b' ');
        out.extend_from_slice(json);
        // What is hashed lies in one piece: its prefix stands for now where sequence and hash will be.
        let hashed_from = json_at - HASHED_PREFIX;
        if let Some(place) = out.get_mut(hashed_from..json_at) {
            place.copy_from_slice(&self.hashed_prefix());
        }
        self.hash = sha256(out.get(hashed_from..).unwrap_or_default());
        if let Some(place) = out.get_mut(start..json_at) {
            place.fill(b' ');
            for (slot, byte) in place.iter_mut().zip(sequence) {
                *slot = *byte;
            }
            let hash = LowerHex::new(&self.hash);
            for (slot, digit) in place.iter_mut().skip(sequence.len() + 1).zip(hash.as_bytes()) {
                *slot = *digit;
            }
        }
        out.push(b'\n');
    }

    /// Checks that `segment` continues this chain.
    ///
    /// # Errors
    /// At the first line that does not. A last line without its end, and a hole with all after it, is a torn tail, not an error.
    pub fn verify(self, segment: &[u8]) -> Result<Verified, ChainError> {
        let mut verified = Verified { end: self, lines: 0, len: 0, has_hole: false };
        for line in segment.split_inclusive(|byte| *byte == b'\n') {
            let Some(text) = line.strip_suffix(b"\n") else {
                verified.has_hole = line.contains(&0);
                break;
            };
            let Some(end) = verified.end.after(text) else {
                if !text.contains(&0) {
                    return Err(ChainError::Broken { line: verified.lines + 1 });
                }
                verified.has_hole = true;
                break;
            };
            verified.end = end;
            verified.lines += 1;
            verified.len += line.len();
        }
        Ok(verified)
    }

    /// The chain after `line`, if that is the next.
    fn after(mut self, line: &[u8]) -> Option<Self> {
        let (sequence, hash, json) = fields(line)?;
        self.advance(json);
        (sequence == self.sequence && hash == LowerHex::new(&self.hash).as_bytes()).then_some(self)
    }

    fn advance(&mut self, json: &[u8]) {
        self.sequence = self.sequence.saturating_add(1);
        let mut hash = Sha256::new();
        hash.update(&self.hashed_prefix());
        hash.update(json);
        self.hash = hash.finish();
    }

    /// What is hashed before the JSON of the line with the sequence number `self.sequence`.
    fn hashed_prefix(&self) -> [u8; HASHED_PREFIX] {
        let mut prefix = [0; HASHED_PREFIX];
        let (label, rest) = prefix.split_at_mut(LABEL.len());
        let (hash, sequence) = rest.split_at_mut(self.hash.len());
        label.copy_from_slice(LABEL);
        hash.copy_from_slice(&self.hash);
        sequence.copy_from_slice(&self.sequence.to_be_bytes());
        prefix
    }
}

/// Sequence number, hash and JSON of a line.
fn fields(line: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    if line.len() > MAX_LINE_LEN {
        return None;
    }
    let mut fields = line.splitn(3, |byte| *byte == b' ');
    let digits = fields.next()?;
    // One form for each number: no sign, no zero in front.
    if !digits.iter().all(u8::is_ascii_digit) || digits.first() == Some(&b'0') {
        return None;
    }
    let sequence = core::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((sequence, fields.next()?, fields.next()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(events: &[&str]) -> Vec<u8> {
        let (mut chain, mut out) = (Chain::START, Vec::new());
        for event in events {
            chain.append(event.as_bytes(), &mut out);
        }
        out
    }

    #[test]
    fn a_written_segment_verifies_to_its_end() {
        let whole = segment(&["{}", r#"{"a":1}"#, r#"{"b":"c d"}"#]);
        let verified = Chain::START.verify(&whole).unwrap();
        assert_eq!((verified.lines, verified.len, verified.end.sequence), (3, whole.len(), 3));
    }

    #[test]
    fn the_first_hash_equals_an_independent_computation() {
        // printf 'keyreeve-audit-v1\0' + 32 zero bytes + 0000000000000001 + '{}' | sha256sum
        assert!(
            String::from_utf8(segment(&["{}"]))
                .unwrap()
                .starts_with("1 383b3ae5475d0ffa21cbdc0ac3ea8b2c4d10dc1bddcd18c527841012982b6837 {}")
        );
    }

    #[test]
    fn a_torn_tail_is_told_from_damage() {
        let whole = segment(&["{}", "{}"]);
        let first = segment(&["{}"]).len();
        for cut in first..whole.len() {
            let verified = Chain::START.verify(&whole[..cut]).unwrap();
            assert_eq!((verified.lines, verified.len), (1, first), "cut at {cut}");
        }
    }

    #[test]
    fn a_hole_is_where_a_torn_tail_begins() {
        let whole = segment(&["{}", r#"{"a":1}"#, r#"{"b":2}"#, "{}"]);
        let second = segment(&["{}"]).len();
        for hole in
            [second..second + 1, second..second + 90, second + 3..second + 100, second + 70..whole.len()]
        {
            let mut holed = whole.clone();
            holed[hole.clone()].fill(0);
            let verified = Chain::START.verify(&holed).unwrap();
            assert_eq!((verified.lines, verified.len), (1, second), "{hole:?}");
            assert!(verified.has_hole, "{hole:?}");
        }
        let mut changed = whole;
        changed[second + 70] ^= 1;
        assert!(Chain::START.verify(&changed).is_err());
    }

    #[test]
    fn damage_is_named_by_the_number_of_its_line() {
        let whole = segment(&["{}", r#"{"a":1}"#, r#"{"b":2}"#]);
        let ends: Vec<_> =
            whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
        for (line, end) in (1..).zip(ends) {
            let mut damaged = whole.clone();
            damaged[end - 1] ^= 1;
            assert_eq!(Chain::START.verify(&damaged), Err(ChainError::Broken { line }), "line {line}");
        }
    }

    #[test]
    fn a_line_has_a_mebibyte_at_most() {
        let overhead = "1 ".len() + 64 + " ".len();
        for (len, holds) in [(MAX_LINE_LEN, true), (MAX_LINE_LEN + 1, false)] {
            let line = segment(&[&"x".repeat(len - overhead)]);
            assert_eq!((line.len() - 1, Chain::START.verify(&line).is_ok()), (len, holds));
        }
        assert_eq!(MAX_LINE_LEN, 1_048_576);
    }

    #[test]
    fn a_sequence_number_has_one_form() {
        let whole = String::from_utf8(segment(&["{}"])).unwrap();
        for prefix in ["+", "0", "00"] {
            assert!(Chain::START.verify(format!("{prefix}{whole}").as_bytes()).is_err(), "{prefix}");
        }
    }

    proptest! {
        #[test]
        fn any_changed_byte_breaks_the_chain(at in 0usize..1000, flip in 1u8..=255) {
            let mut damaged = segment(&["{}", r#"{"a":1}"#, r#"{"b":2}"#]);
            let at = at % (damaged.len() - 1);
            damaged[at] ^= flip;
            let verified = Chain::START.verify(&damaged);
            prop_assert!(verified.is_err() || verified.unwrap().lines < 3);
        }

        #[test]
        fn the_reader_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Chain::START.verify(&bytes).is_err() || !bytes.starts_with(b"1 "));
        }
    }
}
