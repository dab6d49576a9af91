//! `keyreeve serve`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keyreeve_crypto::random::SystemRandom;
use keyreeve_http::server::Workers;
use keyreeve_http::{
    Api, AuditTrail, ContinueTrace, Endpoint, Limits, Metrics, Monitoring, TestMode, TlsSource, TrailState,
};
use keyreeve_observe::metric::NoMetrics;
use keyreeve_trail_delivery::{Ends, Index, Undelivered};
use keyreeve_trail_file::{Disk, FileTrail, Options, StreamName, TrailDirectory};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::RwLock;
use tokio::task::LocalSet;

use crate::alarms::Alarms;
use crate::args::ServeArgs;
use crate::audit_space::AuditSpace;
use crate::backup::control::Control;
use crate::config::{Config, LimitsSection};
use crate::credentials_file::AccessKey;
use crate::data_dir::{DataDir, STORE_FILE, TRAIL_DIR};
use crate::delivery::Delivery;
use crate::dev::Dev;
use crate::exit::Failure;
use crate::identities::Identities;
use crate::identity_file::IdentityFileError;
use crate::measured_store::StoreCounts;
use crate::measures::Measured;
use crate::memory_trail::{self, MemoryTrail};
use crate::metering::Metering;
use crate::start::{self, Purpose};
use crate::streams::Streams;
use crate::webhooks::Webhooks;
use crate::{announcement, bucket, clock, delivery, harden, jobs, logging, measures, sandbox};

/// Starts the service and runs it until a signal ends it.
pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let mut config = Config::load(args)?;
    let logging = match args.check {
        true => logging::start(&config.log).map(|()| logging::Started::default())?,
        false => logging::start_all(&config)?,
    };
    harden::process()?;
    harden::need_descriptors(OTHER_DESCRIPTORS + LEAST_CONNECTIONS)?;
    bound_connections(&mut config.limits);
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    match args.check {
        true => LocalSet::new().block_on(&runtime, check(&config)),
        false => LocalSet::new().block_on(&runtime, serve(&config, logging.trace())),
    }
    .inspect(|()| logging.stop())
}

/// Looks at everything that a start needs, and makes nothing.
async fn check(config: &Config) -> Result<(), Failure> {
    drop(tls(config)?);
    drop(Webhooks::new(&config.metrics)?);
    drop(bucket::destination(config)?);
    if config.dev.is_on {
        Dev::examine(config)?;
    }
    if config.dev.in_memory {
        drop(config.server.listen.listen()?);
        println!("the configuration is in order; nothing is kept");
        return Ok(());
    }
    let dir = DataDir::look(&config.server.data_dir)?;
    drop(config.server.listen.listen()?);
    AccessKey::from_environment()?;
    let Some(dir) = dir else {
        println!(
            "the configuration is in order; there is nothing in the data directory yet: the first start makes it"
        );
        return Ok(());
    };
    let service = start::service(config, Some(&dir), Purpose::Check).await?;
    let path = dir.join(TRAIL_DIR);
    if dir.holds(TRAIL_DIR)? {
        // Nothing else writes it: the store is locked.
        TrailDirectory::open_medium(Arc::new(Disk::at(&path)))
            .map_err(|error| Failure::Trail { path, error })?;
    }
    AccessKey::read(&dir)?;
    if let Some(identities) = Identities::new(config, Some(&dir), &service)? {
        identities.examine().await?;
    }
    drop(service);
    println!("the configuration, the seal, the store and the audit trail are in order");
    Ok(())
}

