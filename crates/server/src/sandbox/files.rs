//! Files, with Landlock (Linux 5.13; each later version tells more accesses apart).
//!
//! Whole directories, not files: what is replaced by another file of its name (a certificate, the identity file) is read again.

use std::path::{Component, Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use crate::config::Config;
use crate::data_dir::{self, DataDir};
use crate::streams::{Streams, Target};

/// Everything that this version tells apart is handled, and what the kernel does not know of it left out.
const VERSION: ABI = ABI::V6;

/// How much the kernel does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Enforced {
    Fully,
    Partly,
    Not,
}

/// By what the number of processors is told, and how much of them a container has; and what the allocator asks.
const SYSTEM: [&str; 4] =
    ["/proc/self", "/proc/sys/vm/overcommit_memory", "/sys/fs/cgroup", "/sys/devices/system/cpu"];
/// What names of hosts are looked up with, where anybody is asked or told over HTTPS.
const NAMES: [&str; 7] =
    ["/etc", "/lib", "/lib64", "/usr/lib", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager"];

/// Restricts this thread, and those that it will start.
pub(super) fn restrict(config: &Config, dir: Option<&DataDir>) -> Result<Enforced, RulesetError> {
    let streams = Streams::read(&config.audit).unwrap_or_default();
    let fetches = !config.identity.issuers.is_empty()
        || streams.iter().any(|(_, target)| target.is_tcp())
        || !config.metrics.webhooks.is_empty()
        || config.bucket.endpoint.is_some()
        // Spans leave on a thread that the log has started before; what it shares with others is theirs too.
        || config.tracing.otlp.is_some();
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(VERSION))?
        .scope(Scope::from_all(VERSION))?
        // The port that is listened on is open already.
        .handle_access(AccessNet::BindTcp)?;
    let ruleset = if fetches { ruleset } else { ruleset.handle_access(AccessNet::ConnectTcp)? };
    let read = AccessFs::from_read(VERSION) & !AccessFs::Execute;
    let write = AccessFs::from_all(VERSION) & !AccessFs::Execute;
    let mut readable = readable(config, dir);
    readable.extend(SYSTEM.map(PathBuf::from));
    if fetches || streams.iter().any(|(_, target)| target.has_host()) {
        readable.extend(NAMES.map(PathBuf::from));
    }
    let status = ruleset
        .create()?
        .add_rules(path_beneath_rules(readable, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(["/dev/urandom", "/dev/stdin"], AccessFs::ReadFile))?
        .add_rules(path_beneath_rules(writable(config, dir), write))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Enforced::Fully,
        RulesetStatus::PartiallyEnforced => Enforced::Partly,
        RulesetStatus::NotEnforced => Enforced::Not,
    })
}

/// Directories that are written.
fn writable(config: &Config, dir: Option<&DataDir>) -> Vec<PathBuf> {
    let Some(dir) = dir else { return Vec::new() };
    let mut found = vec![dir.path().to_owned()];
    let folders =
        [(config.audit.deliver, &config.audit.folder), (config.metrics.keep, &config.metrics.folder)];
    for (_, folder) in folders.into_iter().filter(|(is_used, folder)| *is_used && leads_out(folder)) {
        let folder = dir.join(folder);
        // One that cannot be made is told of by whoever writes to it.
        if folder.is_dir() || data_dir::make(&folder).is_ok() {
            found.push(folder);
        }
    }
    for (_, target) in Streams::read(&config.audit).unwrap_or_default() {
        if let Target::File(name) = target
            && leads_out(&name)
        {
            found.extend(parent(&dir.join(name)));
        }
    }
    // A first start makes the root key.
    let root_key = dir.join(&config.seal.root_key_file);
    if root_key.symlink_metadata().is_err() {
        found.extend(parent(&root_key));
    }
    found
}

/// Whether a name is not one in the data directory.
fn leads_out(name: &Path) -> bool {
    name.is_absolute() || name.components().any(|part| part == Component::ParentDir)
}

/// Directories that are read.
fn readable(config: &Config, dir: Option<&DataDir>) -> Vec<PathBuf> {
    let identity = &config.identity;
    let files = [
        &config.tls.certificate,
        &config.tls.key,
        &identity.file,
        &identity.issuer_ca,
        &config.metrics.webhook_ca,
        &config.tracing.otlp_ca,
        &config.tracing.otlp_headers,
        &config.bucket.bucket_ca,
        &config.bucket.credentials_file,
        &config.audit.stream_ca,
        &config.audit.stream_certificate,
        &config.audit.stream_key,
    ];
    let root_key = dir.map(|dir| dir.join(&config.seal.root_key_file));
    let files = files
        .into_iter()
        .flatten()
        .chain(&root_key)
        .chain(&config.seal.passphrase_file)
        .chain(identity.jwks.values())
        .chain(config.audit.stream_headers.values())
        .chain(&config.dev.seeds);
    let roots = config.attestation.roots.iter().map(Path::new);
    // A name may be a link to a file elsewhere.
    let places = files.map(PathBuf::as_path).chain(roots).flat_map(|file| {
        let real = std::fs::canonicalize(file).ok();
        parent(file).into_iter().chain(real.and_then(|real| parent(&real)))
    });
    places.chain(config.sandbox.read.iter().cloned()).collect()
}

fn parent(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() })
}
