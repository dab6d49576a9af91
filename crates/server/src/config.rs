//! The configuration file, whole.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use keyreeve_attestation::Roots;
use keyreeve_core::quota::Quotas;
use keyreeve_core::request_quota::RequestQuota;
use keyreeve_core::request_rate::RequestRates;
use keyreeve_domain::{AccountId, Region};
use keyreeve_http::Limits;
use keyreeve_trail_file::Level;
use serde::Deserialize;

use crate::args::{AccountPlace, ServeArgs};
use crate::dev::DevOptions;
use crate::exit::Failure;

mod checks;
mod sections;

pub(crate) use sections::{
    AttestationSection, AuditLevel, AuditSection, BucketSection, CryptoSection, IdentitySection, JobsSection,
    LimitsSection, LogFormat, LogSection, MetricsSection, QuotasSection, RequestQuotaDefaults,
    SandboxSection, SealKind, SealSection, ServerSection, StoreSection, TlsSection, TracingSection,
};

/// The configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: ServerSection,
    pub(crate) tls: TlsSection,
    pub(crate) seal: SealSection,
    pub(crate) store: StoreSection,
    pub(crate) audit: AuditSection,
    pub(crate) bucket: BucketSection,
    pub(crate) crypto: CryptoSection,
    pub(crate) attestation: AttestationSection,
    pub(crate) identity: IdentitySection,
    pub(crate) limits: LimitsSection,
    pub(crate) quotas: QuotasSection,
    pub(crate) jobs: JobsSection,
    pub(crate) metrics: MetricsSection,
    pub(crate) sandbox: SandboxSection,
    pub(crate) log: LogSection,
    pub(crate) tracing: TracingSection,
    /// The test mode is asked for on the command line alone.
    #[serde(skip)]
    pub(crate) dev: DevOptions,
}

/// Every option with its default, commented out.
pub(crate) fn reference() -> String {
    let mut out = String::from(
        "# Every option of Keyreeve, with its default. An option that is not known here is an error.\n\
         # Made by `keyreeve config`.\n",
    );
    let sections: [fn(&mut String); 16] = [
        ServerSection::reference,
        TlsSection::reference,
        SealSection::reference,
        StoreSection::reference,
        AuditSection::reference,
        BucketSection::reference,
        CryptoSection::reference,
        AttestationSection::reference,
        IdentitySection::reference,
        LimitsSection::reference,
        QuotasSection::reference,
        JobsSection::reference,
        MetricsSection::reference,
        SandboxSection::reference,
        LogSection::reference,
        TracingSection::reference,
    ];
    for section in sections {
        out.push('\n');
        section(&mut out);
    }
    out
}

impl Config {
    /// The configuration of `args`: the file, if any, under the flags.
    pub(crate) fn load(args: &ServeArgs) -> Result<Self, Failure> {
        let mut config = match &args.config {
            None => Self::default(),
            Some(path) => read(path)?,
        };
        if let Some(data_dir) = &args.data_dir {
            config.server.data_dir.clone_from(data_dir);
        }
        if let Some(listen) = &args.listen {
            config.server.listen.clone_from(listen);
        }
        if let Some(account) = args.account {
            config.server.account = account.to_string();
        }
        if let Some(regions) = &args.regions {
            config.server.regions.clone_from(regions);
        }
        config.server.allow_plain_http |= args.allow_plain_http;
        config.dev = DevOptions { is_on: args.dev, in_memory: args.in_memory, seeds: args.seed.clone() };
        if args.dev && args.in_memory && args.data_dir.is_some() {
            let text = "--in-memory leaves no files. Take --data-dir out, or --in-memory.";
            return Err(Failure::Config(text.to_owned()));
        }
        config.validated()
    }

    /// The configuration of a command that works on the data directory.
    pub(crate) fn of_place(place: &AccountPlace) -> Result<Self, Failure> {
        Self::of_directory(place.data_dir.as_deref(), place.config.as_deref())
    }

