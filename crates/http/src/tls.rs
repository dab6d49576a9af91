//! TLS: rustls, versions 1.2 and 1.3, hybrid post-quantum key agreement preferred.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::aws_lc_rs::kx_group::X25519MLKEM768;
use rustls::server::ClientHello;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, NamedGroup, ServerConfig, SupportedProtocolVersion};
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
    current: RwLock<Arc<Configurations>>,
}

/// What a connection is served with.
pub(crate) struct Configurations {
    /// For clients that know the hybrid group: with it alone. rustls follows the order of the client, and asks a client
    /// that has it further down its list to try again with it.
    hybrid: Arc<ServerConfig>,
    /// For all others.
    classical: Arc<ServerConfig>,
}

impl Configurations {
    /// The configuration for the client that says `hello`.
    pub(crate) fn for_client(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let hybrid = hello.named_groups().is_some_and(|groups| groups.contains(&NamedGroup::X25519MLKEM768));
        // A client may list the group and yet be held to TLS 1.2, which has no use for it.
        let tls13 = hello.cipher_suites().iter().any(|suite| TLS13_SUITES.contains(suite));
        Arc::clone(if hybrid && tls13 { &self.hybrid } else { &self.classical })
    }
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
    pub(crate) fn current(&self) -> Arc<Configurations> {
        Arc::clone(&self.current.read())
    }
}

fn read(certificate: &PathBuf, key: &PathBuf) -> Result<Configurations, TlsConfigError> {
    let fault = |path: &PathBuf, reason: String| TlsConfigError::File { path: path.clone(), reason };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(fault(certificate, io::Error::from(io::ErrorKind::InvalidData).to_string()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| fault(key, error.to_string()))?;
    let signing = SingleCertAndKey::from(CertifiedKey::from_der(chain, private, &default_provider())?);
    let signing = Arc::new(signing);
    let hybrid = CryptoProvider { kx_groups: vec![X25519MLKEM768], ..default_provider() };
    Ok(Configurations {
        hybrid: Arc::new(configuration(hybrid, &[&TLS13], Arc::clone(&signing))?),
        classical: Arc::new(configuration(default_provider(), &[&TLS13, &TLS12], signing)?),
    })
}

const TLS13_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

fn configuration(
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
    signing: Arc<SingleCertAndKey>,
) -> Result<ServerConfig, TlsConfigError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(signing);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
