//! The measurement.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::clock;
use crate::connection::{Connection, Target};
use crate::error::LoadError;
use crate::options::LoadOptions;
use crate::process::cpu_time;
use crate::report::{Report, Tally};
use crate::target;
use crate::workload::Workload;

/// A signature is good for five minutes before and after.
const SIGN_AGAIN: Duration = Duration::from_secs(240);
/// After a failed connection, before the next attempt.
const RECONNECT: Duration = Duration::from_millis(20);

/// The signed requests, signed again from time to time: the number says how often.
struct Signed {
    times: AtomicU64,
    requests: Mutex<Arc<Vec<Bytes>>>,
    order: Vec<usize>,
    /// How many have been sent, and how many may be, where that is bounded.
    sent: AtomicU64,
    most: Option<u64>,
}

/// As many were sent as may be.
struct AllSent;

impl Signed {
    /// The place of the next request among all, where their number is bounded.
    fn ticket(&self) -> Result<Option<usize>, AllSent> {
        let Some(most) = self.most else { return Ok(None) };
        let ticket = self.sent.fetch_add(1, Ordering::Relaxed);
        if ticket < most { Ok(usize::try_from(ticket).ok()) } else { Err(AllSent) }
    }
}

/// When measuring begins and ends.
#[derive(Clone, Copy)]
struct Window {
    from: Instant,
    to: Instant,
}

/// How a connection sends.
struct Pace {
    /// How many requests before the connection is opened anew.
    requests: u64,
    /// When, if not as soon as the last is answered.
    times: Option<Times>,
}

/// The times at which a connection sends: evenly, and each connection a little after the one before it.
struct Times {
    next: Instant,
    step: Duration,
}

impl Times {
    fn of(number: usize, connections: usize, rate: f64, begin: Instant) -> Self {
        let each = |requests: usize| Duration::from_secs_f64(requests as f64 / rate.max(1e-3));
        Self { next: begin + each(number), step: each(connections) }
    }

    /// Waits for the next time, and says from when on the request is waited for: from that time where it has passed, since the
    /// request before it took too long; else from now, since a timer is late itself.
    async fn next(&mut self) -> Instant {
        let (due, now) = (self.next, clock::now());
        self.next += self.step;
        if due <= now {
            return due;
        }
        tokio::time::sleep_until(due.into()).await;
        clock::now()
    }
}

