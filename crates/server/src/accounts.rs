//! `keyreeve account`: accounts, made and rescued by whoever has the data directory.
//!
//! No credentials are asked for: the root key and the store are authority enough. The store must not be in use.

use std::path::PathBuf;
use std::sync::Arc;

use keyreeve_core::Service;
use keyreeve_core::bracket::{Source, Trail, TrailError};
use keyreeve_core::identity::accounts::CreateAccountError;
use keyreeve_core::service_event::ServiceEvent;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::AccountId;
use keyreeve_trail_file::{FileTrail, TrailDirectory};
use tokio::runtime;
use tokio::task::LocalSet;

use crate::args::AccountCommand;
use crate::config::Config;
use crate::credentials_file::AccessKey;
use crate::data_dir::{ACCOUNTS_DIR, CREDENTIALS_FILE, DataDir, TRAIL_DIR};
use crate::exit::Failure;
use crate::serve::{stream, trail_options};
use crate::start::{self, Purpose};
use crate::{clock, harden, logging, seal};

/// Does what was asked.
pub(crate) fn run(command: &AccountCommand) -> Result<(), Failure> {
    let place = match command {
        AccountCommand::Create(args) => &args.place,
        AccountCommand::List(place) => place,
        AccountCommand::RotateRoot(args) => &args.place,
    };
    let config = Config::of_place(place)?;
    logging::start(&config.log)?;
    harden::process()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let work = Work::open(config).await?;
        match command {
            AccountCommand::Create(args) => work.create(args.account, args.name.as_deref()).await,
            AccountCommand::List(_) => work.list().await,
            AccountCommand::RotateRoot(args) => work.rotate_root(args.account).await,
        }
    })
}

/// A data directory that nobody else works on.
struct Work {
    config: Config,
    dir: DataDir,
    service: Arc<Service>,
}

impl Work {
    async fn open(mut config: Config) -> Result<Self, Failure> {
        let path = config.server.data_dir.clone();
        let dir = DataDir::look(&path)?.ok_or(Failure::NothingThere { path })?;
        // Which account was the first is not asked for again.
        let (first, dev) = seal::first_start(&dir)?;
        config.dev.is_on = dev;
        if let Some(first) = first {
            config.server.account = first;
        }
        let service = match start::service(&config, Some(&dir), Purpose::Check).await {
            Err(Failure::Locked { path }) => return Err(Failure::Serving { path }),
            opened => opened?,
        };
        Ok(Self { config, dir, service })
    }

    async fn create(&self, account: AccountId, name: Option<&str>) -> Result<(), Failure> {
        if self.service.account(account).await?.is_some() {
            return Err(CreateAccountError::Exists(account).into());
        }
        let trail = self.trail()?;
        let (key, path) = self.new_key(account)?;
        // ORDER: the trail, the file, the store. Cut off anywhere, the command does it all again.
        self.announce(&trail, "CreateAccount", account, &key.id).await?;
        key.write(&path)?;
        let pair = (key.id.as_str(), key.secret);
        self.service.create_account(account, name.unwrap_or_default(), pair, clock::now()).await?;
        println!("account {account} is made; the access key of its root user is in {}", path.display());
        Ok(())
    }

    async fn list(&self) -> Result<(), Failure> {
        for (account, record) in self.service.accounts().await? {
            println!("{}", format!("{account}  {}", record.name).trim_end());
        }
        Ok(())
    }

    async fn rotate_root(&self, account: AccountId) -> Result<(), Failure> {
        if self.service.account(account).await?.is_none() {
            return Err(Failure::NoAccount(account));
        }
        let trail = self.trail()?;
        let (key, path) = self.new_key(account)?;
        self.announce(&trail, "RotateRootAccessKey", account, &key.id).await?;
        key.write(&path)?;
        self.service.set_root_credential(account, &key.id, key.secret, clock::now()).await?;
        println!(
            "the root user of account {account} has a new access key, in {}; the old ones are refused from now on",
            path.display()
        );
        Ok(())
    }

    /// A new access key of a root user, and the file that it belongs in.
    fn new_key(&self, account: AccountId) -> Result<(AccessKey, PathBuf), Failure> {
        let key = AccessKey::make(&self.service, account)?;
        let path = match self.config.account()? == account {
            true => self.dir.join(CREDENTIALS_FILE),
            false => {
                let place = self.dir.join(ACCOUNTS_DIR).join(account.to_string());
                crate::data_dir::make(&place)
                    .map_err(|error| Failure::NotWritable { path: place.clone(), error })?;
                place.join(CREDENTIALS_FILE)
            }
        };
        Ok((key, std::path::absolute(path)?))
    }

    fn trail(&self) -> Result<FileTrail, Failure> {
        let path = self.dir.join(TRAIL_DIR);
        let options = trail_options(&self.config);
        let control = stream("control")?;
        let opened = TrailDirectory::open(&path).and_then(|trails| trails.trail(&control, options));
        opened.map_err(|error| Failure::Trail { path, error })
    }

    async fn announce(
        &self,
        trail: &FileTrail,
        name: &str,
        account: AccountId,
        key: &str,
    ) -> Result<(), Failure> {
        let event = self.service.service_event(&ServiceEvent {
            source: Source::Iam,
            name,
            account,
            region: start::home_region(&self.config)?,
            time: clock::now(),
            details: &[("accessKeyId", key), ("by", "keyreeve account")],
            resources: &[],
        })?;
        trail.append(event).await.map_err(|TrailError| VaultError::Unrecorded)?;
        Ok(())
    }
}
