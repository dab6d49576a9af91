//! `keyreeve restore`: a data directory of a backup.
//!
//! A file says from the first step to the last that the directory is not whole; nothing serves it until then. It goes once every
//! record has opened, and once the new trail has said of which backup it is the continuation.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyreeve_core::Service;
use keyreeve_core::bracket::{Source, Trail, TrailError};
use keyreeve_core::check::Summary;
use keyreeve_core::record::CredentialRecord;
use keyreeve_core::service_event::ServiceEvent;
use keyreeve_core::space;
use keyreeve_core::vault::VaultError;
use keyreeve_crypto::digest::LowerHex;
use keyreeve_observe::layout::iso;
use keyreeve_trail_file::TrailDirectory;
use tempfile::TempDir;
use tokio::runtime;
use tokio::task::LocalSet;

use crate::args::RestoreArgs;
use crate::backup::contents::Contents;
use crate::backup::{CONFIGURATION, ROOT_KEY};
use crate::check::Form;
use crate::config::Config;
use crate::credentials_file::AccessKey;
use crate::data_dir::{
    self, ACCOUNTS_DIR, CREDENTIALS_FILE, DataDir, RESTORING_FILE, SEAL_FILE, STORE_FILE, TRAIL_DIR,
    sync_parent, write_new,
};
use crate::exit::Failure;
use crate::seal::{self, SealError};
use crate::serve::{stream, trail_options};
use crate::start::{self, Purpose};
use crate::{check, clock, harden, logging};

/// Does what was asked.
pub(crate) fn run(args: &RestoreArgs) -> Result<(), Failure> {
    let config = Config::of_place(&args.place)?;
    logging::start(&config.log)?;
    harden::process()?;
    let contents = Contents::read(&args.from)?;
    let path = config.server.data_dir.clone();
    is_free(&config, &path)?;
    let seal = Seal::choose(&config, &contents, args.root_key.as_deref())?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        if args.dry_run {
            return prove(config, &contents, &seal).await;
        }
        data_dir::make(&path).map_err(|error| Failure::NotWritable { path: path.clone(), error })?;
        let marker = path.join(RESTORING_FILE);
        let refused = |error| Failure::NotWritable { path: marker.clone(), error };
        // ORDER: first, and without a detour: a directory with anything else in it is marked.
        mark(&marker).map_err(refused)?;
        let dir = DataDir::open(&path)?;
        if let Err(failure) = fill(args, config, &dir, &contents, &seal).await {
            if let Err(error) = clear(&dir) {
                tracing::error!(%error, "what was restored could not be removed; the directory is marked as not whole");
            }
            return Err(failure);
        }
        // ORDER: last, once everything else is durable.
        std::fs::remove_file(&marker).and_then(|()| sync_parent(&marker)).map_err(refused)?;
        println!("restored to {}: start it with keyreeve serve", std::path::absolute(&path)?.display());
        Ok(())
    })
}

/// Says that a restore is under way.
fn mark(marker: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(marker)?;
    file.write_all(MARK)?;
    file.sync_all()?;
    sync_parent(marker)
}

async fn fill(
    args: &RestoreArgs,
    config: Config,
    dir: &DataDir,
    contents: &Contents,
    seal: &Seal<'_>,
) -> Result<(), Failure> {
    let restored = Restored::unpack(config, dir, contents, seal, Root::Kept).await?;
    let findings = restored.look(contents).await?;
    if findings > 0 && !args.despite_findings {
        return Err(Failure::RestoreFindings { findings });
    }
    restored.complete(dir, contents).await
}

/// Removes what a restore has put into a directory that was empty; the mark last.
fn clear(dir: &DataDir) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir.path())? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            _ if entry.file_name() == RESTORING_FILE => {}
            true => std::fs::remove_dir_all(entry.path())?,
            false => std::fs::remove_file(entry.path())?,
        }
    }
    std::fs::remove_file(dir.join(RESTORING_FILE))
}

/// Proves that a backup can be restored, in a directory that is gone afterwards.
async fn prove(config: Config, contents: &Contents, seal: &Seal<'_>) -> Result<(), Failure> {
    let (_scratch, restored) = Restored::scratch(config, contents, seal).await?;
    match restored.look(contents).await? {
        0 => {
            println!("the backup can be restored; nothing was left behind");
            Ok(())
        }
        findings => Err(Failure::RestoreFindings { findings }),
    }
}

/// Looks at everything in a backup.
pub(crate) async fn look_into(
    config: Config,
    backup: &Path,
    root_key: Option<&Path>,
    form: Form,
) -> Result<Summary, Failure> {
    let contents = Contents::read(backup)?;
    let seal = Seal::choose(&config, &contents, root_key)?;
    let (_scratch, restored) = Restored::scratch(config, &contents, &seal).await?;
    check::look(&restored.service, form).await
}

