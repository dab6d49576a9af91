//! What the trail costs: the API over a store in memory, with the trail of the service at one of its levels, or with none.
//!
//! The service itself has no way to be without a trail; this program exists for `cargo xtask bench --curves` alone. It keeps nothing
//! but the trail, and takes its root access key from the environment.
//!
//! `trail_levels off|write|sync DIRECTORY WORKERS`, with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`

use std::future::ready;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use keyreeve_attestation::Roots;
use keyreeve_core::bracket::{Trail, TrailFuture};
use keyreeve_core::identity::issuer::NoIssuers;
use keyreeve_core::keyring::Keyring;
use keyreeve_core::offload::AtOnce;
use keyreeve_core::quota::Quotas;
use keyreeve_core::request_rate::RequestRates;
use keyreeve_core::vault::Vault;
use keyreeve_core::{Service, ServiceOptions};
use keyreeve_crypto::asymmetric::make_material;
use keyreeve_crypto::random::{self, Random, SystemRandom};
use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_http::server::Workers;
use keyreeve_http::{Api, Endpoint, Handler, Limits, Metrics, Monitoring, TrailState};
use keyreeve_observe::metric::NoMetrics;
use keyreeve_store::memory::MemoryStore;
use keyreeve_trail_file::{FileTrail, Level, Options, TrailDirectory};
use zeroize::Zeroizing;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// No trail at all.
struct NoTrail;

impl Trail for NoTrail {
    fn append(&self, _event: Vec<u8>) -> TrailFuture<'_> {
        Box::pin(ready(Ok(())))
    }
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [level, directory, workers] = arguments.as_slice() else {
        return Err("trail_levels off|write|sync DIRECTORY WORKERS".into());
    };
    let workers = workers.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let endpoint = Arc::new(endpoint().await?);
        match level.as_str() {
            "off" => {
                serve(workers, |_| {
                    let endpoint = Arc::clone(&endpoint);
                    move || Ok(Api::new(endpoint, NoTrail))
                })
                .await
            }
            "write" => trailed(workers, &endpoint, directory.as_ref(), Level::Write).await,
            "sync" => trailed(workers, &endpoint, directory.as_ref(), Level::Sync).await,
            other => Err(format!("`{other}` is no level").into()),
        }
    })
}

async fn trailed(
    workers: usize,
    endpoint: &Arc<Endpoint>,
    directory: &Path,
    level: Level,
) -> Result<(), Failed> {
    std::fs::create_dir_all(directory)?;
    let trails = Arc::new(TrailDirectory::open(directory)?);
    serve(workers, |number| {
        let (endpoint, trails) = (Arc::clone(endpoint), Arc::clone(&trails));
        move || {
            let stream = format!("w{number}").parse().map_err(std::io::Error::other)?;
            let trail: FileTrail = trails
                .trail(&stream, Options { level, segment_len: 64 << 20 })
                .map_err(std::io::Error::other)?;
            Ok(Api::new(endpoint, trail))
        }
    })
    .await
}

async fn serve<H: Handler, M>(workers: usize, maker: impl Fn(usize) -> M) -> Result<(), Failed>
where
    M: FnOnce() -> std::io::Result<H> + Send + 'static,
{
    let workers = Workers::start((0..workers).map(maker).collect(), None, Limits::DEFAULT)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    workers.accept(listener, std::future::pending()).await;
    Ok(())
}

async fn endpoint() -> Result<Endpoint, Failed> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let keyring = Keyring::make(random::array(&*random)?, &*random)?;
    let vault = Vault::new(Arc::new(MemoryStore::default()), keyring, Arc::clone(&random));
    let service = Service::new(
        vault,
        ServiceOptions {
            quotas: Quotas::DEFAULT,
            request_rates: RequestRates::default(),
            cached_keys: 1000,
            counted_keys: 1000,
            offload: Arc::new(AtOnce),
            ready_rsa_keys: 0,
            maker: Arc::new(|spec| make_material(spec, &SystemRandom)),
            sm2: false,
            roots: Roots::aws_nitro(),
            regions: Vec::new(),
            issuers: Arc::new(NoIssuers),
        },
    );
    let account: AccountId = "000000000000".parse()?;
    let (id, secret) = (std::env::var("AWS_ACCESS_KEY_ID")?, std::env::var("AWS_SECRET_ACCESS_KEY")?);
    service.set_root_credential(account, &id, Zeroizing::new(secret), now()).await?;
    Ok(Endpoint {
        service: Arc::new(service),
        account,
        home: "us-east-1".parse()?,
        regions: Vec::new(),
        metrics: Arc::new(Metrics::default()),
        limits: Limits::DEFAULT,
        random,
        clock: now,
        signature_clock: now,
        audit: None,
        trail_state: Box::new(|| TrailState::Taking),
        monitoring: Monitoring {
            metrics: Arc::new(NoMetrics),
            alarm_set: Arc::new(tokio::sync::Notify::new()),
        },
        trace: None,
        test_mode: None,
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
