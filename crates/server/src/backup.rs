//! `keyreeve backup`: everything in the store, in one file.
//!
//! Beside a service that runs, the service itself reads its store and sends it over the socket in the data directory
//! ([`control`]); without one, this process opens the store. Either way this process keeps the file, and adds to it what only
//! the owner of the data directory should carry: the seal, and the configuration.

mod contents;
pub(crate) mod control;
pub(crate) mod origin;
pub(crate) mod restore;
mod take;

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use keyreeve_backup::{Header, Item, Reader, Writer};
use keyreeve_core::bracket::{Trail, TrailError};
use keyreeve_core::vault::VaultError;
use keyreeve_crypto::digest::LowerHex;
use keyreeve_observe::layout::iso;
use keyreeve_trail_file::TrailDirectory;
use tokio::runtime;
use tokio::task::LocalSet;
use zeroize::Zeroizing;

use crate::args::BackupArgs;
use crate::backup::contents::Contents;
use crate::backup::take::{Counted, Take};
use crate::config::{Config, SealKind};
use crate::data_dir::{DataDir, SEAL_FILE, TRAIL_DIR, beside, write_new};
use crate::exit::Failure;
use crate::serve::{stream, trail_options};
use crate::start::{self, Purpose};
use crate::{harden, logging, seal};

/// The name under which a backup has the root key.
pub(crate) const ROOT_KEY: &str = "root.key";
/// The name under which it has the configuration file.
pub(crate) const CONFIGURATION: &str = "keyreeve.toml";

/// Does what was asked.
pub(crate) fn run(args: &BackupArgs) -> Result<(), Failure> {
    let mut config = Config::of_place(&args.place)?;
    logging::start(&config.log)?;
    harden::process()?;
    let path = config.server.data_dir.clone();
    let dir = DataDir::look(&path)?.ok_or(Failure::NothingThere { path })?;
    let (first, dev) = seal::first_start(&dir)?;
    config.dev.is_on = dev;
    if let Some(first) = first {
        config.server.account = first;
    }
    let files = files(args, &config, &dir)?;
    let source = match control::connect(&dir) {
        Some(service) => Source::Service(service),
        None => Source::Directory,
    };
    if args.to.as_os_str() == "-" {
        let written = source.write(&config, &dir, BufWriter::new(io::stdout().lock()), &files)?;
        return tell(args, &written, &mut io::stderr().lock());
    }
    let mut failure = None;
    let mut outcome = None;
    let kept = write_new(&args.to, 0o600, |file| {
        match source.write(&config, &dir, BufWriter::new(file), &files) {
            Ok(written) => outcome = Some(written),
            Err(error) => {
                failure = Some(error);
                return Err(ErrorKind::Other.into());
            }
        }
        Ok(())
    });
    if let Err(error) = kept {
        if error.kind() == ErrorKind::AlreadyExists {
            let found = if args.to.symlink_metadata().is_ok() { args.to.clone() } else { beside(&args.to) };
            return Err(Failure::BackupExists { path: found });
        }
        // It holds nothing that is of use.
        if let Err(error) = std::fs::remove_file(beside(&args.to))
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, "what was written of the backup could not be removed");
        }
        return Err(failure.unwrap_or(Failure::BackupUnwritable { path: args.to.clone(), error }));
    }
    let Some(written) = outcome else {
        return Err(Failure::BackupUnwritable { path: args.to.clone(), error: ErrorKind::Other.into() });
    };
    // What a disk has taken is not yet what it gives back.
    let read = Contents::read(&args.to)?;
    if read.digest != written.digest {
        let reason = "what was read back is not what was written".to_owned();
        return Err(Failure::BackupDamaged { path: args.to.clone(), reason });
    }
    tell(args, &written, &mut io::stdout().lock())
}

