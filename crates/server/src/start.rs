//! From a data directory to a service.

use std::sync::Arc;

use keyreeve_core::bracket::{Source, Trail, TrailError};
use keyreeve_core::keyring::{DeploymentId, Keyring, KeyringError};
use keyreeve_core::offload::{AtOnce, Offload};
use keyreeve_core::service_event::ServiceEvent;
use keyreeve_core::vault::{Vault, VaultError};
use keyreeve_core::{Service, ServiceOptions, space};
use keyreeve_crypto::asymmetric::make_material;
use keyreeve_crypto::key::MakeKeyError;
use keyreeve_crypto::parsed_keys;
use keyreeve_crypto::random::{self, Random, SystemRandom};
use keyreeve_domain::Region;
use keyreeve_store::memory::MemoryStore;
use keyreeve_store::{Batch, CommitError, Store};
use keyreeve_store_redb::{Options, RedbStore};
use zeroize::Zeroizing;

use crate::clock;
use crate::config::Config;
use crate::credentials_file::AccessKey;
use crate::data_dir::{CREDENTIALS_FILE, DataDir, RESTORING_FILE, SEAL_FILE, STORE_FILE};
use crate::dev;
use crate::exit::Failure;
use crate::issuers::Issuers;
use crate::measured_store::{Measured, StoreCounts};
use crate::offload::Threads;
use crate::seal::{self, SealError, Unsealed};

/// Whether a start may make what is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// Nothing is made.
    Check,
    Serve,
}

/// Opens store and seal in `dir`, makes what a first start makes, and gives the service.
pub(crate) async fn service(
    config: &Config,
    dir: Option<&DataDir>,
    purpose: Purpose,
) -> Result<Arc<Service>, Failure> {
    refuse_half_restored(dir)?;
    service_of(config, dir, purpose).await
}

/// As [`service`], to serve: with what is committed counted.
pub(crate) async fn serving(
    config: &Config,
    dir: Option<&DataDir>,
    counts: &Arc<StoreCounts>,
) -> Result<Arc<Service>, Failure> {
    refuse_half_restored(dir)?;
    counted(config, dir, Purpose::Serve, counts).await
}

/// As [`service`], in a directory that is being restored.
pub(crate) async fn service_of(
    config: &Config,
    dir: Option<&DataDir>,
    purpose: Purpose,
) -> Result<Arc<Service>, Failure> {
    counted(config, dir, purpose, &Arc::default()).await
}

fn refuse_half_restored(dir: Option<&DataDir>) -> Result<(), Failure> {
    match dir {
        Some(dir) if dir.holds(RESTORING_FILE)? => Err(Failure::HalfRestored { path: dir.path().to_owned() }),
        Some(_) | None => Ok(()),
    }
}

async fn counted(
    config: &Config,
    dir: Option<&DataDir>,
    purpose: Purpose,
    counts: &Arc<StoreCounts>,
) -> Result<Arc<Service>, Failure> {
    let vault = match dir {
        Some(dir) => stored(config, dir, purpose, counts).await?,
        None => in_memory(config, counts)?,
    };
    if !parsed_keys::keep_locked(config.crypto.locked_kib.saturating_mul(1024)) {
        tracing::warn!("parsed private keys cannot be kept in locked memory");
    }
    let offload: Arc<dyn Offload> = match purpose {
        Purpose::Check => Arc::new(AtOnce),
        Purpose::Serve => Arc::new(Threads::start(&config.crypto)?),
    };
    let options = ServiceOptions {
        quotas: config.quotas(),
        request_rates: config.request_rates()?,
        cached_keys: config.store.cached_keys,
        counted_keys: config.counted_keys(),
        offload,
        ready_rsa_keys: config.crypto.ready_rsa_keys,
        maker: Arc::new(|spec| make_material(spec, &SystemRandom)),
        sm2: config.crypto.sm2,
        roots: config.roots()?,
        regions: config.regions()?,
        issuers: Arc::new(Issuers::new(&config.identity)?),
    };
    Ok(Arc::new(Service::new(vault, options)))
}

