//! Digest files.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>
//! and, for the signature,
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>.

use keyreeve_crypto::digest::{LowerHex, sha256};
use serde::{Deserialize, Serialize};

/// The algorithm of signatures, as digests and their metadata name it.
pub const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";
/// The algorithm of hashes.
pub const HASH_ALGORITHM: &str = "SHA-256";

/// A digest file: which log files were delivered in a stretch of time, chained to the digest before it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// The account.
    pub aws_account_id: String,
    /// Where the stretch begins.
    pub digest_start_time: String,
    /// Where it ends.
    pub digest_end_time: String,
    /// The bucket of this file.
    #[serde(rename = "digestS3Bucket")]
    pub bucket: String,
    /// The name of this file.
    #[serde(rename = "digestS3Object")]
    pub object: String,
    /// The key that has signed it.
    pub digest_public_key_fingerprint: String,
    /// [`SIGNATURE_ALGORITHM`].
    pub digest_signature_algorithm: String,
    /// The time of the newest event.
    pub newest_event_time: Option<String>,
    /// The time of the oldest event.
    pub oldest_event_time: Option<String>,
    /// The bucket of the digest before.
    #[serde(rename = "previousDigestS3Bucket")]
    pub previous_bucket: Option<String>,
    /// The name of the digest before; none in the first one.
    #[serde(rename = "previousDigestS3Object")]
    pub previous_object: Option<String>,
    /// The SHA-256 of its content.
    pub previous_digest_hash_value: Option<String>,
    /// [`HASH_ALGORITHM`].
    pub previous_digest_hash_algorithm: Option<String>,
    /// Its signature, hexadecimal.
    pub previous_digest_signature: Option<String>,
    /// The log files.
    pub log_files: Vec<LogFile>,
}

/// A log file, as a digest has it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// Its bucket.
    #[serde(rename = "s3Bucket")]
    pub bucket: String,
    /// Its name.
    #[serde(rename = "s3Object")]
    pub object: String,
    /// The SHA-256 of its content, uncompressed.
    pub hash_value: String,
    /// [`HASH_ALGORITHM`].
    pub hash_algorithm: String,
    /// The time of its newest event.
    pub newest_event_time: String,
    /// The time of its oldest event.
    pub oldest_event_time: String,
    /// The SHA-256 of the file as it lies in the folder, where that is encrypted. CloudTrail has no such member; it proves the file to
    /// whoever may not open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_hash_value: Option<String>,
}

impl Digest {
    /// What is signed of the digest, whose file has the content `content`.
    #[must_use]
    pub fn string_to_sign(&self, content: &[u8]) -> String {
        let hash = LowerHex::new(&sha256(content));
        let previous = self.previous_digest_signature.as_deref().unwrap_or("null");
        let Self { digest_end_time, bucket, object, .. } = self;
        format!("{digest_end_time}\n{bucket}/{object}\n{hash}\n{previous}")
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// The bytes of hexadecimal digits.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Event;
    use crate::layout::parse_iso;

    proptest! {
        #[test]
        fn bytes_are_read_back_from_their_digits(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        }

        #[test]
        fn no_reader_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in any::<String>()) {
            prop_assert!(serde_json::from_slice::<Digest>(&bytes).is_err());
            prop_assert!(Event::read(&bytes).is_none());
            prop_assert!(unhex(&text).is_none_or(|read| read.len() * 2 == text.len()));
            prop_assert!(parse_iso(&text).is_none_or(|_| text.len() >= 20));
        }
    }
}
