//! What a configuration must be as a whole, beyond the form of each option.

use crate::config::{Config, SealKind};
use crate::exit::Failure;
use crate::streams::Streams;
use crate::webhooks::Webhooks;
use crate::{bucket, issuers};

impl Config {
    /// The configuration, if it holds together.
    pub(super) fn validated(self) -> Result<Self, Failure> {
        let refused = |text: &str| Err(Failure::Config(text.to_owned()));
        self.account()?;
        self.regions()?;
        if !self.dev.is_on && self.dev.in_memory {
            return refused(
                "--in-memory is for tests and needs --dev: every key would be lost with the process.",
            );
        }
        if !self.dev.is_on && !self.dev.seeds.is_empty() {
            return refused(
                "--seed is for tests and needs --dev: keys whose material stands in a file are no secret.",
            );
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return refused("[tls] needs both certificate and key.");
        }
        if self.seal.kind == SealKind::Passphrase && self.seal.passphrase_file.is_none() {
            return refused("[seal] kind \"passphrase\" needs a passphrase_file.");
        }
        if self.tls.certificate.is_none()
            && !self.server.listen.is_loopback()
            && !self.server.allow_plain_http
        {
            return Err(Failure::PlainHttp { address: self.server.listen.as_str().to_owned() });
        }
        if self.limits.connections == 0 || self.limits.body_kib == 0 || self.limits.headers == 0 {
            return refused("[limits] connections, body_kib and headers must be at least 1.");
        }
        if self.seal.kind == SealKind::Passphrase && !self.seal.cost().is_valid() {
            return refused(
                "[seal] argon2_memory_kib must be at least 8 for each of argon2_lanes, argon2_passes at least 1 and argon2_lanes \
                 from 1 to 16777215.",
            );
        }
        if self.crypto.queue == 0 || self.crypto.rsa_threads == 0 || self.crypto.key_wait_seconds == 0 {
            return refused("[crypto] queue, rsa_threads and key_wait_seconds must be at least 1.");
        }
        self.request_rates()?;
        Webhooks::read(&self.metrics)?;
        Streams::read(&self.audit)?;
        issuers::check(&self.identity.jwks, &self.identity.issuers)?;
        let audit = &self.audit;
        if audit.log_seconds == 0 || audit.digest_seconds == 0 || audit.digest_key_days == 0 {
            return refused("[audit] log_seconds, digest_seconds and digest_key_days must be at least 1.");
        }
        if !is_name(&audit.trail) || !is_name(&audit.bucket) {
            return refused(
                "[audit] trail and bucket must be names of 3 to 63 lower-case letters, digits, hyphens and dots.",
            );
        }
        if !is_prefix(&audit.prefix) {
            return refused(
                "[audit] prefix must be names of letters, digits, hyphens, underscores and dots between slashes, 200 bytes at most.",
            );
        }
        bucket::validate(&self)?;
        if self.jobs.interval_seconds == 0 {
            return refused("[jobs] interval_seconds must be at least 1.");
        }
        if self.metrics.keep && (self.metrics.most_series == 0 || self.metrics.keep_days == 0) {
            return refused(
                "[metrics] most_series and keep_days must be at least 1; keep = false keeps none.",
            );
        }
        if !(0.0..=1.0).contains(&self.tracing.sample) {
            return refused("[tracing] sample must be a share, from 0 to 1.");
        }
        if self.tracing.otlp.is_some() && !cfg!(feature = "otlp") {
            return refused("[tracing] otlp needs a build with `--features otlp`; this one has none.");
        }
        if self.quotas.policy_bytes > MAX_POLICY_BYTES {
            return refused("[quotas] policy_bytes must not be above 131072.");
        }
        Ok(self)
    }
}

/// The longest policy that the API takes.
const MAX_POLICY_BYTES: usize = 131_072;

/// Whether `text` can be the name of a bucket, and so of a trail.
fn is_name(text: &str) -> bool {
    let is_inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let is_outer = |byte: Option<char>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    (3..=63).contains(&text.len())
        && text.bytes().all(is_inner)
        && is_outer(text.chars().next())
        && is_outer(text.chars().last())
}

/// Whether `text` can stand before the names of files: AWS has 200 characters for it.
fn is_prefix(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    text.is_empty() || (text.len() <= 200 && text.split('/').all(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_leads_nowhere_but_below_the_folder() {
        for (text, ok) in [
            ("", true),
            ("logs", true),
            ("logs/kms_1/a.b-c", true),
            ("/logs", false),
            ("logs/", false),
            ("logs//kms", false),
            ("..", false),
            ("logs/.keyreeve", false),
            ("a b", false),
        ] {
            assert_eq!(is_prefix(text), ok, "{text}");
        }
        assert!(!is_prefix(&"a".repeat(201)));
    }

    #[test]
    fn plain_http_is_for_loopback_unless_said_otherwise() {
        for (listen, allowed, ok) in [
            ("127.0.0.1:1", false, true),
            ("[::1]:1", false, true),
            ("0.0.0.0:1", false, false),
            ("0.0.0.0:1", true, true),
        ] {
            let mut config = Config::default();
            config.server.listen = listen.parse().unwrap();
            config.server.allow_plain_http = allowed;
            assert_eq!(config.validated().is_ok(), ok, "{listen}, allowed: {allowed}");
        }
    }
}
