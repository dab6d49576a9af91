//! The seal: how the root key is kept between two runs.
//!
//! `seal.toml` says which kind, and holds the id of the deployment. The file seal keeps the root key in a file of its own;
//! the passphrase seal keeps it wrapped under a key that argon2id derives. The root key itself is read into locked memory
//! and nowhere else.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use keyreeve_core::keyring::DeploymentId;
use keyreeve_crypto::LockedMemoryError;
use keyreeve_crypto::key::{MakeKeyError, RootKey};
use keyreeve_crypto::passphrase::{Cost, DerivePassphraseError, Passphrase, derive_wrapping_key};
use keyreeve_crypto::random::{self, Random};
use keyreeve_crypto::wrap::{self, Binding, Kind};
use keyreeve_domain::AccountId;
use serde::{Deserialize, Serialize};

use crate::config::{SealKind, SealSection};
use crate::data_dir::{DataDir, SEAL_FILE as FILE, beside, warn_if_others_read, write_new};

const FORMAT: u32 = 1;
const PASSPHRASE_KEY_ID: [u8; 16] = [0; 16];

/// The seal does not give the root key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("cannot read `{}`: {error}. Without it the keys cannot be opened; restore it from a backup.", path.display())]
    Missing { path: PathBuf, error: io::Error },
    #[error("`{}` is not valid: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error(
        "the keys in this directory are sealed with \"{found}\", and the configuration says \"{asked}\". Set [seal] kind to \"{found}\"."
    )]
    OtherKind { found: &'static str, asked: &'static str },
    #[error("the passphrase is wrong, or `seal.toml` belongs to another store.")]
    Passphrase,
    #[error(
        "the root key does not open this store: it belongs to another one, or the store was changed. Use the root key and seal.toml that were made with it."
    )]
    RootKey,
    #[error("the passphrase in `{}` is empty or longer than {} bytes", path.display(), Passphrase::MAX_LEN)]
    PassphraseLength { path: PathBuf },
    #[error(
        "`{}` exists already, and nothing says that it belongs to this directory: it may be the only root key of another store. It was left as it is. Choose another file with [seal] root_key_file; or restore the seal.toml and the store that belong to it; or move it away.", path.display()
    )]
    InTheWay { path: PathBuf },
    #[error("cannot write `{}`: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("{0}")]
    Derive(#[from] DerivePassphraseError),
    #[error("{0}")]
    Memory(#[from] LockedMemoryError),
    #[error("{0}")]
    Make(#[from] MakeKeyError),
    #[error("the root key could not be wrapped: {0}")]
    Wrap(#[from] wrap::WrapError),
}

/// The root key and the deployment that it belongs to.
pub(crate) struct Unsealed {
    pub(crate) root: RootKey,
    pub(crate) deployment: DeploymentId,
    /// The account of the first start; older directories do not say.
    pub(crate) account: Option<String>,
    /// Whether the first start was one of the test mode.
    pub(crate) dev: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SealFile {
    format: u32,
    /// 32 hexadecimal digits.
    deployment: String,
    kind: String,
    /// The account of the first start, twelve digits; older files have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Whether the first start was one of the test mode.
    #[serde(default, skip_serializing_if = "is_false")]
    dev: bool,
    passphrase: Option<PassphraseSlot>,
}

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PassphraseSlot {
    argon2_memory_kib: u32,
    argon2_passes: u32,
    argon2_lanes: u32,
    /// 32 hexadecimal digits.
    salt: String,
    /// The root key, wrapped, in hexadecimal digits.
    wrapped: String,
}

impl SealSection {
    /// The cost of deriving a key for a new seal.
    pub(crate) fn cost(&self) -> Cost {
        Cost { memory_kib: self.argon2_memory_kib, passes: self.argon2_passes, lanes: self.argon2_lanes }
    }
}

/// Makes a root key and seals it, for a directory that has no seal yet. Never replaces a file.
pub(crate) fn make(
    dir: &DataDir,
    config: &SealSection,
    (account, dev): (AccountId, bool),
    random: &dyn Random,
) -> Result<Unsealed, SealError> {
    let deployment: DeploymentId = random::array(random).map_err(MakeKeyError::from)?;
    let mut root = RootKey::make(random)?;
    let passphrase = match config.kind {
        SealKind::File => {
            let path = dir.join(&config.root_key_file);
            if path.symlink_metadata().is_ok() {
                root = adopt(dir, path)?;
            } else {
                write_root_key(dir, path, &root)?;
            }
            None
        }
        SealKind::Passphrase => Some(seal_with_passphrase(config, &root, &deployment, random)?),
    };
    let seal = SealFile {
        format: FORMAT,
        deployment: hex(&deployment),
        kind: name(config.kind).to_owned(),
        account: Some(account.to_string()),
        dev,
        passphrase,
    };
    let path = dir.join(FILE);
    let text = toml::to_string(&seal)
        .map_err(|error| SealError::Malformed { path: path.clone(), reason: error.to_string() })?;
    clear_unfinished(&path)?;
    write_new(&path, 0o600, |file| file.write_all(text.as_bytes()))
        .map_err(|error| SealError::Write { path, error })?;
    Ok(Unsealed { root, deployment, account: seal.account, dev })
}

/// The root key of a first start that was cut off before it wrote `seal.toml`. Anywhere but inside the directory, the file
/// may belong to somebody else.
fn adopt(dir: &DataDir, path: PathBuf) -> Result<RootKey, SealError> {
    if dir.encloses(&path) { read_root_key(path) } else { Err(SealError::InTheWay { path }) }
}

fn write_root_key(dir: &DataDir, path: PathBuf, root: &RootKey) -> Result<(), SealError> {
    let unfinished = beside(&path);
    if unfinished.symlink_metadata().is_ok() {
        if !dir.encloses(&unfinished) {
            return Err(SealError::InTheWay { path: unfinished });
        }
        clear_unfinished(&path)?;
    }
    // EXPOSE: this file is where the root key is kept.
    write_new(&path, 0o400, |file| file.write_all(root.expose())).map_err(|error| {
        let is_in_the_way = error.kind() == io::ErrorKind::AlreadyExists;
        if is_in_the_way { SealError::InTheWay { path } } else { SealError::Write { path, error } }
    })
}

/// Removes what a start that was cut off had prepared for `path`, inside the data directory.
fn clear_unfinished(path: &Path) -> Result<(), SealError> {
    let path = beside(path);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SealError::Write { path, error }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The account of the first start, where it was written down, and whether that was one of the test mode.
pub(crate) fn first_start(dir: &DataDir) -> Result<(Option<String>, bool), SealError> {
    let path = dir.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, false)),
        text => text.map_err(|error| SealError::Missing { path: path.clone(), error })?,
    };
    let seal: Result<SealFile, _> = toml::from_str(&text);
    let seal = seal.map_err(|error| SealError::Malformed { path, reason: error.to_string() })?;
    Ok((seal.account, seal.dev))
}

/// Whether `text` is a `seal.toml` of the file seal, which holds nothing secret.
pub(crate) fn is_file_seal(text: &[u8]) -> bool {
    toml::from_slice::<SealFile>(text)
        .is_ok_and(|seal| seal.kind == name(SealKind::File) && seal.passphrase.is_none())
}

/// Reads the root key from the seal in `dir`.
pub(crate) fn open(dir: &DataDir, config: &SealSection) -> Result<Unsealed, SealError> {
    let path = dir.join(FILE);
    let text =
        std::fs::read_to_string(&path).map_err(|error| SealError::Missing { path: path.clone(), error })?;
    let malformed = |reason: String| SealError::Malformed { path: path.clone(), reason };
    let seal: SealFile = toml::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    if seal.format != FORMAT {
        return Err(malformed(format!("format {} is not known to this release", seal.format)));
    }
    let deployment = unhex(&seal.deployment)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| malformed("deployment is not 32 hexadecimal digits".to_owned()))?;
    let root = match (seal.kind.as_str(), seal.passphrase, config.kind) {
        ("file", None, SealKind::File) => read_root_key(dir.join(&config.root_key_file))?,
        ("passphrase", Some(slot), SealKind::Passphrase) => {
            let slot =
                Slot::parse(&slot).ok_or_else(|| malformed("the passphrase slot is damaged".to_owned()))?;
            open_with_passphrase(config, &slot, &deployment)?
        }
        ("file", _, SealKind::Passphrase) => {
            return Err(SealError::OtherKind { found: "file", asked: "passphrase" });
        }
        ("passphrase", _, SealKind::File) => {
            return Err(SealError::OtherKind { found: "passphrase", asked: "file" });
        }
        _ => return Err(malformed("its kind is not known to this release".to_owned())),
    };
    Ok(Unsealed { root, deployment, account: seal.account, dev: seal.dev })
}

fn read_root_key(path: PathBuf) -> Result<RootKey, SealError> {
    let missing = |error| SealError::Missing { path: path.clone(), error };
    let mut file = File::open(&path).map_err(missing)?;
    warn_if_others_read(&path, &file);
    if file.metadata().map_err(missing)?.len() != 32 {
        return Err(SealError::Malformed { path, reason: "a root key is 32 bytes".to_owned() });
    }
    RootKey::init_with(|bytes| file.read_exact(bytes).map_err(missing))
}

fn seal_with_passphrase(
    config: &SealSection,
    root: &RootKey,
    deployment: &DeploymentId,
    random: &dyn Random,
) -> Result<PassphraseSlot, SealError> {
    let cost = config.cost();
    let salt: [u8; 16] = random::array(random).map_err(MakeKeyError::from)?;
    let key = derive_wrapping_key(&read_passphrase(config)?, &salt, cost)?;
    let slot = Slot { cost, salt, wrapped: Vec::new() };
    let wrapped = wrap::wrap(
        // EXPOSE: the wrapping reads the derived key.
        key.expose(),
        &PASSPHRASE_KEY_ID,
        Kind::RootKey,
        &slot.binding(deployment),
        // EXPOSE: the root key is wrapped under the derived key; both stay in locked memory.
        root.expose(),
        random,
    )?;
    Ok(PassphraseSlot {
        argon2_memory_kib: cost.memory_kib,
        argon2_passes: cost.passes,
        argon2_lanes: cost.lanes,
        salt: hex(&salt),
        wrapped: hex(&wrapped),
    })
}

fn open_with_passphrase(
    config: &SealSection,
    slot: &Slot,
    deployment: &DeploymentId,
) -> Result<RootKey, SealError> {
    let key = derive_wrapping_key(&read_passphrase(config)?, &slot.salt, slot.cost)?;
    // EXPOSE: the root key is unwrapped with the derived key, and its copy on the heap is wiped.
    let content = wrap::unwrap(key.expose(), Kind::RootKey, &slot.binding(deployment), &slot.wrapped)
        .or(Err(SealError::Passphrase))?;
    RootKey::init_with(|bytes| {
        if bytes.len() != content.len() {
            return Err(SealError::Passphrase);
        }
        bytes.copy_from_slice(&content);
        Ok(())
    })
}

/// The first line of the passphrase file, read into locked memory.
fn read_passphrase(config: &SealSection) -> Result<Passphrase, SealError> {
    let path = config.passphrase_file.clone().unwrap_or_else(|| PathBuf::from("-"));
    let missing = |error| SealError::Missing { path: path.clone(), error };
    let mut source: Box<dyn Read> = match path.as_os_str() == "-" {
        // Not through `std::io::stdin`, whose buffer would keep a copy.
        true => Box::new(File::open("/dev/stdin").map_err(missing)?),
        false => {
            let file = File::open(&path).map_err(missing)?;
            warn_if_others_read(&path, &file);
            Box::new(file)
        }
    };
    Passphrase::init_with(|bytes| {
        let mut len = 0;
        while let Some(free) = bytes.get_mut(len..).filter(|free| !free.is_empty()) {
            match source.read(free).map_err(missing)? {
                0 => break,
                read => len += read,
            }
        }
        let read = bytes.get(..len).unwrap_or_default();
        let line = read.iter().position(|byte| *byte == b'\n');
        let line = line.or((len < Passphrase::MAX_LEN).then_some(len)).unwrap_or_default();
        let line = if line > 0 && bytes.get(line - 1) == Some(&b'\r') { line - 1 } else { line };
        if line == 0 { Err(SealError::PassphraseLength { path: path.clone() }) } else { Ok(line) }
    })
}

struct Slot {
    cost: Cost,
    salt: [u8; 16],
    wrapped: Vec<u8>,
}

impl Slot {
    fn parse(slot: &PassphraseSlot) -> Option<Self> {
        let cost =
            Cost { memory_kib: slot.argon2_memory_kib, passes: slot.argon2_passes, lanes: slot.argon2_lanes };
        Some(Self { cost, salt: unhex(&slot.salt)?.try_into().ok()?, wrapped: unhex(&slot.wrapped)? })
    }

    fn binding(&self, deployment: &DeploymentId) -> Binding {
        let cost = [self.cost.memory_kib, self.cost.passes, self.cost.lanes];
        let cost: Vec<u8> = cost.iter().flat_map(|number| number.to_be_bytes()).collect();
        Binding::default().field(1, deployment).field(7, &self.salt).field(8, &cost)
    }
}

fn name(kind: SealKind) -> &'static str {
    match kind {
        SealKind::File => "file",
        SealKind::Passphrase => "passphrase",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(digits).collect()
}
