//! The case of names of headers in answers over HTTP/1.1.
//!
//! Names begin with capital letters, since there are clients that know those of AWS in that case alone. Names of S3's metadata are keys that
//! clients hand on as they came, and S3 sends them in lower case: `aws cloudtrail validate-logs` finds a signature as `signature` alone.

use core::cell::RefCell;
use core::convert::Infallible;
use core::pin::pin;
use core::task::{Context, Waker};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

/// What the names of metadata begin with.
const METADATA: &str = "x-amz-meta-";

/// Has the names of metadata in an answer written as they are.
///
/// hyper writes names of an answer as they were read where it is told of a message that was read, which is meant for proxies; what it tells
/// that with cannot be made elsewhere. So it reads one here, in memory.
pub(crate) fn keep_metadata<B>(response: &mut Response<B>) {
    let names = response.headers().keys().map(http::HeaderName::as_str);
    let lines: String =
        names.filter(|name| name.starts_with(METADATA)).map(|name| format!("{name}: -\r\n")).collect();
    if !lines.is_empty() {
        response.extensions_mut().extend(read(&format!("GET / HTTP/1.1\r\nhost: -\r\n{lines}\r\n")));
    }
}

/// What hyper notes of a request beside its headers.
fn read(request: &str) -> Extensions {
    let noted = RefCell::new(Extensions::new());
    let service = service_fn(|request: Request<Incoming>| {
        *noted.borrow_mut() = request.into_parts().0.extensions;
        core::future::ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let io = TokioIo::new(tokio::io::join(request.as_bytes(), tokio::io::sink()));
    let mut builder = http1::Builder::new();
    builder.preserve_header_case(true).half_close(true);
    {
        // Nothing of it waits, so one look is enough.
        let exchange = pin!(builder.serve_connection(io, service));
        let _looked = exchange.poll(&mut Context::from_waker(Waker::noop()));
    }
    noted.into_inner()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn names_of_metadata_stay_and_the_others_begin_with_capitals() {
        let service = service_fn(|_: Request<Incoming>| {
            let mut response = Response::new(Empty::<Bytes>::new());
            for name in
                ["x-amz-meta-signature", "x-amz-meta-signature-algorithm", "x-amz-request-id", "content-type"]
            {
                response.headers_mut().insert(name, HeaderValue::from_static("v"));
            }
            keep_metadata(&mut response);
            core::future::ready(Ok::<_, Infallible>(response))
        });
        let (mut client, server) = tokio::io::duplex(4096);
        let io = TokioIo::new(tokio::io::join(
            &b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"[..],
            server,
        ));
        http1::Builder::new()
            .title_case_headers(true)
            .half_close(true)
            .serve_connection(io, service)
            .await
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        for line in [
            "x-amz-meta-signature: v",
            "x-amz-meta-signature-algorithm: v",
            "X-Amz-Request-Id: v",
            "Content-Type: v",
            "Content-Length: 0",
        ] {
            assert!(answer.lines().any(|found| found == line), "{line} in {answer}");
        }
        assert!(!answer.contains("X-Amz-Meta"), "{answer}");
    }

    #[test]
    fn an_answer_without_metadata_is_left_alone() {
        let mut response = Response::new(());
        response.headers_mut().insert("x-amz-request-id", HeaderValue::from_static("v"));
        keep_metadata(&mut response);
        assert!(response.extensions().is_empty());
    }
}