async fn serve(config: &Config, trace: Option<ContinueTrace>) -> Result<(), Failure> {
    let tls = tls(config)?;
    let dir = match config.dev.in_memory {
        true => None,
        false => Some(DataDir::open(&config.server.data_dir)?),
    };
    let dir = dir.as_ref();
    // The port first: a second start by mistake then changes nothing.
    let listener = config.server.listen.listen()?;
    let store_counts = Arc::<StoreCounts>::default();
    // ORDER: before the first thread.
    sandbox::files(config, dir);
    let service = start::serving(config, dir, &store_counts).await?;
    let memory = MemoryTrail::default();
    let space = dir.map(|dir| {
        let audit = &config.audit;
        let mib = |mib: u64| mib.saturating_mul(1 << 20);
        Arc::new(AuditSpace::new(&dir.join(TRAIL_DIR), mib(audit.reserve_mib), mib(audit.warn_mib)))
    });
    let trails = open_trails(dir, &memory, space.as_ref())?;
    let path = trail_path(dir);
    // ORDER: before anything is written to the trail.
    let began = match dir {
        Some(_) => Some(keyreeve_trail_delivery::ends(&path)?),
        None => None,
    };
    if began.as_ref().is_some_and(|began| began.is_empty())
        && service.account(config.account()?).await?.is_some()
    {
        tracing::warn!(
            directory = %path.display(),
            "the store was used before, and there is no audit trail beside it: the trail begins anew; unless this is a restored \
             backup, somebody has removed it"
        );
    }
    let trail = trails
        .trail(&stream("control")?, trail_options(config))
        .map_err(|error| Failure::Trail { path, error })?;
    if let Some(dir) = dir {
        start::root_access_key(config, dir, &service, &trail).await?;
    }
    let identities = Identities::new(config, dir, &service)?.map(Arc::new);
    if let Some(identities) = &identities {
        let changes = identities.follow(&trail).await?;
        tracing::info!(changes, "the identities are as the identity file says");
    }
    let metering = Metering::start(&config.metrics, dir, &service)?;
    let alarms =
        Alarms::new(&service, metering.as_ref().map_or_else(|| Arc::new(NoMetrics) as _, Metering::source));
    let running = Arc::new(RwLock::new(()));
    let dev = match config.dev.is_on {
        true => {
            let series = metering.as_ref().map(Metering::series);
            let dev = Dev::new(config, dir, &service, (identities.as_ref(), series), &running, &alarms)?;
            dev.populate(&trail).await?;
            Some(Arc::new(dev))
        }
        false => None,
    };
    match keyreeve_crypto::protection() {
        Ok(protection) => tracing::info!(?protection, "key material is kept in locked memory"),
        Err(error) => return Err(Failure::Config(error.to_string())),
    }

    let metrics = Arc::new(Metrics::default());
    let measured = Measured {
        service: Arc::clone(&service),
        trail: trails.counts(),
        space: space.clone(),
        store: store_counts,
        store_file: dir.map(|dir| dir.join(STORE_FILE)),
        series: metering.as_ref().map(Metering::series),
        alarms: alarms.counts(),
    };
    measures::add(&metrics, config, measured);
    let streams = match (dir, &began) {
        (Some(dir), Some(began)) => Some(Streams::start(config, dir, &metrics, began)?),
        _ => None,
    };
    let delivery = match (dir, began) {
        (Some(dir), Some(began)) if config.audit.deliver => {
            Some(Delivery::start(config, dir, (&service, &trail), &metrics, began).await?)
        }
        _ => None,
    };
    let remembered = match config.dev.in_memory {
        true => Some(Arc::new(Index::of(Arc::new(memory), Ends::new()).by_clock(clock::now))),
        false => None,
    };
    if let Some(dev) = &dev {
        dev.tell(delivery.as_ref().map(Delivery::passage), remembered.clone());
    }
    let audit = match (&delivery, remembered) {
        (Some(delivery), _) => Some(delivery.trail()),
        (None, Some(index)) => Some(AuditTrail {
            names: delivery::names(config)?,
            archive: Arc::new(Undelivered::new(index, clock::now(), NOTHING_DELIVERED)),
        }),
        (None, None) => None,
    };
    let endpoint = Arc::new(Endpoint {
        service: Arc::clone(&service),
        account: config.account()?,
        home: start::home_region(config)?,
        regions: config.regions()?,
        metrics: Arc::clone(&metrics),
        limits: config.limits(),
        random: Arc::new(SystemRandom),
        clock: clock::now,
        audit,
        trail_state: {
            let (counts, space) = (trails.counts(), space.clone());
            Box::new(move || match counts.is_refusing() {
                false => TrailState::Taking,
                true if space.as_ref().is_some_and(|space| space.is_full()) => TrailState::Full,
                true => TrailState::Refusing,
            })
        },
        monitoring: Monitoring { metrics: alarms.metrics(), alarm_set: alarms.set() },
        signature_clock: clock::system,
        trace,
        test_mode: dev.map(|dev| -> Arc<dyn TestMode> { dev }),
    });
    let options = trail_options(config);
    let workers = match config.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let makers = (0..workers).map(|number| {
        let (endpoint, trails) = (Arc::clone(&endpoint), Arc::clone(&trails));
        move || {
            Ok(Api::new(
                endpoint,
                trails.trail(&stream(&format!("w{number}"))?, options).map_err(io::Error::other)?,
            ))
        }
    });
    let limits = Limits { refusals: refusals(config.limits.connections), ..config.limits() };
    let pool = Workers::start(makers.collect(), tls.clone(), limits)?;
    measures::add_connections(&metrics, (pool.connections(), pool.refused()), config.limits.connections);

    tokio::task::spawn_local(jobs::follow(Arc::clone(&service)));
    let interval = Duration::from_secs(config.jobs.interval_seconds);
    let job = jobs::run(Arc::clone(&service), trail.clone(), interval, Arc::clone(&running));
    let job = tokio::task::spawn_local(job);
    tokio::task::spawn_local(alarms.run(Webhooks::new(&config.metrics)?, Arc::clone(&running)));
    if let Some(space) = space {
        space.watch()?;
    }
    if let Some(metering) = &metering {
        tokio::task::spawn_local(metering.expirations(Arc::clone(&service)));
    }
    if let Some(delivery) = &delivery {
        let days = config.audit.digest_key_days;
        tokio::task::spawn_local(delivery.rotation(Arc::clone(&service), days));
    }
    if let Some(dir) = dir {
        match Control::listen(dir) {
            Ok(control) => {
                let (service, trail) = (Arc::clone(&service), trail.clone());
                drop(tokio::task::spawn_local(control.run(service, trail, config.clone(), dir.clone())));
            }
            Err(error) => tracing::warn!(%error, "no backup can be made while the service runs"),
        }
    }
    // Before the address is told: whoever knows it may send the signal, which would end the process.
    let hangup = signal(SignalKind::hangup())?;
    tokio::task::spawn_local(reload(hangup, tls.clone(), identities, trail, running));

    let stop = stop_signal()?;
    // ORDER: after everything that a start alone does.
    sandbox::system_calls(config);
    let scheme = if tls.is_some() { "https" } else { "http" };
    announcement::announce(config, dir, &format!("{scheme}://{}", listener.local_addr()?))?;
    pool.accept(listener, stop).await;
    tracing::info!("stopping: the requests in hand are answered first");
    tokio::task::spawn_blocking(move || pool.drain()).await.map_err(io::Error::other)?;
    job.abort();
    jobs::flush_usage(&service).await;
    if let Some(metering) = metering {
        tokio::task::spawn_blocking(move || metering.stop()).await.map_err(io::Error::other)??;
    }
    if let Some(delivery) = delivery {
        tokio::task::spawn_blocking(move || delivery.stop()).await.map_err(io::Error::other)??;
    }
    if let Some(streams) = streams {
        tokio::task::spawn_blocking(move || streams.stop()).await.map_err(io::Error::other)??;
    }
    tracing::info!("stopped");
    Ok(())
}

