//! The listener and its workers.

use core::future::Future;
use core::net::SocketAddr;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinSet, LocalSet};

use crate::connection::{self, Handler};
use crate::limits::Limits;
use crate::tls::TlsSource;

/// A connection on its way to a worker.
struct Accepted {
    stream: std::net::TcpStream,
    address: SocketAddr,
    /// Given back when the connection ends.
    place: OwnedSemaphorePermit,
}

/// The worker threads.
pub struct Workers {
    queues: Vec<mpsc::UnboundedSender<Accepted>>,
    threads: Vec<thread::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    limits: Limits,
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
        let mut workers = Self { queues: Vec::new(), threads: Vec::new(), stop, limits };
        for (number, make) in makers.into_iter().enumerate() {
            let (queue, accepted) = mpsc::unbounded_channel();
            let (tls, stopped) = (tls.clone(), stopped.clone());
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let (ready, made) = std::sync::mpsc::sync_channel(1);
            let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                let local = LocalSet::new();
                let handler = {
                    let _inside = (runtime.enter(), local.enter());
                    make()
                };
                let (handler, outcome) = match handler {
                    Ok(handler) => (Some(handler), Ok(())),
                    Err(error) => (None, Err(error)),
                };
                // Whoever started the worker waits for this.
                ready.send(outcome).unwrap_or_default();
                if let Some(handler) = handler {
                    local.block_on(&runtime, work(handler, accepted, tls, limits, stopped));
                }
            })?;
            workers.queues.push(queue);
            workers.threads.push(thread);
            made.recv().unwrap_or_else(|gone| Err(io::Error::other(gone)))?;
        }
        Ok(workers)
    }

    /// Accepts connections and hands them out in turn until `stop` is ready; then closes the listener.
    pub async fn accept(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let mut stop = core::pin::pin!(stop);
        let mut turn = self.queues.iter().cycle();
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = stop.as_mut() => return,
                next = next => next,
            };
            let (Ok(place), Some(queue)) = (place, turn.next()) else { return };
            match accepted.and_then(|(stream, address)| Ok((stream.into_std()?, address))) {
                // A worker that is gone has no connections to serve any more.
                Ok((stream, address)) => queue.send(Accepted { stream, address, place }).unwrap_or_default(),
                // No descriptor left, or a client that hung up: wait for a connection to end, not in a busy loop.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Lets every connection finish the request in hand, for as long as the limits allow, and ends the threads.
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

async fn work<H: Handler>(
    handler: H,
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    tls: Option<Arc<TlsSource>>,
    limits: Limits,
    stop: watch::Receiver<bool>,
) {
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
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, finished).await.is_err() {
        tracing::warn!("connections were cut off: they did not finish in time");
    }
}
