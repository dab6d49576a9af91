//! TLS: rustls, versions 1.2 and 1.3, hybrid post-quantum key agreement preferred.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsConfigError {
    /// A file cannot be read, or holds nothing of its kind.
    #[error("cannot read `{}`: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("the TLS certificate and key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// Certificate and key from files, read again on request.
pub struct TlsSource {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<ServerConfig>>,
}

impl TlsSource {
    /// Reads both files.
    ///
    /// # Errors
    /// Where they cannot be read or used.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsConfigError> {
        let current = RwLock::new(Arc::new(read(&certificate, &key)?));
        Ok(Self { certificate, key, current })
    }

    /// Reads both files again; connections that stand keep what they have.
    ///
    /// # Errors
    /// Where they cannot be read or used; what was in use stays in use.
    pub fn reload(&self) -> Result<(), TlsConfigError> {
        let next = Arc::new(read(&self.certificate, &self.key)?);
        *self.current.write() = next;
        Ok(())
    }

    /// The configuration for a new connection.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read())
    }
}

fn read(certificate: &PathBuf, key: &PathBuf) -> Result<ServerConfig, TlsConfigError> {
    let fault = |path: &PathBuf, reason: String| TlsConfigError::File { path: path.clone(), reason };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(fault(certificate, io::Error::from(io::ErrorKind::InvalidData).to_string()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| fault(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
