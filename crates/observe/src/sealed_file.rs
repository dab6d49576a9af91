//! A log file under a data key of a KMS key, as it lies in the folder.
//!
//! ```text
//! 0   7  "KRTRAIL"
//! 7   1  01, the version
//! 8   8  length of the content, big-endian
//! 16     four fields, each behind its length (u16, big-endian): the ARN of the KMS key; the ARN of the trail; the ARN of the object;
//!        the data key, encrypted by the KMS key
//! …      the content, wrapped by the data key (see `keyreeve_crypto::wrap`), bound to all that stands before
//! ```
//! Both ARNs are the encryption context of the data key, so what was put under another name opens for nobody.

use std::collections::BTreeMap;

use keyreeve_crypto::random::Random;
use keyreeve_crypto::wrap::{Binding, Kind, UnwrapError, WrapError, unwrap, wrap};
use keyreeve_domain::Region;
use zeroize::Zeroizing;

/// What a data key is made for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Purpose {
    /// The ARN of the trail.
    pub trail: String,
    /// The ARN of the object.
    pub object: String,
}

impl Purpose {
    /// The encryption context. Source:
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html>, and for the object
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context>.
    #[must_use]
    pub fn context(&self) -> BTreeMap<String, String> {
        [("aws:cloudtrail:arn", &self.trail), ("aws:s3:arn", &self.object)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }
}

/// A data key.
pub struct DataKey {
    /// The ARN of the KMS key.
    pub key: String,
    /// It, encrypted by the KMS key.
    pub blob: Vec<u8>,
    /// It.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// A data key could not be made or opened.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the KMS key of the trail: {0}")]
pub struct DataKeyError(pub String);

/// Who makes data keys and opens them, for the trail itself.
pub trait DataKeys: Send + Sync {
    /// A new data key of the KMS key of the trail. Waits.
    ///
    /// # Errors
    /// When there is none.
    fn make(&self, purpose: &Purpose) -> Result<DataKey, DataKeyError>;

    /// The data key in a file. Waits.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(&self, file: &SealedFile<'_>) -> Result<Zeroizing<Vec<u8>>, DataKeyError>;
}

/// A file, but for its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedFile<'a> {
    /// The ARN of the KMS key.
    pub key: &'a str,
    /// What the data key was made for.
    pub purpose: Purpose,
    /// The data key, encrypted by the KMS key.
    pub blob: &'a [u8],
    /// The length of the content.
    pub len: u64,
    head: &'a [u8],
    wrapped: &'a [u8],
}

/// `content` under `key`.
///
/// # Errors
/// When randomness is missing, or something is too long.
pub fn seal(
    content: &[u8],
    purpose: &Purpose,
    key: &DataKey,
    random: &dyn Random,
) -> Result<Vec<u8>, WrapError> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&u64::try_from(content.len()).or(Err(WrapError::Cipher))?.to_be_bytes());
    let fields =
        [key.key.as_bytes(), purpose.trail.as_bytes(), purpose.object.as_bytes(), key.blob.as_slice()];
    for field in fields {
        out.extend_from_slice(&u16::try_from(field.len()).or(Err(WrapError::Cipher))?.to_be_bytes());
        out.extend_from_slice(field);
    }
    let wrapped = wrap(&key.plaintext, &[0; 16], Kind::TrailFile, &binding(&out), content, random)?;
    out.extend_from_slice(&wrapped);
    Ok(out)
}

impl<'a> SealedFile<'a> {
    /// The file `bytes`; nothing where they are not of this form.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (len, rest) = rest.split_first_chunk::<8>()?;
        let (key, rest) = field(rest)?;
        let (trail, rest) = field(rest)?;
        let (object, rest) = field(rest)?;
        let (blob, wrapped) = field(rest)?;
        let text = |field| core::str::from_utf8(field).ok();
        let purpose = Purpose { trail: text(trail)?.to_owned(), object: text(object)?.to_owned() };
        let head = bytes.get(..bytes.len().checked_sub(wrapped.len())?)?;
        Some(Self { key: text(key)?, purpose, blob, len: u64::from_be_bytes(*len), head, wrapped })
    }

    /// The Region of the KMS key.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.key.split(':').nth(3)?.parse().ok()
    }

    /// Whether it is the object `key` of a bucket.
    #[must_use]
    pub fn is_of(&self, key: &str) -> bool {
        let object = self.purpose.object.split_once(":s3:::").and_then(|(_, path)| path.split_once('/'));
        object.is_some_and(|(_, found)| found == key)
    }

    /// The content.
    ///
    /// # Errors
    /// When `key` is not its data key, or a byte is not what it was.
    pub fn open(&self, key: &[u8]) -> Result<Vec<u8>, UnwrapError> {
        let content = unwrap(key, Kind::TrailFile, &binding(self.head), self.wrapped)?;
        match u64::try_from(content.len()) {
            Ok(len) if len == self.len => Ok(content.to_vec()),
            _ => Err(UnwrapError),
        }
    }
}

