//! Connections to the bucket: hyper over rustls, one request on each.
//!
//! A file goes there every few minutes, so no connection is worth being kept. No redirects, no proxies. All of a request, from
//! looking up the host on, has one patience.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{HOST, HeaderValue, USER_AGENT};
use http::uri::Authority;
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, Result};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What makes the connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    /// Its application protocol is HTTP/1.1.
    pub(crate) tls: Arc<ClientConfig>,
    /// How long a request may take.
    pub(crate) patience: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        match tokio::time::timeout(self.patience, self.exchange(request)).await {
            Ok(answered) => answered,
            Err(_) => Err(HttpError::new(HttpErrorKind::Timeout, SlowError(self.patience.as_secs()))),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no whole answer within {0} seconds")]
struct SlowError(u64);

impl Connector {
    async fn exchange(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let uri = request.uri().clone();
        let no_host = || connect(io::Error::new(io::ErrorKind::InvalidInput, "the URL names no host"));
        let authority = uri.authority().ok_or_else(no_host)?;
        let is_tls = uri.scheme_str() != Some("http");
        let host = HeaderValue::from_str(host_of(authority, is_tls)).map_err(|_invalid| no_host())?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        *request.uri_mut() = path.parse().map_err(|_invalid| no_host())?;
        let bare = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if is_tls { HTTPS_PORT } else { HTTP_PORT });
        let tcp = TcpStream::connect((bare.as_str(), port)).await.map_err(connect)?;
        if !is_tls {
            return talk(tcp, request).await;
        }
        let name = ServerName::try_from(bare).map_err(|_invalid| no_host())?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await.map_err(connect)?;
        talk(stream, request).await
    }
}

/// The host, with the port where it is not the usual one: as it was signed.
fn host_of(authority: &Authority, is_tls: bool) -> &str {
    let usual = if is_tls { ":443" } else { ":80" };
    let text = authority.as_str().rsplit('@').next().unwrap_or_default();
    text.strip_suffix(usual).unwrap_or(text)
}

fn connect(error: io::Error) -> HttpError {
    HttpError::new(HttpErrorKind::Connect, error)
}

fn broken(error: hyper::Error) -> HttpError {
    HttpError::new(HttpErrorKind::Request, error)
}

/// One request and its answer.
async fn talk<S>(stream: S, request: HttpRequest) -> Result<HttpResponse, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answer = async {
        let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let body = Limited::new(body, MOST).collect().await;
        let body = body.map_err(|error| HttpError::new_boxed(HttpErrorKind::Decode, error))?;
        Ok(HttpResponse::from_parts(head, body.to_bytes().into()))
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

/// The longest answer: an object that is compared with a file of the trail, which is much shorter.
const MOST: usize = 64 << 20;
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
const AGENT: &str = concat!("keyreeve/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_with_its_port_where_that_is_not_the_usual_one() {
        for (authority, is_tls, host) in [
            ("s3.example.com", true, "s3.example.com"),
            ("s3.example.com:443", true, "s3.example.com"),
            ("s3.example.com:80", true, "s3.example.com:80"),
            ("127.0.0.1:9000", false, "127.0.0.1:9000"),
            ("[::1]:80", false, "[::1]"),
        ] {
            assert_eq!(host_of(&authority.parse().unwrap(), is_tls), host);
        }
    }
}