/// A vault that is gone with the process, under a keyring that nobody keeps.
fn in_memory(config: &Config, counts: &Arc<StoreCounts>) -> Result<Vault, Failure> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let deployment = random::array(&*random).map_err(MakeKeyError::from).map_err(VaultError::from)?;
    let keyring = make_keyring(config, deployment, &*random).map_err(Failure::Keyring)?;
    let store = Measured { store: MemoryStore::default(), counts: Arc::clone(counts) };
    Ok(Vault::new(Arc::new(store), keyring, random))
}

/// The vault in a directory.
async fn stored(
    config: &Config,
    dir: &DataDir,
    purpose: Purpose,
    counts: &Arc<StoreCounts>,
) -> Result<Vault, Failure> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let path = dir.join(STORE_FILE);
    if !dir.holds(STORE_FILE)? {
        // A store that was lost must not come back empty.
        if let Some(trace) = dir.trace_of_a_store()? {
            return Err(Failure::StoreMissing { path, trace });
        }
        match purpose {
            Purpose::Check if dir.holds(SEAL_FILE)? => {
                return Err(Failure::StoreMissing { path, trace: SEAL_FILE });
            }
            Purpose::Check => return Err(Failure::Unfinished { path: dir.path().to_owned() }),
            Purpose::Serve => {}
        }
    }
    let store: Arc<dyn Store> = match RedbStore::open(&path, &store_options(config)) {
        Ok(store) => Arc::new(Measured { store, counts: Arc::clone(counts) }),
        Err(error) => return Err(Failure::of_store(path, error)),
    };
    let keyring = keyring(config, dir, &*store, &*random, purpose).await?;
    Ok(Vault::new(store, keyring, random))
}

/// How the store uses memory and disk.
pub(crate) fn store_options(config: &Config) -> Options {
    Options {
        cache_bytes: config.store.cache_mib.saturating_mul(1 << 20),
        reserve_bytes: config.store.reserve_mib.saturating_mul(1 << 20),
        check_on_open: config.store.check_on_open,
        ..Options::default()
    }
}

/// The keyring in the store; at the first start, a new one under a new root key.
async fn keyring(
    config: &Config,
    dir: &DataDir,
    store: &dyn Store,
    random: &dyn Random,
    purpose: Purpose,
) -> Result<Keyring, Failure> {
    let path = space::keyring().map_err(VaultError::from)?;
    let snapshot = store.snapshot().await.map_err(VaultError::from)?;
    if let Some(held) = snapshot.get(&path).await.map_err(VaultError::from)? {
        let Unsealed { root, deployment, account, dev } = seal::open(dir, &config.seal)?;
        same_mode(config, dir, dev)?;
        same_account(config, dir, account)?;
        return match Keyring::open(deployment, &root, &held.value) {
            Err(KeyringError::Sealed) => Err(SealError::RootKey.into()),
            opened => opened.map_err(Failure::Keyring),
        };
    }
    if let Some(trace) = dir.trace_of_a_store()? {
        return Err(Failure::StoreMissing { path: dir.join(STORE_FILE), trace });
    }
    if purpose == Purpose::Check {
        return Err(Failure::Unfinished { path: dir.path().to_owned() });
    }
    // A start that was cut off after the seal was made and before the keyring was: go on with that seal.
    let Unsealed { root, deployment, account, dev } = match dir.holds(SEAL_FILE)? {
        true => seal::open(dir, &config.seal)?,
        false => seal::make(dir, &config.seal, (config.account()?, config.dev.is_on), random)?,
    };
    same_mode(config, dir, dev)?;
    same_account(config, dir, account)?;
    let keyring = make_keyring(config, deployment, random).map_err(Failure::Keyring)?;
    let sealed = keyring.seal(&root, random).map_err(Failure::Keyring)?;
    let batch = Batch::builder().require_absent(path.clone()).put(path, sealed).build();
    let batch = batch.map_err(|error| VaultError::Damaged(error.to_string()))?;
    let committed: Result<_, CommitError> = store.commit(batch).await;
    committed.map_err(VaultError::Unwritable)?;
    Ok(keyring)
}