/// The certificate, where there is one.
fn tls(config: &Config) -> Result<Option<Arc<TlsSource>>, Failure> {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => {
            Ok(Some(Arc::new(TlsSource::open(certificate.clone(), key.clone())?)))
        }
        _ => Ok(None),
    }
}

/// Connections that there are no descriptors for would not be accepted but refused by the system, again and again.
fn bound_connections(limits: &mut LimitsSection) {
    let Some(descriptors) = harden::descriptors() else { return };
    let most = descriptors.saturating_sub(OTHER_DESCRIPTORS).max(LEAST_CONNECTIONS);
    if limits.connections > most {
        tracing::warn!(
            descriptors,
            connections = most,
            "the limit of open files is too low for [limits] connections; it is lowered"
        );
        limits.connections = most;
    }
}

/// Connections that may be refused at once, with the descriptors that are left for them.
fn refusals(connections: usize) -> usize {
    let most = Limits::DEFAULT.refusals;
    let taken = OTHER_DESCRIPTORS.saturating_add(connections);
    harden::descriptors().map_or(most, |all| all.saturating_sub(taken).clamp(LEAST_REFUSALS, most))
}

/// Descriptors for all else: the store, the trail, the runtimes.
const OTHER_DESCRIPTORS: usize = 64;
/// With fewer connections than these, a client that keeps one open keeps all others out.
const LEAST_CONNECTIONS: usize = 8;
/// Refusals at once where no descriptor is left: out of those for all else.
const LEAST_REFUSALS: usize = 8;

