//! What stands in the frames.

use bytes::Bytes;
use keyreeve_domain::Timestamp;
use keyreeve_store::{Entry, Path, Revision, Version};
use minicbor::{Decode, Encode};

/// What every backup begins with.
pub const MAGIC: &[u8; 8] = b"KRBACKUP";
/// The version of the layout.
pub const VERSION: u8 = 1;
/// The longest body of a frame: more than the longest entry of a store takes.
pub const MAX_BODY_LEN: usize = 2 << 20;

pub(crate) const HEADER: u8 = 1;
pub(crate) const STREAM: u8 = 2;
pub(crate) const RECORD: u8 = 3;
pub(crate) const SEAL: u8 = 4;
pub(crate) const FILE: u8 = 5;
pub(crate) const END: u8 = 6;

/// What a backup is of.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Header {
    /// Its own id, random.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub id: [u8; 16],
    /// The deployment.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub deployment: [u8; 16],
    /// When its snapshot was taken.
    #[n(2)]
    #[cbor(with = "millis")]
    pub taken: Timestamp,
    /// The revision of the snapshot.
    #[n(3)]
    pub revision: u64,
    /// The release that made it.
    #[n(4)]
    pub release: String,
}

impl Header {
    /// The id as 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn id_text(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// How far a stream of the audit trail went when the snapshot had been taken: every change in the snapshot was announced in the
/// trail by then.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct StreamEnd {
    /// The name of the stream.
    #[n(0)]
    pub stream: String,
    /// The number of its newest segment.
    #[n(1)]
    pub segment: u32,
    /// The sequence number of its last whole line.
    #[n(2)]
    pub sequence: u64,
    /// The hash of that line.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub hash: [u8; 32],
}

/// The body of a record.
pub(crate) fn encode_record(path: &Path, entry: &Entry) -> Option<Vec<u8>> {
    let path = path.as_bytes();
    let mut body = Vec::with_capacity(18 + path.len() + entry.value.len());
    body.extend_from_slice(&u16::try_from(path.len()).ok()?.to_be_bytes());
    body.extend_from_slice(path);
    body.extend_from_slice(&entry.version.get().to_be_bytes());
    body.extend_from_slice(&entry.modified.get().to_be_bytes());
    body.extend_from_slice(&entry.value);
    Some(body)
}

/// The record of a body.
pub(crate) fn decode_record(body: &Bytes) -> Option<(Path, Entry)> {
    let (len, rest) = body.split_first_chunk::<2>()?;
    let (path, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    let (version, rest) = rest.split_first_chunk::<8>()?;
    let (modified, value) = rest.split_first_chunk::<8>()?;
    let entry = Entry {
        value: body.slice_ref(value),
        version: Version::new(u64::from_be_bytes(*version))?,
        modified: Revision::new(u64::from_be_bytes(*modified)),
    };
    Some((Path::new(path.to_vec()).ok()?, entry))
}

/// The value of a body that is CBOR and nothing more.
pub(crate) fn decode_cbor<T: for<'b> Decode<'b, ()>>(body: &[u8]) -> Option<T> {
    let mut decoder = minicbor::Decoder::new(body);
    let value = decoder.decode().ok()?;
    (decoder.position() == body.len()).then_some(value)
}

mod millis {
    use keyreeve_domain::Timestamp;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub(super) fn encode<C, W: Write>(
        value: &Timestamp,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.i64(value.millis())?.ok()
    }

    pub(super) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Timestamp, DecodeError> {
        decoder.i64().map(Timestamp::from_millis)
    }
}
