//! Why there is no measurement.

use std::io;
use std::path::PathBuf;

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The credentials file has no such profile, or the profile lacks a key.
    #[error("profile `{profile}` has no `{key}`")]
    Credentials { profile: String, key: &'static str },
    /// The endpoint is not `http://HOST:PORT` or `https://HOST:PORT`.
    #[error("endpoint `{0}` is not `http://HOST:PORT` or `https://HOST:PORT`")]
    Endpoint(String),
    /// A file could not be read.
    #[error("`{}`: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    /// The histogram cannot be made.
    #[error("{0}")]
    Histogram(#[from] hdrhistogram::CreationError),
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line of a mix is not `WEIGHT OPERATION BODY`.
    #[error("line {line} of the mix is not `WEIGHT OPERATION BODY`")]
    Mix { line: usize },
    /// Nothing to send.
    #[error("no operation is named, or its bodies are none")]
    NoRequests,
    /// Every connection failed before its first answer.
    #[error("no answer came: {0}")]
    NoAnswer(String),
    /// An answer that is not what was asked for.
    #[error("{status}: {body}")]
    Refused { status: u16, body: String },
    /// A certificate could not be read from its file.
    #[error("`{}`: {error}", path.display())]
    Pem { path: PathBuf, error: rustls_pki_types::pem::Error },
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    #[error("{0}")]
    TlsConfig(#[from] keyreeve_http::TlsConfigError),
}