/// How trails are written.
pub(crate) fn trail_options(config: &Config) -> Options {
    let segment_len = match config.dev.in_memory {
        true => memory_trail::SEGMENT_LEN,
        false => config.audit.segment_mib.saturating_mul(1 << 20),
    };
    Options { level: config.audit_level(), segment_len }
}

pub(crate) fn stream(name: &str) -> io::Result<StreamName> {
    name.parse().map_err(io::Error::other)
}

/// Why there are no log files where everything is kept in memory.
const NOTHING_DELIVERED: &str = "Nothing is delivered with --in-memory.";

fn open_trails(
    dir: Option<&DataDir>,
    memory: &MemoryTrail,
    space: Option<&Arc<AuditSpace>>,
) -> Result<Arc<TrailDirectory>, Failure> {
    let path = trail_path(dir);
    let opened = match dir {
        Some(_) => TrailDirectory::open(&path),
        None => TrailDirectory::open_medium(Arc::new(memory.clone())),
    };
    let opened = opened.map_err(|error| Failure::Trail { path, error })?;
    Ok(Arc::new(match space.map(Arc::clone) {
        Some(space) => opened.with_room(Arc::new(move || space.give_up())),
        None => opened,
    }))
}

/// Where the trail is; nowhere without a directory.
fn trail_path(dir: Option<&DataDir>) -> PathBuf {
    dir.map(|dir| dir.join(TRAIL_DIR)).unwrap_or_default()
}

/// Ready on SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Reads the certificate and the identity file again on SIGHUP.
async fn reload(
    mut hangup: Signal,
    tls: Option<Arc<TlsSource>>,
    identities: Option<Arc<Identities>>,
    trail: FileTrail,
    running: Arc<RwLock<()>>,
) {
    while hangup.recv().await.is_some() {
        let _running = running.read().await;
        if tls.is_none() && identities.is_none() {
            tracing::info!("nothing to reload");
        }
        match tls.as_ref().map(|tls| tls.reload()) {
            None => {}
            Some(Ok(())) => tracing::info!("the certificate was read again"),
            Some(Err(error)) => {
                tracing::error!(%error, "the certificate was not read again; the old one stays in use")
            }
        }
        let Some(identities) = &identities else { continue };
        match identities.follow(&trail).await {
            Ok(changes) => tracing::info!(changes, "the identities are as the identity file says"),
            Err(error @ IdentityFileError::Faults(_)) => {
                tracing::error!(%error, "the identity file is not in order; all identities stay as they were")
            }
            Err(error @ IdentityFileError::Vault(_)) => {
                tracing::error!(%error, "the identity file was not followed to its end; send SIGHUP again")
            }
        }
    }
}
