//! What the command line says of the server: its address, how it is trusted, who signs.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use crate::connection::Target;
use crate::credentials::Credentials;
use crate::error::LoadError;
use crate::options::TargetOptions;
use crate::request::Sender;

/// The server, and who sends to it: one profile, or every one of the file.
pub(crate) fn open(options: &TargetOptions, every_profile: bool) -> Result<(Target, Sender), LoadError> {
    let credentials = match &options.credentials {
        Some(path) if every_profile => Credentials::load_all(path)?,
        file => vec![Credentials::load(file.as_deref(), &options.profile)?],
    };
    let target = target(options)?;
    let sender = Sender { host: target.address.clone(), region: options.region.clone(), credentials };
    Ok((target, sender))
}

fn target(options: &TargetOptions) -> Result<Target, LoadError> {
    let wrong = || LoadError::Endpoint(options.endpoint.clone());
    let (scheme, rest) = options.endpoint.split_once("://").ok_or_else(wrong)?;
    let address = rest.trim_end_matches('/');
    let (host, _) = address.rsplit_once(':').ok_or_else(wrong)?;
    let tls = match scheme {
        "http" => None,
        "https" => {
            let config = tls(options.ca.as_deref())?;
            let name =
                ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_name| wrong())?;
            Some((Arc::new(config), name))
        }
        _ => return Err(wrong()),
    };
    Ok(Target { address: address.to_owned(), tls })
}

/// HTTP/1.1 over TLS, trusting only the given certificates.
fn tls(ca: Option<&Path>) -> Result<ClientConfig, LoadError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca {
        let pem = |error| LoadError::Pem { path: path.to_owned(), error };
        for certificate in CertificateDer::pem_file_iter(path).map_err(pem)? {
            roots.add(certificate.map_err(pem)?)?;
        }
    }
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
