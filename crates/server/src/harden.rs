//! What the process gives up, and what it asks of the system.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::set_no_new_privs;

use crate::exit::Failure;

/// No core dumps, no `ptrace` by others of the same user, no new privileges; as much locked memory and as many
/// descriptors as the system allows.
///
/// # Errors
/// Where the kernel refuses to protect the process.
pub(crate) fn process() -> Result<(), Failure> {
    set_up()?;
    need_descriptors(LEAST_DESCRIPTORS)
}

fn set_up() -> std::io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_no_new_privs(true)?;
    for resource in [Resource::Memlock, Resource::Nofile] {
        let limit = getrlimit(resource);
        if setrlimit(resource, Rlimit { current: limit.maximum, maximum: limit.maximum }).is_err() {
            tracing::warn!(?resource, "the limit could not be raised");
        }
    }
    Ok(())
}

/// Refuses to begin with so few descriptors that what is begun would fail somewhere in its middle.
///
/// # Errors
/// Where there may be fewer than `least`.
pub(crate) fn need_descriptors(least: usize) -> Result<(), Failure> {
    match descriptors() {
        Some(found) if found < least => Err(Failure::Descriptors { found, least }),
        Some(_) | None => Ok(()),
    }
}

/// How many descriptors the process may have open; `None` is any number.
pub(crate) fn descriptors() -> Option<usize> {
    getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok())
}

/// Enough for a command that opens the store and writes the trail.
const LEAST_DESCRIPTORS: usize = 32;