/// The keyring of a first start; that of the test mode gives material the same id as everywhere in the test mode.
fn make_keyring(
    config: &Config,
    deployment: DeploymentId,
    random: &dyn Random,
) -> Result<Keyring, KeyringError> {
    match config.dev.is_on {
        true => Keyring::make_with(deployment, dev::material_ids()?, random),
        false => Keyring::make(deployment, random),
    }
}

/// Refuses a directory of the test mode without it, and any other directory with it.
fn same_mode(config: &Config, dir: &DataDir, dev: bool) -> Result<(), Failure> {
    let path = || dir.path().to_owned();
    match (dev, config.dev.is_on) {
        (true, false) => Err(Failure::DevDirectory { path: path() }),
        (false, true) => Err(Failure::NoDevDirectory { path: path() }),
        (true, true) | (false, false) => Ok(()),
    }
}

/// Refuses an account that is not the one of the first start.
fn same_account(config: &Config, dir: &DataDir, found: Option<String>) -> Result<(), Failure> {
    let asked = config.account()?;
    match found {
        Some(found) if found != asked.to_string() => {
            Err(Failure::OtherAccount { path: dir.path().to_owned(), found, asked })
        }
        Some(_) | None => Ok(()),
    }
}

/// Makes sure that the account root has its access key: one that the environment chooses anew, or a new one where there is no
/// file. A pair that stands in the file already is given to an account that is not there yet, and never again: it may have been
/// deleted since.
pub(crate) async fn root_access_key(
    config: &Config,
    dir: &DataDir,
    service: &Service,
    trail: &dyn Trail,
) -> Result<(), Failure> {
    let account = config.account()?;
    let chosen = AccessKey::from_environment()?;
    let is_new = service.account(account).await?.is_none();
    let (key, by, is_written) = match (chosen, AccessKey::read(dir)) {
        (Some(chosen), Ok(Some(held))) if chosen.id == held.id && *chosen.secret == *held.secret => {
            (held, "environment", true)
        }
        // Whatever the file holds, the operator has chosen.
        (Some(chosen), _) => (chosen, "environment", false),
        (None, Err(failure)) => return Err(failure),
        (None, Ok(Some(held))) => (held, "credentials file", true),
        (None, Ok(None)) => (AccessKey::make(service, account)?, "keyreeve serve", false),
    };
    let is_held = service.has_root_credential(account, &key.id, &key.secret).await?;
    if is_written && !is_held && !is_new {
        tracing::warn!(
            access_key_id = key.id,
            file = %dir.join(CREDENTIALS_FILE).display(),
            "the access key in the credentials file is no access key of the root user any more; `keyreeve account rotate-root` \
             makes a new one"
        );
        return Ok(());
    }
    // ORDER: the trail, the store, the file. Cut off anywhere, the next start does it all again.
    if !is_held {
        // The first start makes everything; what it makes is no change of anything.
        if !is_new {
            let event = service.service_event(&ServiceEvent {
                source: Source::Iam,
                name: "RotateRootAccessKey",
                account,
                region: home_region(config)?,
                time: clock::now(),
                details: &[("accessKeyId", &key.id), ("by", by)],
                resources: &[],
            })?;
            trail.append(event).await.map_err(|TrailError| VaultError::Unrecorded)?;
        }
        let secret = Zeroizing::new((*key.secret).clone());
        service.set_root_credential(account, &key.id, secret, clock::now()).await?;
    }
    if !is_written {
        key.write(&dir.join(CREDENTIALS_FILE))?;
    }
    Ok(())
}

/// The Region that the events of requests without one belong to.
pub(crate) fn home_region(config: &Config) -> Result<Region, Failure> {
    let first = config.regions()?.first().copied();
    first.or_else(|| HOME_REGION.parse().ok()).ok_or_else(|| Failure::Config("no Region".to_owned()))
}

/// That Region, where every Region is answered for.
const HOME_REGION: &str = "us-east-1";
