//! One connection: hyper, HTTP/1.1 and HTTP/2, with its bounds.

use core::cell::Cell;
use core::convert::Infallible;
use core::future::Future;
use core::net::SocketAddr;
use core::pin::pin;
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::LazyConfigAcceptor;

use crate::limits::{CONNECTION_WINDOW, Limits, STREAM_WINDOW, STREAMS};
use crate::tls::TlsSource;

/// The body of an answer.
pub type Body = Full<Bytes>;

/// Answers requests. One per worker thread.
pub trait Handler: 'static {
    /// Answers `request`. Bound to its thread; it lives in the memory of its connection, so that a request allocates none.
    fn handle(
        self: Rc<Self>,
        request: Request<Incoming>,
        peer: Rc<Peer>,
    ) -> impl Future<Output = Response<Body>> + 'static;
}

/// The other end of a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The client's address, without its port.
    pub address: String,
    /// Protocol version and cipher suite, on TLS.
    pub tls: Option<(&'static str, String)>,
}

/// Serves one connection to its end, or until `stop` says so and the request in hand is answered.
pub(crate) async fn serve<H: Handler>(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Arc<TlsSource>>,
    limits: &Limits,
    handler: Rc<H>,
    stop: watch::Receiver<bool>,
) {
    let address = address.ip().to_canonical().to_string();
    // Small answers must not wait for more to send. A socket that is gone already shows on the first read.
    stream.set_nodelay(true).unwrap_or_default();
    let Some(tls) = tls else {
        return exchange(stream, Peer { address, tls: None }, limits, handler, stop).await;
    };
    let accepting = async {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let config = tls.current().for_client(&hello.client_hello());
        hello.into_stream(config).await
    };
    let Ok(Ok(stream)) = tokio::time::timeout(limits.handshake, accepting).await else { return };
    let session = stream.get_ref().1;
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let suite = session
        .negotiated_cipher_suite()
        .map(|suite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_"));
    let peer = Peer { address, tls: Some((version, suite.unwrap_or_default())) };
    exchange(stream, peer, limits, handler, stop).await;
}

async fn exchange<H: Handler>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: Peer,
    limits: &Limits,
    handler: Rc<H>,
    mut stop: watch::Receiver<bool>,
) {
    let peer = Rc::new(peer);
    let activity = Rc::new(Activity::new());
    let seen = Rc::clone(&activity);
    let most_headers = limits.headers;
    let service = service_fn(move |request: Request<Incoming>| {
        let answering = Answering::of(&seen);
        let (handler, peer) = (Rc::clone(&handler), Rc::clone(&peer));
        async move {
            let answer = match request.headers().len() > most_headers {
                // hyper counts those of HTTP/1.1 alone.
                true => too_many_headers(),
                // Made here, where it stays: a future that comes from outside is there twice, and copied from one place to the other.
                false => handler.handle(request, peer).await,
            };
            drop(answering);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut builder = auto::Builder::new(LocalExecutor);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes.max(8192))
        .max_headers(limits.headers)
        // Names have no case, but clients that compare them by it look for those that AWS sends: libmongocrypt for `Content-Length`.
        .title_case_headers(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(limits.head))
        .keep_alive_timeout(limits.head)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(Some(STREAMS));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        biased;
        // A connection that ends badly ends: the client knows, and the trail has what was done.
        _ended = connection.as_mut() => return,
        // hyper bounds the pause before a head of HTTP/1.1 alone, and not before it knows the version.
        () = activity.idle_for(limits.head) => return,
        _stopped = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

/// As hyper answers on HTTP/1.1.
fn too_many_headers() -> Response<Body> {
    let mut answer = Response::new(Body::default());
    *answer.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    answer
}

/// When a connection last had a request in hand.
struct Activity {
    in_hand: Cell<usize>,
    last: Cell<Instant>,
}

impl Activity {
    fn new() -> Self {
        Self { in_hand: Cell::new(0), last: Cell::new(Instant::now()) }
    }

    /// Ready once no request was in hand for so long.
    async fn idle_for(&self, pause: Duration) {
        loop {
            tokio::time::sleep_until(self.last.get() + pause).await;
            if self.in_hand.get() > 0 {
                // Its end is a new start; to look again then is enough.
                self.last.set(Instant::now());
            } else if self.last.get().elapsed() >= pause {
                return;
            }
        }
    }
}

/// A request in hand.
struct Answering(Rc<Activity>);

impl Answering {
    fn of(activity: &Rc<Activity>) -> Self {
        activity.in_hand.set(activity.in_hand.get() + 1);
        Self(Rc::clone(activity))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.in_hand.set(self.0.in_hand.get().saturating_sub(1));
        self.0.last.set(Instant::now());
    }
}

/// Runs what hyper spawns on this thread.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
