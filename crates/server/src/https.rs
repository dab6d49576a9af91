//! Fetching small documents over HTTPS, and sending some.
//!
//! One request on one connection; no redirects, no proxies. A document that is too long or comes too late is an error.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, HeaderValue, USER_AGENT};
use http::uri::Authority;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::exit::Failure;
use crate::issuers::MOST;

/// How long a document may take, from looking up its host on.
const PATIENCE: Duration = Duration::from_secs(10);
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// A document could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("`{0}` is not an https URL")]
    Url(String),
    #[error("{url}: {error}")]
    Connect { url: String, error: std::io::Error },
    #[error("{url}: {error}")]
    Http { url: String, error: hyper::Error },
    #[error("{url} answers with {status}")]
    Status { url: String, status: StatusCode },
    #[error("{url}: {error}")]
    Body { url: String, error: Box<dyn std::error::Error + Send + Sync> },
    #[error("{0} did not answer within 10 seconds")]
    Slow(String),
}

/// The certificates of the PEM file `path`, which is the value of `option`; without one, those that browsers trust.
pub(crate) fn roots(path: Option<&Path>, option: &str) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    match path {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let fault = |error: &dyn std::fmt::Display| {
                Failure::Config(format!("{option}, `{}`: {error}.", path.display()))
            };
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| fault(&error))?;
            if certificates.is_empty() {
                return Err(fault(&"it holds no certificate"));
            }
            for certificate in certificates {
                store.add(certificate).map_err(|error| fault(&error))?;
            }
        }
    }
    Ok(store)
}

/// A client of TLS that trusts `roots`.
pub(crate) fn client(
    roots: RootCertStore,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, Failure> {
    Ok(ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Config(format!("TLS: {error}")))?
        .with_root_certificates(roots))
}

/// How HTTP is spoken over TLS to those whom the certificates of the PEM file `path` lead to, which is the value of `option`; without
/// one, to those whom browsers trust.
pub(crate) fn tls_client(path: Option<&Path>, option: &str) -> Result<Arc<ClientConfig>, Failure> {
    let mut config = client(roots(path, option)?)?.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A client with its root certificates.
pub(crate) struct Https {
    tls: TlsConnector,
}

impl Https {
    /// A client that trusts the certificates of the PEM file `path`, which is the value of `option`; without one, those that
    /// browsers trust.
    pub(crate) fn new(path: Option<&Path>, option: &str) -> Result<Self, Failure> {
        Ok(Self { tls: TlsConnector::from(tls_client(path, option)?) })
    }

    /// The document at `url`.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        match tokio::time::timeout(PATIENCE, self.fetch(url)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(FetchError::Slow(url.to_owned())),
        }
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let not_a_url = || FetchError::Url(url.to_owned());
        let uri: Uri = url.parse().ok().ok_or_else(not_a_url)?;
        let authority =
            uri.authority().filter(|_| uri.scheme_str() == Some("https")).ok_or_else(not_a_url)?;
        let request = Request::get(uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str))
            .header(HOST, authority.as_str())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, AGENT)
            .body(Full::new(Bytes::new()))
            .ok()
            .ok_or_else(not_a_url)?;
        let (status, body) = exchange(self.connect(&uri, url).await?, request, url).await?;
        if status != StatusCode::OK {
            return Err(FetchError::Status { url: url.to_owned(), status });
        }
        Ok(body)
    }

    /// The same, with this configuration of TLS.
    pub(crate) fn of(mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { tls: TlsConnector::from(Arc::new(tls)) }
    }

    /// Sends a request to `uri`, whose scheme is `http` or `https`; what is answered. An answer that does not say that it succeeded is
    /// an error.
    pub(crate) async fn send(
        &self,
        uri: &Uri,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Vec<u8>, FetchError> {
        let url = uri.to_string();
        let host = uri.authority().and_then(|authority| HeaderValue::from_str(host_of(authority)).ok());
        let host = host.ok_or_else(|| FetchError::Url(url.clone()))?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let sent = async {
            let (status, body) = match uri.scheme_str() {
                Some("http") => exchange(tcp(uri, HTTP_PORT, &url).await?, request, &url).await?,
                _ => exchange(self.connect(uri, &url).await?, request, &url).await?,
            };
            if status.is_success() { Ok(body) } else { Err(FetchError::Status { url: url.clone(), status }) }
        };
        match tokio::time::timeout(PATIENCE, sent).await {
            Ok(sent) => sent,
            Err(_) => Err(FetchError::Slow(url.clone())),
        }
    }

    async fn connect(&self, uri: &Uri, url: &str) -> Result<TlsStream<TcpStream>, FetchError> {
        let not_a_url = || FetchError::Url(url.to_owned());
        let name = ServerName::try_from(bare_host(uri).to_owned()).ok().ok_or_else(not_a_url)?;
        let tcp = tcp(uri, HTTPS_PORT, url).await?;
        let connected = self.tls.connect(name, tcp).await;
        connected.map_err(|error| FetchError::Connect { url: url.to_owned(), error })
    }
}

/// The host and the port of a URL, without a user.
fn host_of(authority: &Authority) -> &str {
    authority.as_str().rsplit('@').next().unwrap_or_default()
}

/// The host of a URL, without brackets.
fn bare_host(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

async fn tcp(uri: &Uri, port: u16, url: &str) -> Result<TcpStream, FetchError> {
    let connected = TcpStream::connect((bare_host(uri), uri.port_u16().unwrap_or(port))).await;
    connected.map_err(|error| FetchError::Connect { url: url.to_owned(), error })
}

/// One request and its answer.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<Full<Bytes>>,
    url: &str,
) -> Result<(StatusCode, Vec<u8>), FetchError> {
    let http = |error| FetchError::Http { url: url.to_owned(), error };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(http)?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let answer = async {
        let answer = sender.send_request(request).await.map_err(http)?;
        let status = answer.status();
        if !status.is_success() {
            return Ok((status, Vec::new()));
        }
        let body = Limited::new(answer.into_body(), most).collect().await;
        let body = body.map_err(|error| FetchError::Body { url: url.to_owned(), error })?;
        Ok((status, body.to_bytes().to_vec()))
    };
    // The connection moves the bytes; it ends after the answer, or with an error that the answer has as well.
    let drive = async {
        drop(connection.await);
        core::future::pending::<Infallible>().await
    };
    tokio::select! {
        answer = answer => answer,
        never = drive => match never {},
    }
}

const AGENT: &str = concat!("keyreeve/", env!("CARGO_PKG_VERSION"));
