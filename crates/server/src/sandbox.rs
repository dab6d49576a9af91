//! What the running service gives up: every file but its own, and every system call that it does not make.
//!
//! Files first, before the first thread: the kernel takes them from a thread and from those that it starts. System calls last, from
//! all threads at once, when whatever a start alone does is done. A kernel that cannot do the one or the other is no reason not to
//! serve; the log says what is missing.

mod calls;
mod files;

use crate::config::Config;
use crate::data_dir::DataDir;

/// Takes every file from the process but those that it works with, and from then on new ports to listen on.
pub(crate) fn files(config: &Config, dir: Option<&DataDir>) {
    if !config.sandbox.files {
        tracing::warn!("[sandbox] files is off: the service can reach every file of its user");
        return;
    }
    match files::restrict(config, dir) {
        Ok(files::Enforced::Fully) => tracing::info!("the service can reach its own files alone"),
        Ok(files::Enforced::Partly) => {
            tracing::info!(
                "the service can reach its own files alone, as far as this kernel tells accesses apart"
            );
        }
        Ok(files::Enforced::Not) => {
            tracing::warn!("the kernel has no Landlock: the service can reach every file of its user");
        }
        Err(error) => tracing::warn!(%error, "the service can reach every file of its user"),
    }
}

/// Takes every system call from the process but those that it makes.
pub(crate) fn system_calls(config: &Config) {
    if !config.sandbox.system_calls {
        tracing::warn!("[sandbox] system_calls is off: the service can make every system call");
        return;
    }
    match calls::restrict() {
        Ok(()) => tracing::info!("the service can make the system calls alone that it needs"),
        Err(error) => tracing::warn!(%error, "the service can make every system call"),
    }
}
