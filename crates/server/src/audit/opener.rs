//! Encrypted log files, opened by whoever has the data directory.
//!
//! As with `keyreeve account`, the root key and the store are authority enough, and the store must not be in use. The way to a key is the one
//! of every request all the same: the root user of the account of the KMS key calls Decrypt, its policy decides, and the trail has an event of it.

use std::path::Path;
use std::sync::Arc;

use keyreeve_core::{Caller, Principal, Service};
use keyreeve_observe::sealed_file::{DataKeyError, SealedFile};
use keyreeve_trail_file::{FileTrail, TrailDirectory};
use keyreeve_wire::Operation;
use tokio::runtime::{self, Runtime};
use tokio::task::LocalSet;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::data_dir::{DataDir, TRAIL_DIR};
use crate::exit::Failure;
use crate::serve::{stream, trail_options};
use crate::start::{self, Purpose};
use crate::{data_key_desk, harden, seal};

/// The KMS keys of a data directory whose service does not run.
pub(super) struct Opener {
    // ORDER: dropped before the set of tasks that it writes with.
    trail: FileTrail,
    service: Arc<Service>,
    tasks: LocalSet,
    runtime: Runtime,
}

impl Opener {
    pub(super) fn open(mut config: Config) -> Result<Self, Failure> {
        harden::process()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let tasks = LocalSet::new();
        let path = config.server.data_dir.clone();
        let dir = DataDir::look(&path)?.ok_or(Failure::NothingThere { path })?;
        let (first, dev) = seal::first_start(&dir)?;
        config.dev.is_on = dev;
        if let Some(first) = first {
            config.server.account = first;
        }
        let service = tasks.block_on(&runtime, start::service(&config, Some(&dir), Purpose::Check))?;
        let trail = trail(&config, &dir.join(TRAIL_DIR))?;
        Ok(Self { trail, service, tasks, runtime })
    }

    /// The data key of a file.
    pub(super) fn data_key(&self, file: &SealedFile<'_>) -> Result<Zeroizing<Vec<u8>>, DataKeyError> {
        let no_key = || DataKeyError("the file names no KMS key".to_owned());
        let account = file.key.split(':').nth(4).and_then(|account| account.parse().ok());
        let (region, account) = file.region().zip(account).ok_or_else(no_key)?;
        let caller = Caller::new(account, Principal::Root, String::new());
        let asked = (Operation::Decrypt, region);
        let body = data_key_desk::decrypt(file);
        let answered = data_key_desk::answer(&self.service, &self.trail, &caller, asked, (&body, AGENT));
        self.tasks.block_on(&self.runtime, answered)?.data_key()
    }
}

fn trail(config: &Config, path: &Path) -> Result<FileTrail, Failure> {
    let opened = TrailDirectory::open(path)
        .and_then(|trails| trails.trail(&stream("control")?, trail_options(config)));
    opened.map_err(|error| Failure::Trail { path: path.to_owned(), error })
}

/// Who calls, as the trail has it.
const AGENT: &str = "keyreeve audit verify";
