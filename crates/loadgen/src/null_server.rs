//! A server that answers every request alike: the yardstick for the product's HTTP stack.
//!
//! It reads the whole body and answers with the headers of KMS. [`serve`] stands for the product's own server function,
//! with the same arguments: a listener, TLS or none, and a function from request to answer.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderName, HeaderValue, PRAGMA};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::error::LoadError;
use crate::options::NullServerOptions;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Listen and answer until the process ends.
pub(crate) async fn run(options: &NullServerOptions) -> Result<(), LoadError> {
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(TlsAcceptor::from(Arc::new(tls(certificate, key)?))),
        _ => None,
    };
    let listener = TcpListener::bind(options.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let body = Bytes::from(vec![b'x'; options.answer_bytes]);
    serve(listener, tls, body).await
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, body: Bytes) -> Result<(), LoadError> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (tls, body) = (tls.clone(), body.clone());
        tokio::spawn(async move {
            match tls {
                None => connection(stream, body).await,
                Some(tls) => {
                    // A client that breaks off the handshake is no concern of a yardstick.
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, body).await;
                    }
                }
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, body: Bytes) {
    let service = service_fn(|request| answer(request, body.clone()));
    let server = auto::Builder::new(TokioExecutor::new());
    // A connection that ends badly ends.
    if server.serve_connection(TokioIo::new(stream), service).await.is_err() {}
}

async fn answer(request: Request<Incoming>, body: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    // What was read is not looked at; what cannot be read ends the connection soon enough.
    drop(request.into_body().collect().await);
    let mut response = Response::new(Full::new(body));
    response.headers_mut().extend([
        (REQUEST_ID, HeaderValue::from_static("6b1f3d1e-0f0a-4d3f-9a55-5a1b9f0d2c7e")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate, private")),
        (EXPIRES, HeaderValue::from_static("0")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
        (CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1")),
    ]);
    Ok(response)
}

fn tls(certificate: &Path, key: &Path) -> Result<ServerConfig, LoadError> {
    let pem = |path: &Path| {
        let path = path.to_owned();
        move |error| LoadError::Pem { path: path.clone(), error }
    };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(pem(certificate))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(pem(certificate))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
