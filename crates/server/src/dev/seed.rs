//! What the seed files say, checked and ready to be made.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use keyreeve_core::Service;
use keyreeve_core::bracket::Trail;
use keyreeve_core::seed::{SeedError, SeedKey};
use keyreeve_domain::{AccountId, AliasName, KeyId, Region, Timestamp};

use crate::exit::Failure;

mod key;
mod read;

/// An account.
pub(super) struct SeedAccount {
    pub(super) id: AccountId,
    pub(super) name: String,
}

/// A key, and where it stands.
struct Planted {
    place: Place,
    key: SeedKey,
}

/// A line of a seed file.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

impl Place {
    fn fault(&self, text: impl fmt::Display) -> Failure {
        Failure::Seed(format!("{self}: {text}"))
    }
}

/// All seed files.
pub(super) struct Seed {
    pub(super) accounts: Vec<SeedAccount>,
    keys: Vec<Planted>,
}

impl Seed {
    /// Reads the files; keys that name neither belong to `account` and `region`.
    pub(super) fn read(paths: &[PathBuf], account: AccountId, region: Region) -> Result<Self, Failure> {
        let mut seed = Self { accounts: Vec::new(), keys: Vec::new() };
        for path in paths {
            seed.add(path, account, region)?;
        }
        seed.check_unique()?;
        Ok(seed)
    }

    fn add(&mut self, path: &Path, account: AccountId, region: Region) -> Result<(), Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::SeedUnreadable { path: path.to_owned(), error })?;
        let read = read::read(path, &text, account, region)?;
        self.accounts.extend(read.accounts);
        self.keys.extend(read.keys);
        // Whoever owns a key is there.
        for planted in &self.keys {
            let id = planted.key.arn.account;
            if !self.accounts.iter().any(|known| known.id == id) {
                self.accounts.push(SeedAccount { id, name: String::new() });
            }
        }
        Ok(())
    }

    fn check_unique(&self) -> Result<(), Failure> {
        let mut keys = HashSet::<(Option<Region>, KeyId)>::new();
        let mut aliases = HashSet::<(AccountId, Region, &AliasName)>::new();
        for Planted { place, key } in &self.keys {
            let arn = &key.arn;
            // Related keys share their id; what is seeded is the primary one, which a test may replicate.
            let region = (!arn.key.is_multi_region()).then_some(arn.region);
            if !keys.insert((region, arn.key)) {
                return Err(place.fault(format!("the key `{}` is there twice; leave one out", arn.key)));
            }
            for alias in &key.aliases {
                if !aliases.insert((arn.account, arn.region, alias)) {
                    return Err(place.fault(format!("the alias `{alias}` is there twice; leave one out")));
                }
            }
        }
        Ok(())
    }

    /// Makes what is not there yet.
    pub(super) async fn plant(
        &self,
        service: &Service,
        trail: &dyn Trail,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut made = 0_usize;
        for Planted { place, key } in &self.keys {
            let seeded = service.seed_key(trail, key, now).await.map_err(|error| match error {
                SeedError::Vault(error) => Failure::Vault(error),
                SeedError::Differs(_) => {
                    place.fault(format!("{error}; choose another id, or start with another data directory"))
                }
                SeedError::Policy(_) | SeedError::Principal(_) | SeedError::Trail(_) => place.fault(error),
            })?;
            made += usize::from(seeded.is_new);
            for alias in seeded.moved {
                tracing::warn!(%alias, %place, "the alias stands for another key by now and was left so");
            }
        }
        if !self.keys.is_empty() {
            tracing::info!(made, there = self.keys.len() - made, "the keys of the seed are there");
        }
        Ok(())
    }
}
