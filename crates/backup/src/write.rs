//! Writing.

use std::io::{self, Write};

use keyreeve_crypto::digest::Sha256;
use keyreeve_store::{Entry, Path};
use minicbor::Encode;

use crate::frame::{
    self, END, FILE, HEADER, Header, MAGIC, MAX_BODY_LEN, RECORD, SEAL, STREAM, StreamEnd, VERSION,
};

/// A backup cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What is to be written is larger than a frame.
    #[error("what is to be written is larger than a backup takes")]
    TooLarge,
    /// It could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes a backup, frame by frame. INVARIANT: the digest covers every byte written, so the order of the calls is the caller's: a
/// [`Reader`](crate::Reader) takes the order of the [crate] alone.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    digest: Sha256,
}

impl<W: Write> Writer<W> {
    /// Begins a backup with its header.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn begin(out: W, header: &Header) -> Result<Self, WriteError> {
        let mut writer = Self { out, digest: Sha256::new() };
        writer.put(MAGIC)?;
        writer.put(&[VERSION])?;
        writer.cbor(HEADER, header)?;
        Ok(writer)
    }

    /// Where it is written to.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// Writes where a stream of the trail ends.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn stream(&mut self, end: &StreamEnd) -> Result<(), WriteError> {
        self.cbor(STREAM, end)
    }

    /// Writes what the store holds at `path`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn record(&mut self, path: &Path, entry: &Entry) -> Result<(), WriteError> {
        self.frame(RECORD, &frame::encode_record(path, entry).ok_or(WriteError::TooLarge)?)
    }

    /// The SHA-256 of everything that was written so far.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest.clone().finish()
    }

    /// Writes the seal: how many records there are, how many of them did not open, and the wrapping of [`Writer::digest`].
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn seal(&mut self, records: u64, unopened: u64, wrapped: &[u8]) -> Result<(), WriteError> {
        self.frame(SEAL, &[&records.to_be_bytes(), &unopened.to_be_bytes(), wrapped].concat())
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn file(&mut self, name: &str, content: &[u8]) -> Result<(), WriteError> {
        let len = u8::try_from(name.len()).or(Err(WriteError::TooLarge))?;
        // Not one buffer of all: the content may be a secret.
        self.head(FILE, 1 + name.len() + content.len())?;
        self.put(&[len])?;
        self.put(name.as_bytes())?;
        self.put(content)
    }

    /// Ends the backup: where it was written to, and the SHA-256 of the whole of it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn end(mut self) -> Result<(W, [u8; 32]), WriteError> {
        self.frame(END, &self.digest())?;
        self.out.flush()?;
        let digest = self.digest();
        Ok((self.out, digest))
    }

    fn cbor<T: Encode<()>>(&mut self, kind: u8, value: &T) -> Result<(), WriteError> {
        let mut body = Vec::new();
        minicbor::encode(value, &mut body).or(Err(WriteError::TooLarge))?;
        self.frame(kind, &body)
    }

    fn frame(&mut self, kind: u8, body: &[u8]) -> Result<(), WriteError> {
        self.head(kind, body.len())?;
        self.put(body)
    }

    fn head(&mut self, kind: u8, len: usize) -> Result<(), WriteError> {
        let len = u32::try_from(len).ok().filter(|_| len <= MAX_BODY_LEN).ok_or(WriteError::TooLarge)?;
        let [a, b, c, d] = len.to_be_bytes();
        self.put(&[kind, a, b, c, d])
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.digest.update(bytes);
        Ok(self.out.write_all(bytes)?)
    }
}