/// The length of the content of a file that begins with `head`, at least [`LEN_HEAD`] bytes of it; nothing where it is not of this form.
#[must_use]
pub fn content_len(head: &[u8]) -> Option<u64> {
    head.strip_prefix(MAGIC)?.first_chunk().copied().map(u64::from_be_bytes)
}

fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))
}

fn binding(head: &[u8]) -> Binding {
    Binding::default().field(1, head)
}

const MAGIC: &[u8; 8] = b"KRTRAIL\x01";
/// The bytes that say how long the content of a file is.
pub const LEN_HEAD: usize = 16;

#[cfg(test)]
mod tests {
    use keyreeve_crypto::random::SystemRandom;
    use proptest::prelude::*;

    use super::*;

    fn purpose() -> Purpose {
        Purpose {
            trail: "arn:aws:cloudtrail:us-east-1:111122223333:trail/keyreeve".to_owned(),
            object: "arn:aws:s3:::keyreeve-trail/AWSLogs/111122223333/x.json.gz".to_owned(),
        }
    }

    fn data_key(byte: u8) -> DataKey {
        let key = "arn:aws:kms:us-east-1:111122223333:key/11112222-3333-4444-5555-666677778888".to_owned();
        DataKey { key, blob: vec![byte; 180], plaintext: Zeroizing::new(vec![byte; 32]) }
    }

    #[test]
    fn a_file_of_the_first_release_opens() {
        let frozen = include_bytes!("../tests/frozen/sealed-file-v1.bin");
        let file = SealedFile::read(frozen).unwrap();
        assert_eq!(file.purpose, purpose());
        assert_eq!(file.key, data_key(7).key);
        assert_eq!(file.blob, data_key(7).blob);
        assert_eq!(file.open(&[7; 32]).unwrap(), b"{\"Records\":[]}");
    }

    #[test]
    fn a_file_is_of_one_name() {
        let sealed = seal(b"x", &purpose(), &data_key(1), &SystemRandom).unwrap();
        let file = SealedFile::read(&sealed).unwrap();
        assert!(file.is_of("AWSLogs/111122223333/x.json.gz"));
        assert!(!file.is_of("111122223333/x.json.gz"));
        assert!(!file.is_of("x.json.gz"));
        assert!(SealedFile::read(b"\x1f\x8b").is_none());
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_and_no_byte_of_it_can_be_changed(
            content in proptest::collection::vec(any::<u8>(), 0..300),
            at in any::<proptest::sample::Index>(),
            flip in 1..=255u8,
        ) {
            let mut sealed = seal(&content, &purpose(), &data_key(3), &SystemRandom).unwrap();
            {
                let file = SealedFile::read(&sealed).unwrap();
                prop_assert_eq!(file.len, u64::try_from(content.len()).unwrap());
                prop_assert_eq!(content_len(&sealed[..LEN_HEAD]), Some(file.len));
                prop_assert_eq!(file.open(&[3; 32]).unwrap(), content);
                prop_assert!(file.open(&[4; 32]).is_err());
            }
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            let opened = SealedFile::read(&sealed).map(|file| file.open(&[3; 32]).is_err());
            prop_assert_ne!(opened, Some(false));
        }

        #[test]
        fn no_reader_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), is_magic in any::<bool>()) {
            if is_magic {
                bytes.splice(0..0, MAGIC.iter().copied());
            }
            if let Some(file) = SealedFile::read(&bytes) {
                prop_assert!(file.open(&[0; 32]).is_err());
            }
        }
    }
}
