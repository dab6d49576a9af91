//! Logs for operators, on standard error; and spans of requests, where a collector takes them.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry};

use crate::config::{Config, LogFormat, LogSection};
use crate::exit::Failure;
#[cfg(feature = "otlp")]
use crate::otlp::Otlp;

/// What was started, and is to be ended with the process.
#[derive(Default)]
pub(crate) struct Started {
    #[cfg(feature = "otlp")]
    otlp: Option<Otlp>,
}

impl Started {
    /// What gives the span of a request its place in the trace of its caller, where spans are sent.
    pub(crate) fn trace(&self) -> Option<keyreeve_http::ContinueTrace> {
        #[cfg(feature = "otlp")]
        if self.otlp.is_some() {
            return Some(crate::otlp::continue_from);
        }
        None
    }

    /// Sends what is left. Not from a thread that answers requests: it waits.
    pub(crate) fn stop(&self) {
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &self.otlp {
            otlp.stop();
        }
    }
}

/// Starts logging. Later calls of the same process change nothing.
pub(crate) fn start(config: &LogSection) -> Result<(), Failure> {
    let layers = Registry::default().with(log(config)?);
    // Whoever has started logging before keeps it.
    layers.try_init().or(Ok(()))
}

/// Starts logging, and sending spans where that is configured.
#[cfg(feature = "otlp")]
pub(crate) fn start_all(config: &Config) -> Result<Started, Failure> {
    let Some(url) = &config.tracing.otlp else { return start(&config.log).map(|()| Started::default()) };
    let otlp = Otlp::start(&config.tracing, url)?;
    let layers = Registry::default().with(log(&config.log)?).with(otlp.layer());
    let started: Result<(), Failure> = layers.try_init().or(Ok(()));
    started.map(|()| Started { otlp: Some(otlp) })
}

/// Starts logging.
#[cfg(not(feature = "otlp"))]
pub(crate) fn start_all(config: &Config) -> Result<Started, Failure> {
    start(&config.log).map(|()| Started::default())
}

/// What writes the log. A line says what it is about itself: the spans of requests are for collectors.
fn log(config: &LogSection) -> Result<impl tracing_subscriber::Layer<Registry> + use<>, Failure> {
    let refused = |error: &dyn std::fmt::Display| {
        Failure::Config(format!("[log] filter `{}` is not valid: {error}", config.filter))
    };
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| refused(&error))?;
    let spans = format!("{}=off", keyreeve_http::SPANS).parse().map_err(|error| refused(&error))?;
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match config.format {
        LogFormat::Json => layer.json().boxed(),
        LogFormat::Text => layer.with_ansi(false).boxed(),
    };
    Ok(layer.with_filter(filter.add_directive(spans)))
}
