//! Following the identity file: at the start, and on SIGHUP.

use std::path::PathBuf;
use std::sync::Arc;

use keyreeve_core::Service;
use keyreeve_core::bracket::{Source, Trail, TrailError};
use keyreeve_core::service_event::ServiceEvent;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::{AccountId, Region};
use keyreeve_identity::declared::{Announce, examine, reconcile};

use crate::clock;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::Failure;
use crate::identity_file::{IdentityFile, IdentityFileError};
use crate::start;

/// The identity file of a configuration, and all that it takes to follow it.
pub(crate) struct Identities {
    path: PathBuf,
    dir: Option<DataDir>,
    service: Arc<Service>,
    account: AccountId,
    region: Region,
}

impl Identities {
    /// None where there is no file.
    pub(crate) fn new(
        config: &Config,
        dir: Option<&DataDir>,
        service: &Arc<Service>,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = config.identity.file.clone() else { return Ok(None) };
        Ok(Some(Self {
            path,
            dir: dir.cloned(),
            service: Arc::clone(service),
            account: config.account()?,
            region: start::home_region(config)?,
        }))
    }

    fn file(&self, makes_keys: bool) -> IdentityFile<'_> {
        let (dir, service) = (self.dir.as_ref(), &*self.service);
        IdentityFile { path: &self.path, dir, service, account: self.account, makes_keys }
    }

    /// Looks whether the file can be followed; nothing is made.
    pub(crate) async fn examine(&self) -> Result<(), IdentityFileError> {
        let file = self.file(false);
        let declaration = file.read()?;
        match examine(&self.service, clock::now(), &declaration).await {
            Ok(_) => Ok(()),
            Err(error) => Err(file.refused(error)),
        }
    }

    /// Lets the identities be as the file says; how many changes that took.
    pub(crate) async fn follow(&self, trail: &dyn Trail) -> Result<usize, IdentityFileError> {
        // Access keys are made for a file that is in order, and for no other.
        self.examine().await?;
        let file = self.file(true);
        let declaration = file.read()?;
        let announce = Announcing { service: &self.service, trail, region: self.region };
        match reconcile(&self.service, &announce, clock::now(), &declaration).await {
            Ok(outcome) => Ok(outcome.changes),
            Err(error) => Err(file.refused(error)),
        }
    }
}

/// The trail, for changes that the file makes.
struct Announcing<'a> {
    service: &'a Service,
    trail: &'a dyn Trail,
    region: Region,
}

impl Announce for Announcing<'_> {
    async fn announce(
        &self,
        account: AccountId,
        name: &'static str,
        details: &[(&'static str, String)],
    ) -> Result<(), VaultError> {
        let by = ("by", "identity file");
        let details: Vec<_> =
            details.iter().map(|(name, value)| (*name, value.as_str())).chain([by]).collect();
        let event = self.service.service_event(&ServiceEvent {
            source: Source::Iam,
            name,
            account,
            region: self.region,
            time: clock::now(),
            details: &details,
            resources: &[],
        })?;
        self.trail.append(event).await.map_err(|TrailError| VaultError::Unrecorded)
    }
}