/// Refuses a directory that holds anything, and a folder of the trail that another directory has filled.
fn is_free(config: &Config, path: &Path) -> Result<(), Failure> {
    let folder = path.join(&config.audit.folder);
    for path in [path, &folder] {
        let held = match std::fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::NotWritable { path: path.to_owned(), error }),
            Ok(mut entries) => entries.next(),
        };
        if held.is_some() {
            return Err(match path.join(RESTORING_FILE).exists() {
                true => Failure::HalfRestored { path: path.to_owned() },
                false => Failure::NotEmpty { path: path.to_owned() },
            });
        }
    }
    Ok(())
}

/// Where the root key goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Root {
    /// Where the configuration says.
    Kept,
    /// Into the directory, which is gone afterwards.
    Scratch,
}

/// A directory with store and seal of a backup, opened.
struct Restored {
    config: Config,
    service: Arc<Service>,
}

impl Restored {
    async fn unpack(
        mut config: Config,
        dir: &DataDir,
        contents: &Contents,
        seal: &Seal<'_>,
        root: Root,
    ) -> Result<Self, Failure> {
        seal.put(&mut config, dir, root)?;
        let (first, dev) = seal::first_start(dir)?;
        config.dev.is_on = dev;
        if let Some(first) = first {
            config.server.account = first;
        }
        contents.unpack(&dir.join(STORE_FILE), &start::store_options(&config))?;
        let service = start::service_of(&config, Some(dir), Purpose::Check).await?;
        let (wrapped, digest) = &contents.seal;
        if !service.vault().is_sealed_backup(wrapped, digest) {
            let reason = "it was changed since it was made, or made by somebody without the keys".to_owned();
            return Err(Failure::BackupDamaged { path: contents.path().to_owned(), reason });
        }
        Ok(Self { config, service })
    }

    /// In a directory that is gone once the first value is dropped.
    async fn scratch(
        config: Config,
        contents: &Contents,
        seal: &Seal<'_>,
    ) -> Result<(TempDir, Self), Failure> {
        let scratch = tempfile::Builder::new()
            .prefix("keyreeve-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()?;
        let dir = DataDir::open(scratch.path())?;
        let restored = Self::unpack(config, &dir, contents, seal, Root::Scratch).await?;
        Ok((scratch, restored))
    }

    /// Looks at everything; how much is wrong, each of it named.
    async fn look(&self, contents: &Contents) -> Result<u64, Failure> {
        let findings = check::look(&self.service, Form::Text).await?.findings;
        let header = &contents.header;
        println!(
            "backup {} of revision {}, made by release {}: {} records",
            header.id_text(),
            header.revision,
            header.release,
            contents.records
        );
        if contents.unopened > 0 {
            println!("{} records did not open when the backup was made", contents.unopened);
        }
        println!("THIS IS THE STATE OF {} ({}).", iso(header.taken), age(contents));
        println!(
            "What was taken away since is back: grants that were revoked or retired, keys that were disabled or deleted, policies, \
             users and access keys that were replaced.\nWhat was made since is gone: keys, and everything that they alone encrypted."
        );
        Ok(findings)
    }

    /// Writes what a directory has beside store and seal, and begins its trail.
    async fn complete(&self, dir: &DataDir, contents: &Contents) -> Result<(), Failure> {
        if let Some(text) = contents.files.get(CONFIGURATION) {
            let path = dir.join(CONFIGURATION);
            write_new(&path, 0o600, |file| file.write_all(text))
                .map_err(|error| Failure::NotWritable { path, error })?;
            println!("the configuration of that time is in {CONFIGURATION}: compare it with the one in use");
        }
        self.write_credentials(dir).await?;
        let streams: Vec<_> = contents.streams.iter().map(position).collect();
        let streams = streams.join(" ");
        self.announce(dir, contents, &streams).await?;
        println!(
            "the audit trail begins anew, with an event that names this backup. It went on from: {}. Keep the old one.",
            if streams.is_empty() { "nothing" } else { &streams }
        );
        Ok(())
    }

    /// Writes the access keys of root users to where the service keeps them: no backup has them in the clear.
    async fn write_credentials(&self, dir: &DataDir) -> Result<(), Failure> {
        let vault = self.service.vault();
        let snapshot = vault.snapshot().await?;
        let first = self.config.account()?;
        for (account, record) in self.service.accounts().await? {
            for id in record.root_access_keys {
                let path = space::credential(&id).map_err(VaultError::from)?;
                let Some(held) = vault.read::<CredentialRecord>(&*snapshot, &path).await? else { continue };
                if held.record.inactive.unwrap_or_default() {
                    continue;
                }
                let place = match account == first {
                    true => dir.path().to_owned(),
                    false => dir.join(ACCOUNTS_DIR).join(account.to_string()),
                };
                data_dir::make(&place)
                    .map_err(|error| Failure::NotWritable { path: place.clone(), error })?;
                AccessKey { id, secret: held.record.secret }.write(&place.join(CREDENTIALS_FILE))?;
                break;
            }
        }
        Ok(())
    }

    async fn announce(&self, dir: &DataDir, contents: &Contents, streams: &str) -> Result<(), Failure> {
        let path = dir.join(TRAIL_DIR);
        let control = stream("control")?;
        let options = trail_options(&self.config);
        let trail = TrailDirectory::open(&path).and_then(|trails| trails.trail(&control, options));
        let trail = trail.map_err(|error| Failure::Trail { path, error })?;
        let header = &contents.header;
        let digest = LowerHex::new(&contents.digest);
        let event = self.service.service_event(&ServiceEvent {
            source: Source::Kms,
            name: RESTORED,
            account: self.config.account()?,
            region: start::home_region(&self.config)?,
            time: clock::now(),
            details: &[
                ("backupId", &header.id_text()),
                ("backupSha256", digest.as_str()),
                ("backupTime", &iso(header.taken)),
                ("revision", &header.revision.to_string()),
                ("trailBefore", streams),
                ("by", "keyreeve restore"),
            ],
            resources: &[],
        })?;
        trail.append(event).await.map_err(|TrailError| VaultError::Unrecorded)?;
        Ok(())
    }
}

/// What goes into `seal.toml`, and the root key where that is a file of its own that is not in its place yet.
pub(crate) struct Seal<'a> {
    text: Cow<'a, [u8]>,
    root_key: Option<RootKey<'a>>,
}

