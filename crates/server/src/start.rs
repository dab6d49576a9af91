//! From a data directory to a service.

use std::sync::Arc;

use keyreeve_core::keyring::{Keyring, KeyringError};
use keyreeve_core::vault::{Vault, VaultError};
use keyreeve_core::{Service, space};
use keyreeve_crypto::key::MakeKeyError;
use keyreeve_crypto::random::{Random, SystemRandom};
use keyreeve_store::{Batch, CommitError, Store};
use keyreeve_store_redb::{Options, RedbStore};

use crate::clock;
use crate::config::Config;
use crate::credentials_file::AccessKey;
use crate::data_dir::DataDir;
use crate::exit::Failure;
use crate::seal::{self, SealError, Unsealed};

const STORE_FILE: &str = "store.redb";

/// Opens store and seal in `dir`, makes what a first start makes, and gives the service.
pub(crate) async fn service(config: &Config, dir: &DataDir) -> Result<Arc<Service>, Failure> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let path = dir.join(STORE_FILE);
    let options = Options {
        cache_bytes: config.store.cache_mib.saturating_mul(1 << 20),
        reserve_bytes: config.store.reserve_mib.saturating_mul(1 << 20),
        check_on_open: config.store.check_on_open,
        ..Options::default()
    };
    let store: Arc<dyn Store> = match RedbStore::open(&path, &options) {
        Ok(store) => Arc::new(store),
        Err(error) => return Err(Failure::of_store(path, error)),
    };
    let keyring = keyring(config, dir, &*store, &*random).await?;
    let vault = Vault::new(store, keyring, random);
    Ok(Arc::new(Service::new(vault, config.quotas(), config.store.cached_keys)))
}

/// The keyring in the store; at the first start, a new one under a new root key.
async fn keyring(
    config: &Config,
    dir: &DataDir,
    store: &dyn Store,
    random: &dyn Random,
) -> Result<Keyring, Failure> {
    let path = space::keyring().map_err(VaultError::from)?;
    let snapshot = store.snapshot().await.map_err(VaultError::from)?;
    if let Some(held) = snapshot.get(&path).await.map_err(VaultError::from)? {
        let Unsealed { root, deployment } = seal::open(dir, &config.seal)?;
        return match Keyring::open(deployment, &root, &held.value) {
            Err(KeyringError::Sealed) => Err(SealError::RootKey.into()),
            opened => opened.map_err(Failure::Keyring),
        };
    }
    // A start that was cut off after the seal was made and before the keyring was: go on with that seal.
    let Unsealed { root, deployment } = match seal::exists(dir) {
        true => seal::open(dir, &config.seal)?,
        false => seal::make(dir, &config.seal, random)?,
    };
    let keyring = Keyring::make(deployment, random).map_err(Failure::Keyring)?;
    let sealed = keyring.seal(&root, random).map_err(Failure::Keyring)?;
    let batch = Batch::builder().require_absent(path.clone()).put(path, sealed).build();
    let batch = batch.map_err(|error| VaultError::Damaged(error.to_string()))?;
    let committed: Result<_, CommitError> = store.commit(batch).await;
    committed.map_err(VaultError::Unwritable)?;
    Ok(keyring)
}

/// Makes sure that the account root has its access key: the one of the environment, the one in the file, or a new one.
pub(crate) async fn root_access_key(
    config: &Config,
    dir: &DataDir,
    service: &Service,
) -> Result<(), Failure> {
    let chosen = AccessKey::from_environment()?;
    let held = AccessKey::read(dir);
    let key = match (chosen, held) {
        (Some(chosen), Some(held)) if chosen.id == held.id && *chosen.secret == *held.secret => held,
        (Some(chosen), _) => {
            chosen.write(dir)?;
            chosen
        }
        (None, Some(held)) => held,
        (None, None) => {
            let made = AccessKey::make(service.vault().random())
                .map_err(MakeKeyError::from)
                .map_err(VaultError::from)?;
            made.write(dir)?;
            made
        }
    };
    Ok(service.set_root_credential(config.account()?, &key.id, key.secret, clock::now()).await?)
}
