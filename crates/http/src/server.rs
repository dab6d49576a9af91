//! The listener and its workers.

use core::future::Future;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::io::{self, ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset, ErrorKind::Interrupted};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use crate::connection::{self, Handler};
use crate::limits::Limits;
use crate::refusals::Refusals;
use crate::tls::TlsSource;

/// A connection on its way to a worker.
struct Accepted {
    stream: std::net::TcpStream,
    address: SocketAddr,
    /// Given back when the connection ends.
    place: Place,
}

/// The place of one connection among those that there may be.
struct Place {
    _permit: OwnedSemaphorePermit,
    open: Arc<AtomicUsize>,
}

impl Place {
    fn taken(permit: OwnedSemaphorePermit, open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self { _permit: permit, open: Arc::clone(open) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The worker threads.
pub struct Workers {
    queues: Vec<mpsc::UnboundedSender<Accepted>>,
    threads: Vec<thread::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    limits: Limits,
    is_tls: bool,
    /// Connections that are open.
    open: Arc<AtomicUsize>,
    /// Connections that were refused.
    refused: Arc<AtomicU64>,
}

impl Workers {
    /// Starts one worker thread for each of `makers`; each makes its handler on its own thread.
    ///
    /// # Errors
    /// Where the system gives no more threads, or a handler cannot be made.
    pub fn start<H: Handler, M>(
        makers: Vec<M>,
        tls: Option<Arc<TlsSource>>,
        limits: Limits,
    ) -> io::Result<Self>
    where
        M: FnOnce() -> io::Result<H> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        let mut workers = Self {
            queues: Vec::new(),
            threads: Vec::new(),
            stop,
            limits,
            is_tls: tls.is_some(),
            open: Arc::default(),
            refused: Arc::default(),
        };
        for (number, make) in makers.into_iter().enumerate() {
            let (queue, accepted) = mpsc::unbounded_channel();
            let (tls, stopped) = (tls.clone(), stopped.clone());
            let (ready, made) = std::sync::mpsc::sync_channel(1);
            let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                let local = LocalSet::new();
                // The runtime belongs to this thread alone: where there is no thread, whoever wanted one must not drop it.
                let handler =
                    runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
                        let handler = {
                            let _inside = (runtime.enter(), local.enter());
                            make()?
                        };
                        Ok((runtime, handler))
                    });
                let (handler, outcome) = match handler {
                    Ok(handler) => (Some(handler), Ok(())),
                    Err(error) => (None, Err(error)),
                };
                // Whoever started the worker waits for this.
                ready.send(outcome).unwrap_or_default();
                if let Some((runtime, handler)) = handler {
                    let deadline = local.block_on(&runtime, work(handler, accepted, tls, limits, stopped));
                    runtime.block_on(finish(local, deadline));
                }
            });
            let thread = thread.map_err(|error| {
                io::Error::new(error.kind(), format!("a worker thread cannot be started: {error}"))
            })?;
            workers.queues.push(queue);
            workers.threads.push(thread);
            made.recv().unwrap_or_else(|gone| Err(io::Error::other(gone)))?;
        }
        Ok(workers)
    }

    /// Accepts connections and hands them out in turn until `stop` is ready; then closes the listener.
    ///
    /// While there is no place, the next one waits in the system's queue, for [`PATIENCE`] from when there was none any more; those
    /// that come then are refused.
    pub async fn accept(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let refusals = Refusals::new(self.limits.refusals, self.is_tls, Arc::clone(&self.refused));
        let mut stop = core::pin::pin!(stop);
        let mut turn = self.queues.iter().cycle();
        let (mut told, mut told_full) = (None::<Instant>, None::<Instant>);
        let mut full_since = None::<Instant>;
        let mut refused = 0_u64;
        loop {
            let next = async {
                let free = || Arc::clone(&places).try_acquire_owned().ok();
                let place = match free() {
                    Some(place) => {
                        full_since = None;
                        Some(place)
                    }
                    None => {
                        let until = *full_since.get_or_insert_with(Instant::now) + PATIENCE;
                        let place = tokio::time::timeout_at(until, Arc::clone(&places).acquire_owned()).await;
                        place.ok().and_then(Result::ok)
                    }
                };
                let accepted = listener.accept().await;
                (place.or_else(free), accepted)
            };
            let (place, accepted) = tokio::select! {
                () = stop.as_mut() => return,
                next = next => next,
            };
            let pause = match (accepted, place) {
                (Ok((stream, address)), Some(place)) => {
                    // A worker that is gone has no connections to serve any more, and a socket that is gone no client.
                    if let (Ok(stream), Some(queue)) = (stream.into_std(), turn.next()) {
                        let place = Place::taken(place, &self.open);
                        queue.send(Accepted { stream, address, place }).unwrap_or_default();
                    }
                    continue;
                }
                (Ok((stream, _)), None) => {
                    refusals.refuse(stream);
                    if told_full.is_none_or(|told| told.elapsed() >= BETWEEN_WARNINGS_OF_REFUSALS) {
                        let connections = self.limits.connections;
                        tracing::warn!(
                            connections,
                            "there is no place for another connection; new ones are refused"
                        );
                        told_full = Some(Instant::now());
                    }
                    refused += 1;
                    // A storm is refused at its leisure: this thread does other work, too.
                    if !refused.is_multiple_of(REFUSED_IN_A_ROW) {
                        continue;
                    }
                    PAUSE_AFTER_REFUSALS
                }
                // The client hung up before its turn.
                (Err(error), _)
                    if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) =>
                {
                    continue;
                }
                // No descriptor left, say: the connection stays in the system's queue and is asked for again at once,
                // so wait for another one to end, and do not fill the log.
                (Err(error), _) => {
                    if told.is_none_or(|told| told.elapsed() >= BETWEEN_WARNINGS) {
                        tracing::warn!(%error, "connections cannot be accepted; trying on");
                        told = Some(Instant::now());
                    }
                    PAUSE_AFTER_ERROR
                }
            };
            tokio::select! {
                () = stop.as_mut() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tells how many connections there are.
    pub fn connections(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let open = Arc::clone(&self.open);
        move || open.load(Ordering::Relaxed)
    }

    /// Tells how many connections were refused, for want of a place.
    pub fn refused(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let refused = Arc::clone(&self.refused);
        move || refused.load(Ordering::Relaxed)
    }

    /// Lets every connection finish the request in hand, and every change that goes on without its client its work, for as
    /// long as the limits allow, and ends the threads.
    pub fn drain(self) {
        self.stop.send_replace(true);
        drop(self.queues);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a worker thread panicked");
            }
        }
    }
}

