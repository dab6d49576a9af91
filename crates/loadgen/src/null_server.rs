//! A server that answers every request alike: what the product's HTTP stack can do without the product.
//!
//! The listener, the worker threads, the connections, TLS and the bounds are those of [`keyreeve_http`]; only the handler
//! differs. It reads the whole body and answers with the headers of KMS.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderName, HeaderValue, PRAGMA};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use keyreeve_http::server::Workers;
use keyreeve_http::{Body, Handler, Limits, Peer, TlsSource};
use tokio::net::TcpListener;

use crate::error::LoadError;
use crate::options::NullServerOptions;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Listen and answer until the process ends.
pub(crate) async fn run(options: &NullServerOptions) -> Result<(), LoadError> {
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Arc::new(TlsSource::open(certificate.clone(), key.clone())?)),
        _ => None,
    };
    let body = Bytes::from(vec![b'x'; options.answer_bytes]);
    let makers = (0..options.workers.max(1)).map(|_| {
        let body = body.clone();
        move || Ok::<_, io::Error>(Null { body })
    });
    let workers = Workers::start(makers.collect(), tls, Limits::DEFAULT)?;
    let listener = TcpListener::bind(options.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    workers.accept(listener, std::future::pending()).await;
    Ok(())
}

/// The one answer.
struct Null {
    body: Bytes,
}

impl Handler for Null {
    async fn handle(self: Rc<Self>, request: Request<Incoming>, _peer: Rc<Peer>) -> Response<Body> {
        // What was read is not looked at; what cannot be read ends the connection soon enough.
        drop(request.into_body().collect().await);
        let mut response = Response::new(Full::new(self.body.clone()));
        response.headers_mut().extend([
            (REQUEST_ID, HeaderValue::from_static("6b1f3d1e-0f0a-4d3f-9a55-5a1b9f0d2c7e")),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate, private")),
            (EXPIRES, HeaderValue::from_static("0")),
            (PRAGMA, HeaderValue::from_static("no-cache")),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1")),
        ]);
        response
    }
}