    /// The configuration in the file `config`, if any, for the data directory `data_dir`, if one is named.
    pub(crate) fn of_directory(data_dir: Option<&Path>, config: Option<&Path>) -> Result<Self, Failure> {
        let mut config = match config {
            None => Self::default(),
            Some(path) => read(path)?,
        };
        if let Some(data_dir) = data_dir {
            data_dir.clone_into(&mut config.server.data_dir);
        }
        config.validated()
    }

    pub(crate) fn account(&self) -> Result<AccountId, Failure> {
        let text = &self.server.account;
        text.parse().map_err(|error| Failure::Config(format!("account `{text}`: {error}.")))
    }

    /// The Regions; none is any.
    pub(crate) fn regions(&self) -> Result<Vec<Region>, Failure> {
        let text = self.server.regions.trim();
        if text == "any" {
            return Ok(Vec::new());
        }
        let region = |name: &str| {
            name.trim()
                .parse()
                .map_err(|error| Failure::Config(format!("Region `{}`: {error}.", name.trim())))
        };
        text.split(',').map(region).collect()
    }

    pub(crate) fn limits(&self) -> Limits {
        let limits = &self.limits;
        Limits {
            connections: limits.connections,
            refusals: Limits::DEFAULT.refusals,
            handshake: Duration::from_secs(limits.handshake_seconds),
            head: Duration::from_secs(limits.head_seconds),
            body: Duration::from_secs(limits.body_seconds),
            head_bytes: limits.head_kib.saturating_mul(1024),
            headers: limits.headers,
            body_bytes: limits.body_kib.saturating_mul(1024),
            drain: Duration::from_secs(limits.drain_seconds),
        }
    }

    pub(crate) fn quotas(&self) -> Quotas {
        let quotas = &self.quotas;
        Quotas {
            keys: quotas.keys,
            aliases_per_key: quotas.aliases_per_key,
            grants_per_key: quotas.grants_per_key,
            on_demand_rotations: quotas.on_demand_rotations,
            policy_bytes: quotas.policy_bytes,
            tags_per_key: quotas.tags_per_key,
        }
    }

    /// Keys that requests are counted by from one minute to the next.
    pub(crate) fn counted_keys(&self) -> usize {
        if self.metrics.keep { self.metrics.most_series } else { 0 }
    }

    /// The request quotas.
    pub(crate) fn request_rates(&self) -> Result<RequestRates, Failure> {
        let QuotasSection { requests, request_rates, account_request_rates, .. } = &self.quotas;
        let mut of_account = HashMap::new();
        for (account, rates) in account_request_rates {
            let fault = |error: &dyn std::fmt::Display| {
                Failure::Config(format!("[quotas] account_request_rates, `{account}`: {error}."))
            };
            let id: AccountId = account.parse().map_err(|error| fault(&error))?;
            of_account.extend(named_rates(rates)?.into_iter().map(|(quota, rate)| ((id, quota), rate)));
        }
        let aws_defaults = *requests == RequestQuotaDefaults::Aws;
        Ok(RequestRates { aws_defaults, of_all: named_rates(request_rates)?, of_account })
    }

    /// The roots of attestation.
    pub(crate) fn roots(&self) -> Result<Roots, Failure> {
        let (aws, files): (Vec<_>, Vec<_>) =
            self.attestation.roots.iter().partition(|name| *name == AWS_ROOT);
        let first = if aws.is_empty() { Roots::none() } else { Roots::aws_nitro() };
        files.into_iter().try_fold(first, |roots, named| {
            let fault = |error: &dyn std::fmt::Display| {
                Failure::Config(format!("[attestation] roots, `{named}`: {error}."))
            };
            let pem = std::fs::read(named).map_err(|error| fault(&error))?;
            roots.with_pem(&pem).map_err(|error| fault(&error))
        })
    }