/// Serves connections until no more come and those that stand have ended; answers when the time to drain is over.
async fn work<H: Handler>(
    handler: H,
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    tls: Option<Arc<TlsSource>>,
    limits: Limits,
    stop: watch::Receiver<bool>,
) -> Instant {
    let handler = Rc::new(handler);
    let mut connections = JoinSet::new();
    while let Some(Accepted { stream, address, place }) = accepted.recv().await {
        let Ok(stream) = TcpStream::from_std(stream) else { continue };
        let (handler, tls, stop) = (Rc::clone(&handler), tls.clone(), stop.clone());
        connections.spawn_local(async move {
            connection::serve(stream, address, tls, &limits, handler, stop).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    let deadline = Instant::now() + limits.drain;
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout_at(deadline, finished).await.is_err() {
        tracing::warn!("connections were cut off: they did not finish in time");
    }
    deadline
}

/// Lets what runs without its connection come to its end: a change whose client is gone, and its record in the trail.
async fn finish(tasks: LocalSet, deadline: Instant) {
    // Those whose connection was cut off only now have yet to notice.
    let deadline = deadline.max(Instant::now() + AFTER_CUT_OFF);
    if tokio::time::timeout_at(deadline, tasks).await.is_err() {
        tracing::warn!("requests were cut off: they did not finish in time");
    }
}

/// How long a burst of connections may wait for places.
const PATIENCE: Duration = Duration::from_secs(1);
/// Connections that are refused without a rest, and the rest: some 3,000 a second, a tenth of a core.
const REFUSED_IN_A_ROW: u64 = 32;
const PAUSE_AFTER_REFUSALS: Duration = Duration::from_millis(10);
/// How long the listener rests after the system refused a connection.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);
/// The least time between two warnings of that.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(1);
/// The least time between two warnings of connections that are refused.
const BETWEEN_WARNINGS_OF_REFUSALS: Duration = Duration::from_secs(60);
/// What a request has at least, after its connection was cut off.
const AFTER_CUT_OFF: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::atomic::AtomicBool;

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use hyper::body::Incoming;

    use super::*;
    use crate::connection::{Body, Peer};

    /// Answers at once, and notes the end of a task that goes on for a while after the connection is gone.
    struct Leaves(Arc<AtomicBool>);

    impl Handler for Leaves {
        async fn handle(self: Rc<Self>, _request: Request<Incoming>, peer: Rc<Peer>) -> Response<Body> {
            let connection = Rc::downgrade(&peer);
            let ended = Arc::clone(&self.0);
            tokio::task::spawn_local(async move {
                while connection.strong_count() > 0 {
                    tokio::task::yield_now().await;
                }
                for _ in 0..10_000 {
                    tokio::task::yield_now().await;
                }
                ended.store(true, Ordering::SeqCst);
            });
            Response::new(Full::new(Bytes::new()))
        }
    }

    #[test]
    fn a_task_outlives_its_connection_and_ends_before_the_worker() {
        let ended = Arc::new(AtomicBool::new(false));
        let handler = Leaves(Arc::clone(&ended));
        let pool = Workers::start(vec![move || Ok(handler)], None, Limits::DEFAULT).unwrap();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let asked = tokio::task::spawn_blocking(move || {
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                stream.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").unwrap();
                let mut answer = [0; 15];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(&answer, b"HTTP/1.1 200 OK");
            });
            pool.accept(listener, async { asked.await.unwrap() }).await;
        });
        pool.drain();
        assert!(ended.load(Ordering::SeqCst));
    }
}