/// A root key, and the file that it was read from, where that is one of its own.
struct RootKey<'a> {
    bytes: Cow<'a, [u8]>,
    file: Option<PathBuf>,
}

impl<'a> Seal<'a> {
    /// That of the backup, with the root key in the file `given`, in the backup, or where the configuration says.
    pub(crate) fn choose(
        config: &Config,
        contents: &'a Contents,
        given: Option<&Path>,
    ) -> Result<Self, Failure> {
        let no_root_key = |wanted| Failure::NoRootKey { path: contents.path().to_owned(), wanted };
        let given = match given {
            Some(path) => {
                let read = std::fs::read(path);
                let read = read.map_err(|error| SealError::Missing { path: path.to_owned(), error })?;
                Some((read, std::path::absolute(path)?))
            }
            None => None,
        };
        let held = contents.files.get(SEAL_FILE).map(|held| held.as_slice());
        match (held, given) {
            (Some(held), given) if seal::is_file_seal(held) => {
                let root_key = match (given, contents.files.get(ROOT_KEY)) {
                    (Some((bytes, file)), _) => Some(RootKey { bytes: Cow::Owned(bytes), file: Some(file) }),
                    (None, Some(held)) => Some(RootKey { bytes: Cow::Borrowed(held.as_slice()), file: None }),
                    // One that lies elsewhere needs not come with the backup.
                    (None, None) if config.server.data_dir.join(&config.seal.root_key_file).is_file() => None,
                    (None, None) => return Err(no_root_key("file of the root key")),
                };
                Ok(Self { text: Cow::Borrowed(held), root_key })
            }
            // With a passphrase, `seal.toml` is what was kept apart.
            (_, Some((given, _))) => Ok(Self { text: Cow::Owned(given), root_key: None }),
            (Some(held), None) => Ok(Self { text: Cow::Borrowed(held), root_key: None }),
            (None, None) => Err(no_root_key("seal.toml")),
        }
    }

    fn put(&self, config: &mut Config, dir: &DataDir, root: Root) -> Result<(), Failure> {
        let path = dir.join(SEAL_FILE);
        write_new(&path, 0o600, |file| file.write_all(&self.text))
            .map_err(|error| SealError::Write { path, error })?;
        let Some(key) = &self.root_key else { return Ok(()) };
        match (root, &key.file) {
            (Root::Kept, _) => {}
            (Root::Scratch, None) => config.seal.root_key_file = ROOT_KEY.into(),
            // No further copy is made of it.
            (Root::Scratch, Some(file)) => {
                config.seal.root_key_file.clone_from(file);
                return Ok(());
            }
        }
        let path = dir.join(&config.seal.root_key_file);
        // EXPOSE: this file is where the root key is kept.
        match write_new(&path, 0o400, |file| file.write_all(&key.bytes)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let is_same = std::fs::read(&path).is_ok_and(|held| held == *key.bytes);
                if is_same { Ok(()) } else { Err(SealError::InTheWay { path }.into()) }
            }
            Err(error) => Err(SealError::Write { path, error }.into()),
            Ok(()) => Ok(()),
        }
    }
}

/// Where a stream of the trail ended, in one word.
fn position(end: &keyreeve_backup::StreamEnd) -> String {
    let keyreeve_backup::StreamEnd { stream, segment, sequence, hash } = end;
    format!("{stream}-{segment:08}.log:{sequence}:{}", LowerHex::new(hash).as_str())
}

/// How long ago a backup was taken.
fn age(contents: &Contents) -> String {
    let minutes = clock::now().millis_since(contents.header.taken) / 60_000;
    match minutes {
        ..0 => "in the future of this clock".to_owned(),
        0..120 => format!("{minutes} minutes ago"),
        120..2880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}

/// The event that a restored trail begins with.
pub(crate) const RESTORED: &str = "RestoreBackup";
const MARK: &[u8] =
    b"A restore is under way here. If none is, it was cut off: remove this directory and restore again.\n";