/// Send, measure, and answer what was measured.
pub(crate) async fn run(options: &LoadOptions) -> Result<Report, LoadError> {
    let workload = Workload::load(options)?;
    let (target, sender) = target::open(&options.target, options.every_profile)?;
    let requests = sender.sign(&workload.calls, clock::today());
    if requests.is_empty() {
        return Err(LoadError::NoRequests);
    }
    let order = if options.every_profile { (0..requests.len()).collect() } else { workload.order };
    let signed = Arc::new(Signed {
        times: AtomicU64::new(1),
        requests: Mutex::new(Arc::new(requests)),
        order,
        sent: AtomicU64::new(0),
        most: options.requests,
    });

    let warmup = if options.requests.is_some() { 0.0 } else { options.warmup };
    let begin = clock::now();
    let from = begin + Duration::from_secs_f64(warmup);
    let window = Window { from, to: from + Duration::from_secs_f64(options.duration) };
    let mut senders = JoinSet::new();
    for number in 0..options.connections {
        // Spread over the order, so that connections do not send the same thing at once.
        let first = number * signed.order.len() / options.connections.max(1);
        let pace = Pace {
            requests: options.requests_per_connection.unwrap_or(u64::MAX),
            times: options.rate.map(|rate| Times::of(number, options.connections, rate, begin)),
        };
        senders.spawn(connection(target.clone(), Arc::clone(&signed), first, window, pace, Tally::new()?));
    }
    let mut again = JoinSet::new();
    let resigned = Arc::clone(&signed);
    again.spawn(async move {
        loop {
            tokio::time::sleep(SIGN_AGAIN).await;
            let requests = sender.sign(&workload.calls, clock::today());
            *resigned.requests.lock() = Arc::new(requests);
            resigned.times.fetch_add(1, Ordering::Release);
        }
    });
    tokio::time::sleep_until(window.from.into()).await;
    let before = (cpu_time(None), options.server_pid.and_then(|process| cpu_time(Some(process))));
    let ended = async {
        let mut tally = Tally::new()?;
        while let Some(each) = senders.join_next().await {
            tally.add(&each.map_err(std::io::Error::other)?);
        }
        Ok::<_, LoadError>(tally)
    };
    let mut ended = std::pin::pin!(ended);
    let early = tokio::time::timeout_at(window.to.into(), ended.as_mut()).await;
    let seconds = clock::now().min(window.to).duration_since(window.from).as_secs_f64();
    let after = (cpu_time(None), options.server_pid.and_then(|process| cpu_time(Some(process))));
    let tally = match early {
        Ok(tally) => tally?,
        Err(_elapsed) => ended.await?,
    };
    if tally.latencies.is_empty() {
        let first = tally.errors.into_keys().next();
        return Err(LoadError::NoAnswer(first.unwrap_or_else(|| "the time was too short".to_owned())));
    }
    let spent = |from: Option<Duration>, to: Option<Duration>| to?.checked_sub(from?);
    Ok(Report {
        tally,
        seconds,
        connections: options.connections,
        client_cpu: spent(before.0, after.0),
        server_cpu: spent(before.1, after.1),
    })
}

/// Send on one connection until the window closes; open it again when it fails.
async fn connection(
    target: Target,
    signed: Arc<Signed>,
    first: usize,
    window: Window,
    mut pace: Pace,
    mut tally: Tally,
) -> Tally {
    let mut sent = 0;
    let mut open: Option<Connection> = None;
    let mut times = 0;
    let mut requests = Arc::new(Vec::new());
    let mut order = signed.order.iter().cycle().skip(first);
    let mut start = clock::now();
    while start < window.to {
        if let Some(times) = &mut pace.times {
            start = times.next().await;
        }
        if open.is_none() {
            match target.connect().await {
                Ok(connection) => (open, sent) = (Some(connection), 0),
                Err(error) => {
                    tally.error(format!("connect: {error}"));
                    tokio::time::sleep(RECONNECT).await;
                }
            }
            // Where connections are opened on purpose, that is a part of what is measured.
            if pace.requests == u64::MAX && pace.times.is_none() {
                start = clock::now();
            }
        }
        let Some(connection) = open.as_mut() else { continue };
        let now_signed = signed.times.load(Ordering::Acquire);
        if now_signed != times {
            times = now_signed;
            requests = Arc::clone(&signed.requests.lock());
        }
        // Of a number of requests, each is sent once, whoever comes to it; else each connection goes its own way.
        let call = match signed.ticket() {
            Ok(Some(ticket)) => signed.order.get(ticket % signed.order.len().max(1)),
            Ok(None) => order.next(),
            Err(AllSent) => break,
        };
        let Some(request) = call.and_then(|call| requests.get(*call)) else { break };
        let outcome = connection.exchange(request).await;
        // The end of this is the start of the next: one reading of the clock a request.
        let end = clock::now();
        let counts = start >= window.from && end <= window.to;
        match outcome {
            Ok(answer) => {
                if counts {
                    tally.latency(end - start);
                    match answer.status {
                        200 => tally.succeeded += 1,
                        status => tally.error(format!("{status} {}", answer.error.unwrap_or_default())),
                    }
                }
                sent += 1;
                if !answer.keep || sent >= pace.requests {
                    open = None;
                }
            }
            Err(error) => {
                tally.error(format!("exchange: {error}"));
                open = None;
            }
        }
        start = end;
    }
    tally
}
