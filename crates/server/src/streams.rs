//! Streams: every event of the trail, told to somebody else as it happens.
//!
//! A thread of its own for each stream reads the segments as the delivery does and keeps its place in `audit-streams/NAME.json`. No request
//! and no other stream waits for it; it holds a few events in memory, however far it is behind. Each event is told at least once.

mod collector;
mod counts;
mod file;
mod target;
mod way;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keyreeve_domain::Timestamp;
use keyreeve_http::Metrics;
use keyreeve_observe::syslog;
use keyreeve_trail_delivery::{Ends, Events, Place, Tail, forget_others};
use tokio::time::Instant;

use crate::config::{AuditSection, Config};
use crate::data_dir::{DataDir, TRAIL_DIR};
use crate::exit::Failure;
pub(crate) use counts::Counts;
pub(crate) use target::Target;
use way::{Way, Ways};

/// Where the places of streams are kept, in the data directory.
pub(crate) const STREAMS_DIR: &str = "audit-streams";

/// The streams, while the service runs.
pub(crate) struct Streams {
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Streams {
    /// The streams of the configuration, by name.
    pub(crate) fn read(config: &AuditSection) -> Result<Vec<(String, Target)>, Failure> {
        let fault = |name: &str, why: &str| Failure::Config(format!("[audit] streams, `{name}`: {why}."));
        if config.stream_file_mib > 0 && config.stream_files == 0 {
            return Err(Failure::Config("[audit] stream_files must be at least 1.".to_owned()));
        }
        if config.stream_certificate.is_some() != config.stream_key.is_some() {
            let text = "[audit] stream_certificate and stream_key belong together.";
            return Err(Failure::Config(text.to_owned()));
        }
        let each = config.streams.iter().map(|(name, url)| {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if !(1..=NAME_MOST).contains(&name.len()) || !name.bytes().all(is_plain) {
                return Err(fault(name, "a name is 1 to 32 lower-case letters, digits and hyphens"));
            }
            let target = Target::read(url).ok_or_else(|| fault(name, target::FORMS))?;
            Ok((name.clone(), target))
        });
        let found: Vec<_> = each.collect::<Result<_, _>>()?;
        for name in config.stream_headers.keys() {
            let is_collector =
                |(known, target): &(String, Target)| known == name && matches!(target, Target::Otlp(_));
            if !found.iter().any(is_collector) {
                let text = format!(
                    "[audit] stream_headers, `{name}`: there is no stream of this name to a collector."
                );
                return Err(Failure::Config(text));
            }
        }
        match found.len() {
            0..=STREAMS_MOST => Ok(found),
            _ => Err(Failure::Config(format!("[audit] streams: there may be {STREAMS_MOST} at most."))),
        }
    }

    /// Goes on with all of them. `began` is where the trail ended before this process wrote to it.
    pub(crate) fn start(
        config: &Config,
        dir: &DataDir,
        metrics: &Metrics,
        began: &Ends,
    ) -> Result<Self, Failure> {
        let places = dir.join(STREAMS_DIR);
        let targets = Self::read(&config.audit)?;
        let names: Vec<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
        forget_others(&places, &names)?;
        let sender = sender(&config.audit);
        let (mut stop, mut threads, mut counted) = (Vec::new(), Vec::new(), Vec::new());
        for (name, target) in targets {
            let place = places.join(format!("{name}.json"));
            let tail = Tail::open(&dir.join(TRAIL_DIR), &place, began.clone())
                .map_err(|error| Failure::Delivery { path: place, error })?;
            let counts = Arc::<Counts>::default();
            let ways = Ways::new(&config.audit, (&name, &target), dir, (sender.clone(), &counts))?;
            counted.push((name.clone(), Arc::clone(&counts)));
            let (sender, stopped) = mpsc::channel();
            let runner = Runner {
                name: name.clone(),
                tail,
                ways,
                way: None,
                waiting: Vec::new(),
                more: false,
                sent: VecDeque::new(),
                unkept: None,
                failures: 0,
                is_faulty: false,
                counts,
            };
            threads.push(thread::Builder::new().name(format!("stream-{name}")).spawn(move || {
                runner.run(&stopped);
            })?);
            stop.push(sender);
        }
        counts::add(metrics, counted);
        Ok(Self { stop, threads })
    }

    /// Ends the threads, after a few seconds at most. What they have not told is told after the next start.
    pub(crate) fn stop(self) -> io::Result<()> {
        drop(self.stop);
        let panicked = self.threads.into_iter().filter_map(|thread| thread.join().err()).count();
        match panicked {
            0 => Ok(()),
            _ => Err(io::Error::other("a stream of the audit trail ended early")),
        }
    }
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn sender(config: &AuditSection) -> syslog::Sender {
    let hostname = hostname();
    let enterprise = Some(config.stream_enterprise).filter(|number| *number > 0);
    syslog::Sender::new(&hostname, std::process::id(), env!("CARGO_PKG_VERSION"), enterprise)
}

/// One stream.
struct Runner {
    name: String,
    tail: Tail,
    ways: Ways,
    /// The way that is open.
    way: Option<Box<dyn Way>>,
    /// Events that were read and not sent yet, the next one last.
    waiting: Vec<(Timestamp, Vec<u8>)>,
    /// Whether there is more to read at once.
    more: bool,
    /// Places up to which events were sent, and since when; they were taken once the way is still open a while later.
    sent: VecDeque<(Instant, Place)>,
    /// Whether the place that is kept is an older one, and since when.
    unkept: Option<Instant>,
    failures: u32,
    /// Whether a stream of the trail cannot be read.
    is_faulty: bool,
    counts: Arc<Counts>,
}

impl Runner {
    fn run(mut self, stopped: &Receiver<()>) {
        // On Linux the priority is the thread's, not the process's.
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::warn!(%error, "the priority of a stream could not be lowered");
        }
        let is_stopped = || stopped.try_recv() == Err(TryRecvError::Disconnected);
        while matches!(stopped.recv_timeout(self.pause()), Err(RecvTimeoutError::Timeout)) {
            self.step(&is_stopped);
        }
        self.end();
    }

    /// How long to wait before the next step: not at all where there is more, and longer each time that it fails.
    fn pause(&self) -> Duration {
        match (self.failures, self.more) {
            (0, true) => Duration::ZERO,
            (failures, _) => PAUSE.saturating_mul(1 << failures.min(FAILURES_MOST)),
        }
    }

    /// Sends what is there.
    fn step(&mut self, is_stopped: &dyn Fn() -> bool) {
        let outcome = self.look().and_then(|()| self.send(is_stopped));
        match outcome {
            Ok(()) if self.failures > 0 => {
                self.failures = 0;
                tracing::info!(stream = self.name, "a stream of the audit trail goes on");
            }
            Ok(()) => {}
            Err(error) => self.failed(&error),
        }
        self.confirm();
        if let Err(error) = self.keep(false) {
            self.failed(&error);
        }
        // What is to be read again is waiting, too.
        if self.failures == 0 || !self.waiting.is_empty() {
            self.counts.set_waiting(self.waiting.last().map(|(time, _)| *time));
        }
        self.counts.set_gaps(self.tail.gaps());
    }

    fn failed(&mut self, error: &io::Error) {
        self.counts.failed();
        self.failures = self.failures.saturating_add(1);
        if self.failures == 1 {
            tracing::error!(stream = self.name, %error, "a stream of the audit trail cannot go on; trying again");
        }
        // What was on its way may not have come: it is told again.
        if self.way.take().is_some() {
            self.again();
        }
    }

    fn again(&mut self) {
        self.sent.clear();
        self.waiting.clear();
        self.tail.again();
    }

    /// Reads on where nothing waits, and sees whether the way is still open.
    fn look(&mut self) -> io::Result<()> {
        if let Some(way) = &mut self.way {
            way.check()?;
        }
        if !self.waiting.is_empty() {
            return Ok(());
        }
        let Events { mut events, more, fault } = self.tail.read().map_err(io::Error::other)?;
        events.reverse();
        (self.waiting, self.more) = (events, more);
        match fault {
            None => self.is_faulty = false,
            // As with the delivery, the other streams go on.
            Some(error) => {
                if !self.is_faulty {
                    tracing::error!(stream = self.name, %error, "a part of the audit trail cannot be told");
                }
                self.is_faulty = true;
                self.counts.failed();
            }
        }
        Ok(())
    }

    fn send(&mut self, is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let way = match &mut self.way {
            Some(way) => way,
            None => self.way.insert(self.ways.open()?),
        };
        while let Some((time, json)) = self.waiting.last() {
            self.counts.set_waiting(Some(*time));
            way.send(json, is_stopped)?;
            self.counts.told();
            self.waiting.pop();
        }
        way.flush(is_stopped)?;
        let now = Instant::now();
        let is_recent =
            self.sent.len() > 1 && self.sent.back().is_some_and(|(at, _)| now.duration_since(*at) < MARK);
        if is_recent {
            // Places that are near each other are one: the later.
            self.sent.pop_back();
        }
        self.sent.push_back((now, self.tail.place()));
        Ok(())
    }

    /// Takes what was sent long enough ago for the way to have told that it did not come.
    fn confirm(&mut self) {
        let Some(way) = &self.way else { return };
        let (now, doubt) = (Instant::now(), way.doubt());
        while self.sent.front().is_some_and(|(at, _)| now.duration_since(*at) >= doubt) {
            let Some((_, place)) = self.sent.pop_front() else { return };
            self.tail.take(place);
            self.unkept.get_or_insert(now);
        }
    }

    /// Keeps the place, not more often than once in a while.
    fn keep(&mut self, at_once: bool) -> io::Result<()> {
        let Some(since) = self.unkept else { return Ok(()) };
        if at_once || Instant::now().duration_since(since) >= KEEP {
            self.tail.keep()?;
            self.unkept = None;
        }
        Ok(())
    }

    /// Sends what is left, if that is soon done, and closes the way.
    fn end(&mut self) {
        let begun = Instant::now();
        let is_late = || Instant::now().duration_since(begun) >= PATIENCE;
        while self.failures == 0 && !is_late() {
            self.step(&is_late);
            if self.waiting.is_empty() && !self.more {
                break;
            }
        }
        if self.way.as_mut().is_some_and(|way| way.close())
            && let Some((_, place)) = self.sent.pop_back()
        {
            self.tail.take(place);
            self.unkept.get_or_insert(begun);
        }
        if let Err(error) = self.keep(true) {
            tracing::warn!(stream = self.name, %error, "the place of a stream was not kept; the last events are told again");
        }
    }
}

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(250);
/// Doublings of the pause: up to 32 seconds.
const FAILURES_MOST: u32 = 7;
/// The priority of the threads: whoever waits for an answer goes before.
const NICE: i32 = 10;
/// From one place that is noted to the next.
const MARK: Duration = Duration::from_secs(1);
/// From one place that is kept to the next.
const KEEP: Duration = Duration::from_secs(1);
/// How long the end of the service waits for what is left.
const PATIENCE: Duration = Duration::from_secs(3);
const NAME_MOST: usize = 32;
const STREAMS_MOST: usize = 8;
