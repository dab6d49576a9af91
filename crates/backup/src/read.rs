//! Reading.

use std::io::{self, ErrorKind, Read};

use bytes::Bytes;
use keyreeve_crypto::digest::Sha256;
use keyreeve_store::{Entry, Path};
use zeroize::Zeroizing;

use crate::frame::{
    self, END, FILE, HEADER, Header, MAGIC, MAX_BODY_LEN, RECORD, SEAL, STREAM, StreamEnd, VERSION,
};

/// What a backup holds, in the order of the [crate].
#[derive(Debug)]
pub enum Item {
    /// Where a stream of the trail ended.
    Stream(StreamEnd),
    /// What the store holds at a path.
    Record(Path, Entry),
    /// The seal.
    Seal {
        /// How many records there are: as many as were read.
        records: u64,
        /// How many of them did not open when the backup was made.
        unopened: u64,
        /// The wrapping of `digest`, for whoever has the keyring to check.
        wrapped: Vec<u8>,
        /// The SHA-256 of everything before the seal, as it was read.
        digest: [u8; 32],
    },
    /// A file.
    File {
        /// Its name.
        name: String,
        /// Its content, which may be secret.
        content: Zeroizing<Vec<u8>>,
    },
    /// The end: nothing was cut off, and nothing garbled. Nothing comes after it.
    End {
        /// The SHA-256 of the whole backup, the end included.
        digest: [u8; 32],
    },
}

/// A backup cannot be read. None of its items is to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It ends in the middle: it was cut off, or never written to its end.
    #[error("it ends early, after {bytes} bytes: it was cut off, or is still being written")]
    Truncated {
        /// The bytes that were read.
        bytes: u64,
    },
    /// It does not begin as a backup does.
    #[error("it is no backup of Keyreeve")]
    Foreign,
    /// A later release wrote it.
    #[error("its version {found} is not known to this release")]
    Version {
        /// The version.
        found: u8,
    },
    /// A frame is not of its form or not in its place.
    #[error("it is damaged near byte {bytes}")]
    Malformed {
        /// The bytes that were read.
        bytes: u64,
    },
    /// Its bytes are not those that were written.
    #[error("it is damaged: its bytes are not those that it was written with")]
    Digest,
    /// It could not be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads a backup, frame by frame.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    digest: Sha256,
    bytes: u64,
    records: u64,
    /// The kind of the last frame: kinds never go down.
    last: u8,
    last_path: Option<Path>,
    last_name: String,
}

impl<R: Read> Reader<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// Where it is no backup, or one of a later release.
    pub fn begin(source: R) -> Result<(Self, Header), ReadError> {
        let mut reader = Self {
            source,
            digest: Sha256::new(),
            bytes: 0,
            records: 0,
            last: HEADER,
            last_path: None,
            last_name: String::new(),
        };
        let mut magic = [0; 8];
        match reader.take(&mut magic) {
            Err(ReadError::Truncated { .. }) => return Err(ReadError::Foreign),
            taken => taken?,
        }
        if magic != *MAGIC {
            return Err(ReadError::Foreign);
        }
        let mut version = [0];
        reader.take(&mut version)?;
        let [found] = version;
        if found != VERSION {
            return Err(ReadError::Version { found });
        }
        let (kind, body) = reader.frame()?;
        let header =
            frame::decode_cbor(&body).filter(|_| kind == HEADER).ok_or_else(|| reader.malformed())?;
        Ok((reader, header))
    }

    /// The next item. After [`Item::End`] there is none.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        if self.last == END {
            return Ok(None);
        }
        let digest = self.digest.clone().finish();
        let (kind, body) = self.frame()?;
        let follows = match kind {
            STREAM => self.last <= STREAM,
            RECORD => self.last <= RECORD,
            SEAL => self.last <= RECORD,
            FILE => self.last == SEAL || self.last == FILE,
            END => self.last == SEAL || self.last == FILE,
            _ => false,
        };
        if !follows {
            return Err(self.malformed());
        }
        if kind != self.last {
            self.last_name.clear();
        }
        self.last = kind;
        let item = match kind {
            STREAM => self.stream(&body),
            RECORD => self.record(&body.to_vec().into()),
            SEAL => self.seal(&body, digest),
            FILE => self.file(&body),
            _ => return self.end(&body, digest).map(Some),
        };
        item.ok_or_else(|| self.malformed()).map(Some)
    }

    fn stream(&mut self, body: &[u8]) -> Option<Item> {
        let end: StreamEnd = frame::decode_cbor(body)?;
        self.goes_up(&end.stream).then_some(Item::Stream(end))
    }

    fn record(&mut self, body: &Bytes) -> Option<Item> {
        let (path, entry) = frame::decode_record(body)?;
        if self.last_path.as_ref().is_some_and(|last| *last >= path) {
            return None;
        }
        self.last_path = Some(path.clone());
        self.records = self.records.saturating_add(1);
        Some(Item::Record(path, entry))
    }

    fn seal(&self, body: &[u8], digest: [u8; 32]) -> Option<Item> {
        let (records, rest) = body.split_first_chunk::<8>()?;
        let (unopened, wrapped) = rest.split_first_chunk::<8>()?;
        let (records, unopened) = (u64::from_be_bytes(*records), u64::from_be_bytes(*unopened));
        let wrapped = wrapped.to_vec();
        (records == self.records && unopened <= records).then_some(Item::Seal {
            records,
            unopened,
            wrapped,
            digest,
        })
    }

    fn file(&mut self, body: &[u8]) -> Option<Item> {
        let (len, rest) = body.split_first()?;
        let (name, content) = rest.split_at_checked(usize::from(*len))?;
        let name = core::str::from_utf8(name).ok()?.to_owned();
        let content = Zeroizing::new(content.to_vec());
        self.goes_up(&name).then_some(Item::File { name, content })
    }

    fn end(&mut self, body: &[u8], digest: [u8; 32]) -> Result<Item, ReadError> {
        if body != digest {
            return Err(ReadError::Digest);
        }
        match self.source.read(&mut [0])? {
            0 => Ok(Item::End { digest: self.digest.clone().finish() }),
            _ => Err(self.malformed()),
        }
    }

    /// Whether `name` comes after the one before it in this kind of frame.
    fn goes_up(&mut self, name: &str) -> bool {
        let goes_up = !name.is_empty() && self.last_name.as_str() < name;
        name.clone_into(&mut self.last_name);
        goes_up
    }

    fn frame(&mut self) -> Result<(u8, Zeroizing<Vec<u8>>), ReadError> {
        let mut head = [0; 5];
        self.take(&mut head)?;
        let [kind, len @ ..] = head;
        let len = usize::try_from(u32::from_be_bytes(len)).or(Err(self.malformed()))?;
        if len > MAX_BODY_LEN {
            return Err(self.malformed());
        }
        let mut body = Zeroizing::new(vec![0; len]);
        self.take(&mut body)?;
        Ok((kind, body))
    }

    fn take(&mut self, into: &mut [u8]) -> Result<(), ReadError> {
        self.source.read_exact(into).map_err(|error| match error.kind() == ErrorKind::UnexpectedEof {
            true => ReadError::Truncated { bytes: self.bytes },
            false => ReadError::Io(error),
        })?;
        self.digest.update(into);
        self.bytes = self.bytes.saturating_add(u64::try_from(into.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn malformed(&self) -> ReadError {
        ReadError::Malformed { bytes: self.bytes }
    }
}
