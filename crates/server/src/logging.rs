//! Logs for operators, on standard error.

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSection};
use crate::exit::Failure;

/// Starts logging. Later calls of the same process change nothing.
pub(crate) fn start(config: &LogSection) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| {
        Failure::Config(format!("[log] filter `{}` is not valid: {error}", config.filter))
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
    // Whoever has started logging before keeps it.
    started.or(Ok(()))
}