    pub(crate) fn audit_level(&self) -> Level {
        match self.audit.durability {
            AuditLevel::Sync => Level::Sync,
            AuditLevel::Write => Level::Write,
        }
    }
}

/// The name of the root certificate that is built in.
const AWS_ROOT: &str = "aws";

fn named_rates(rates: &BTreeMap<String, f64>) -> Result<HashMap<RequestQuota, f64>, Failure> {
    let named = |(name, rate): (&String, &f64)| {
        let refused = |why: &str| Failure::Config(format!("[quotas] request rate of `{name}`: {why}."));
        let quota = RequestQuota::named(name).ok_or_else(|| {
            let names: Vec<_> = RequestQuota::ALL.iter().map(|quota| quota.name()).collect();
            refused(&format!("there is no such request quota; there are {}", names.join(", ")))
        })?;
        match *rate > 0.0 {
            true => Ok((quota, *rate)),
            false => Err(refused("it must be above 0; inf is unlimited")),
        }
    };
    rates.iter().map(named).collect()
}

fn read(path: &Path) -> Result<Config, Failure> {
    let fault = |error: &dyn std::fmt::Display| {
        Failure::Config(format!("the configuration `{}`: {error}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| fault(&error))?;
    toml::from_str(&text).map_err(|error| fault(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garbled::garbled;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_garbled_configuration_is_taken_or_refused(text in garbled(include_str!("../../../keyreeve.toml"))) {
            if let Ok(config) = toml::from_str::<Config>(&text) {
                drop(config.validated());
            }
        }
    }

    #[test]
    fn the_shipped_file_is_the_reference() {
        let shipped = include_str!("../../../keyreeve.toml");
        assert_eq!(shipped, reference(), "write it anew with `keyreeve config > keyreeve.toml`");
    }

    #[test]
    fn every_default_of_the_reference_is_the_default() {
        let uncommented: Vec<_> = reference()
            .lines()
            .map(|line| {
                line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line).to_owned()
            })
            .filter(|line| {
                !line.starts_with("certificate")
                    && !line.starts_with("key =")
                    && !line.starts_with("passphrase_file")
                    && !line.starts_with("file =")
                    && !line.starts_with("issuer_ca")
                    && !line.starts_with("otlp")
                    && !line.starts_with("stream_ca")
                    && !line.starts_with("stream_certificate")
                    && !line.starts_with("stream_key")
                    && !line.starts_with("webhook_ca")
                    && !line.starts_with("endpoint")
                    && !line.starts_with("credentials_file")
                    && !line.starts_with("bucket_ca")
                    && !line.starts_with("sse_kms_key")
                    && !line.starts_with("kms_key")
            })
            .collect();
        let read: Config = toml::from_str(&uncommented.join("\n")).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn an_option_that_is_not_known_is_an_error() {
        for text in ["[server]\nlissten = \"127.0.0.1:1\"", "[sever]\n", "[seal]\nkind = \"stone\""] {
            assert!(toml::from_str::<Config>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn request_rates_are_those_of_quotas_that_exist_and_allow_something() {
        for (text, ok) in [
            ("request_rates = { CreateKey = 2, \"Cryptographic operations (RSA)\" = 0.5, Sign = 1 }", false),
            ("request_rates = { CreateKey = 2, \"Cryptographic operations (RSA)\" = 0.5 }", true),
            ("request_rates = { CreateKey = inf }", true),
            ("request_rates = { CreateKey = 0 }", false),
            ("request_rates = { CreateKey = -1 }", false),
            ("request_rates = { CreateKey = nan }", false),
            ("account_request_rates = { 111122223333 = { CreateKey = 1 } }", true),
            ("account_request_rates = { 1111 = { CreateKey = 1 } }", false),
            ("account_request_rates = { 111122223333 = { CreateKeys = 1 } }", false),
        ] {
            let config: Config = toml::from_str(&format!("[quotas]\n{text}")).unwrap();
            assert_eq!(config.validated().is_ok(), ok, "{text}");
        }
    }
}