/// A file that goes into a backup: its name there, and its content.
type Added = (&'static str, Zeroizing<Vec<u8>>);

/// What the owner of the directory adds.
fn files(args: &BackupArgs, config: &Config, dir: &DataDir) -> Result<Vec<Added>, Failure> {
    let read = |path: PathBuf| {
        let content = std::fs::read(&path).map(Zeroizing::new);
        content.map_err(|error| Failure::Seal(seal::SealError::Missing { path, error }))
    };
    let mut files = Vec::new();
    if let Some(path) = &args.place.config {
        let content = std::fs::read(path).map(Zeroizing::new);
        let fault = |error| Failure::Config(format!("the configuration `{}`: {error}", path.display()));
        files.push((CONFIGURATION, content.map_err(fault)?));
    }
    // With a passphrase, the root key is in `seal.toml`, wrapped; with the file seal that holds nothing secret.
    let root_key = (config.seal.kind == SealKind::File).then_some(&config.seal.root_key_file);
    if let Some(root_key) = root_key.filter(|_| args.with_root_key) {
        files.push((ROOT_KEY, read(dir.join(root_key))?));
    }
    if root_key.is_some() || args.with_root_key {
        files.push((SEAL_FILE, read(dir.join(SEAL_FILE))?));
    }
    Ok(files)
}

/// Who reads the store.
enum Source {
    Directory,
    Service(UnixStream),
}

/// A backup that was written.
struct Written {
    header: Header,
    counted: Counted,
    digest: [u8; 32],
}

impl Source {
    fn write(
        self,
        config: &Config,
        dir: &DataDir,
        out: impl Write,
        files: &[Added],
    ) -> Result<Written, Failure> {
        let (mut writer, header, counted) = match self {
            Self::Service(service) => from_service(service, dir, out)?,
            Self::Directory => from_directory(config, dir, out)?,
        };
        for (name, content) in files {
            // EXPOSE: the operator asked for the root key to be in the backup, where it is one of them.
            writer.file(name, content).map_err(unwritable)?;
        }
        let (_, digest) = writer.end().map_err(unwritable)?;
        Ok(Written { header, counted, digest })
    }
}

/// What the service sends, frame by frame.
fn from_service<W: Write>(
    service: UnixStream,
    dir: &DataDir,
    out: W,
) -> Result<(Writer<W>, Header, Counted), Failure> {
    let refused = |reason: String| Failure::BackupRefused { path: dir.path().to_owned(), reason };
    let source = control::ask_for_backup(service).map_err(|error| refused(error.to_string()))?;
    let (mut reader, header) = Reader::begin(source).map_err(|error| refused(error.to_string()))?;
    // The same frames have the same bytes, so the seal of the service is that of the copy.
    let mut writer = Writer::begin(out, &header).map_err(unwritable)?;
    loop {
        match reader.next_item().map_err(|error| refused(error.to_string()))? {
            Some(Item::Stream(end)) => writer.stream(&end).map_err(unwritable)?,
            Some(Item::Record(path, entry)) => writer.record(&path, &entry).map_err(unwritable)?,
            Some(Item::Seal { records, unopened, wrapped, digest: _ }) => {
                writer.seal(records, unopened, &wrapped).map_err(unwritable)?;
                return Ok((writer, header, Counted { records, unopened }));
            }
            Some(Item::File { .. } | Item::End { .. }) | None => {
                return Err(refused("it sent something else".to_owned()));
            }
        }
    }
}

/// What this process finds in the store, which nobody else uses.
fn from_directory<W: Write>(
    config: &Config,
    dir: &DataDir,
    out: W,
) -> Result<(Writer<W>, Header, Counted), Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let service = start::service(config, Some(dir), Purpose::Check).await?;
        let segments = dir.join(TRAIL_DIR);
        let control = stream("control")?;
        let options = trail_options(config);
        let opened = TrailDirectory::open(&segments).and_then(|trails| trails.trail(&control, options));
        let trail = opened.map_err(|error| Failure::Trail { path: segments.clone(), error })?;
        let take = Take::begin(&service).await?;
        let event = take.event(&service, config, "keyreeve backup")?;
        trail.append(event).await.map_err(|TrailError| VaultError::Unrecorded)?;
        let (writer, counted) = take.write(&service, &segments, out, async |_| Ok(())).await?;
        Ok((writer, take.header().clone(), counted))
    })
}

/// Says what was written, what is in it and what is not.
fn tell(args: &BackupArgs, written: &Written, out: &mut impl Write) -> Result<(), Failure> {
    let Written { header, counted, digest } = written;
    writeln!(
        out,
        "backup {} of revision {}, taken at {}: {} records, every one of them opened\nsha256 {}",
        header.id_text(),
        header.revision,
        iso(header.taken),
        counted.records.saturating_sub(counted.unopened),
        LowerHex::new(digest).as_str()
    )?;
    let place = match args.place.config {
        Some(_) => "the configuration file",
        None => "no configuration file (name it with --config)",
    };
    writeln!(
        out,
        "with it: the position of the audit trail, {place}; not the trail itself, nor credentials files"
    )?;
    match args.with_root_key {
        true => writeln!(
            out,
            "THE ROOT KEY IS IN IT, or what opens it with the passphrase: who has this file has every key. Guard it so."
        )?,
        false => writeln!(
            out,
            "THE ROOT KEY IS NOT IN IT: without the root key (with a passphrase, seal.toml) this backup opens for nobody. \
             Keep that apart from it, in more than one place."
        )?,
    }
    let Counted { records, unopened } = *counted;
    match unopened {
        0 => Ok(()),
        _ => Err(Failure::BackupUnopened { path: args.to.clone(), records, unopened }),
    }
}

fn unwritable(error: keyreeve_backup::WriteError) -> Failure {
    let error = match error {
        keyreeve_backup::WriteError::Io(error) => error,
        keyreeve_backup::WriteError::TooLarge => io::Error::other(error),
    };
    Failure::BackupUnwritable { path: PathBuf::from("the file named with --to"), error }
}

/// Opens a file to read it.
fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| Failure::BackupUnreadable { path: path.to_owned(), error })
}
