//! What the process gives up, and what it asks of the system.

use keyreeve_crypto::parsed_keys;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::set_no_new_privs;

/// No core dumps, no `ptrace` by others of the same user, no new privileges; as much locked memory and as many
/// descriptors as the system allows; parsed private keys in locked memory.
///
/// ORDER: before there is a second thread, and before the first key is parsed.
///
/// # Errors
/// Where the kernel refuses to protect the process.
pub(crate) fn process() -> std::io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_no_new_privs(true)?;
    for resource in [Resource::Memlock, Resource::Nofile] {
        let limit = getrlimit(resource);
        if setrlimit(resource, Rlimit { current: limit.maximum, maximum: limit.maximum }).is_err() {
            tracing::warn!(?resource, "the limit could not be raised");
        }
    }
    if !parsed_keys::keep_locked(room_for_parsed_keys()) {
        tracing::warn!("parsed private keys lie in ordinary memory: the cryptographic library takes no other");
    }
    Ok(())
}

/// Half of the locked memory that the process may have; the other half is for key material.
fn room_for_parsed_keys() -> usize {
    let most = getrlimit(Resource::Memlock).current.and_then(|limit| usize::try_from(limit).ok());
    most.map_or(PARSED_KEYS_MOST, |most| (most / 2).min(PARSED_KEYS_MOST))
}

/// Bytes of locked memory for parsed private keys where the system sets no limit: some 3,000 RSA-4096 keys.
const PARSED_KEYS_MOST: usize = 64 << 20;

/// How many descriptors the process may have open; `None` is any number.
pub(crate) fn descriptors() -> Option<usize> {
    getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok())
}
