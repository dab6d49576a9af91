//! The configuration file, whole.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
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
use crate::issuers;
use crate::listen_address::ListenAddress;
use crate::setting::section;
use crate::streams::Streams;
use crate::webhooks::Webhooks;

section! {
    /// Where the service is reached and what it answers for.
    ServerSection in "server" {
        /// The address to listen on, or the name of one; port 0 takes any that is free. Flag: --listen
        listen: ListenAddress = ListenAddress::default(), "\"127.0.0.1:4599\"", since "0.1";
        /// Where keys, audit trail and credentials are kept. Flag: --data-dir
        data_dir: PathBuf = PathBuf::from("./keyreeve-data"), "\"./keyreeve-data\"", since "0.1";
        /// The account, twelve digits. Flag: --account
        account: String = "000000000000".to_owned(), "\"000000000000\"", since "0.1";
        /// The Regions to answer for, separated by commas, or "any": every Region name then has its own keys. Flag: --regions
        regions: String = "any".to_owned(), "\"any\"", since "0.1";
        /// Worker threads; 0 is one for each core.
        workers: usize = 0, "0", since "0.1";
        /// Serve plain HTTP on an address that other machines can reach. Flag: --allow-plain-http
        allow_plain_http: bool = false, "false", since "0.1";
    }
}

section! {
    /// TLS 1.2 and 1.3. Both files are read again on SIGHUP.
    TlsSection in "tls" {
        /// The certificate chain, PEM, the server's own certificate first. Without one the service speaks plain HTTP.
        certificate: Option<PathBuf> = None, "\"/etc/keyreeve/tls.crt\"", since "0.1";
        /// The private key, PEM.
        key: Option<PathBuf> = None, "\"/etc/keyreeve/tls.key\"", since "0.1";
    }
}

/// How the root key is kept.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SealKind {
    File,
    Passphrase,
}

section! {
    /// How the root key is kept. Chosen at the first start; later starts must say the same.
    SealSection in "seal" {
        /// "file": in a file of its own. "passphrase": wrapped under a key derived with argon2id.
        kind: SealKind = SealKind::File, "\"file\"", since "0.1";
        /// The file of the root key, 32 bytes; relative to the data directory.
        root_key_file: PathBuf = PathBuf::from("root.key"), "\"root.key\"", since "0.1";
        /// The file that holds the passphrase on its first line; "-" reads it from standard input.
        passphrase_file: Option<PathBuf> = None, "\"/run/credentials/passphrase\"", since "0.1";
        /// Memory of argon2id in KiB, for a new seal.
        argon2_memory_kib: u32 = 262_144, "262144", since "0.1";
        /// Passes of argon2id, for a new seal.
        argon2_passes: u32 = 3, "3", since "0.1";
        /// Lanes of argon2id, for a new seal.
        argon2_lanes: u32 = 4, "4", since "0.1";
    }
}

section! {
    /// The embedded store.
    StoreSection in "store" {
        /// Pages of the file kept in memory, in MiB.
        cache_mib: usize = 8, "8", since "0.1";
        /// Free space, in MiB, below which writes are refused before the disk is full.
        reserve_mib: u64 = 16, "16", since "0.1";
        /// Check the whole file at every start: about half a second for 100,000 keys. Without it, damage can hide a record.
        check_on_open: bool = true, "true", since "0.1";
        /// KMS keys kept open in memory, about 1 KiB each.
        cached_keys: usize = 131_072, "131072", since "0.1";
    }
}

/// How durable a record of the trail is before its answer leaves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuditLevel {
    Sync,
    Write,
}

section! {
    /// The audit trail.
    AuditSection in "audit" {
        /// "write": survives a crash of the process. "sync": survives a loss of power; every answer waits for the disk.
        durability: AuditLevel = AuditLevel::Write, "\"write\"", since "0.1", once "level";
        /// A new segment file begins at this size, in MiB.
        segment_mib: u64 = 64, "64", since "0.1";
        /// Deliver the trail as CloudTrail log files and signed digests, and serve them over the APIs of CloudTrail and S3.
        deliver: bool = true, "true", since "0.1";
        /// The folder that they are delivered to; relative to the data directory.
        folder: PathBuf = PathBuf::from("trail"), "\"trail\"", since "0.1";
        /// The name of the trail.
        trail: String = "keyreeve".to_owned(), "\"keyreeve\"", since "0.1";
        /// The bucket that the folder is over the API of S3, and that digests name.
        bucket: String = "keyreeve-trail".to_owned(), "\"keyreeve-trail\"", since "0.1";
        /// What the names of files begin with, in the folder and in a bucket; nothing, or such as "logs/kms".
        prefix: String = String::new(), "\"\"", since "0.1";
        /// The KMS key that log files are encrypted under in the folder, as the API names keys; in the clear without one.
        kms_key: Option<String> = None, "\"alias/trail\"", since "0.1";
        /// Seconds from one log file to the next, where anything happened.
        log_seconds: u64 = 300, "300", since "0.1";
        /// Seconds from one digest to the next, whether anything happened or not.
        digest_seconds: u64 = 3600, "3600", since "0.1";
        /// Days after which a segment is removed whose events were all delivered; 0 keeps it. Log files and digests stay.
        keep_days: u32 = 0, "0", since "0.1";
        /// MiB of all segments, beyond which the oldest of those are removed; 0 is no bound.
        keep_mib: u64 = 0, "0", since "0.1";
        /// MiB of room that a file holds for the trail, and that is given up when the disk is nearly full; 0 holds none.
        reserve_mib: u64 = 64, "64", since "0.1";
        /// MiB of free space below which the log and the metrics warn.
        warn_mib: u64 = 1024, "1024", since "0.1";
        /// Who is told of every event as it happens, by name: "udp://HOST:514", "tcp://HOST:601", "tls://HOST:6514", "otlp:https://HOST:4318", "unix:/dev/log",
        /// "file:PATH".
        streams: BTreeMap<String, String> = BTreeMap::new(), "{}", since "0.1";
        /// The PEM file of the certificates that streams over TLS trust; without one, those that browsers trust.
        stream_ca: Option<PathBuf> = None, "\"/etc/keyreeve/logs-ca.crt\"", since "0.1";
        /// The PEM files of certificate and key by which those streams show who they are.
        stream_certificate: Option<PathBuf> = None, "\"/etc/keyreeve/logs.crt\"", since "0.1";
        /// The key of that certificate.
        stream_key: Option<PathBuf> = None, "\"/etc/keyreeve/logs.key\"", since "0.1";
        /// Your private enterprise number, for structured data of syslog that says what an event is about; 0 is none.
        stream_enterprise: u32 = 0, "0", since "0.1";
        /// MiB at which the file of a stream is put aside; 0 lets it grow.
        stream_file_mib: u64 = 64, "64", since "0.1";
        /// Files that were put aside and are kept, of each such stream.
        stream_files: u32 = 4, "4", since "0.1";
        /// Days after which another key signs the digests.
        digest_key_days: u32 = 365, "365", since "0.1";
    }
}

section! {
    /// A bucket of S3, or of anything that speaks its API, that gets the log files and digests as well. Its name is [audit] bucket.
    BucketSection in "bucket" {
        /// The URL of the service; without one, there is the folder alone.
        endpoint: Option<String> = None, "\"https://s3.eu-central-1.amazonaws.com\"", since "0.1";
        /// The Region of the bucket.
        region: String = "us-east-1".to_owned(), "\"us-east-1\"", since "0.1";
        /// The file with the access key, as AWS clients have it, read for each request. Without one, the key is in KEYREEVE_BUCKET_ACCESS_KEY_ID,
        /// KEYREEVE_BUCKET_SECRET_ACCESS_KEY and, for a session, KEYREEVE_BUCKET_SESSION_TOKEN.
        credentials_file: Option<PathBuf> = None, "\"/etc/keyreeve/bucket-credentials\"", since "0.1";
        /// The profile in that file.
        profile: String = "default".to_owned(), "\"default\"", since "0.1";
        /// Name the bucket in the path of requests; else in the name of the host.
        path_style: bool = true, "true", since "0.1";
        /// Speak plain HTTP to another machine.
        allow_plain_http: bool = false, "false", since "0.1";
        /// Root certificates for an https URL, PEM; without it, those that browsers trust.
        bucket_ca: Option<PathBuf> = None, "\"/etc/keyreeve/bucket-ca.crt\"", since "0.1";
        /// The KMS key that the service of the bucket encrypts the files under (SSE-KMS).
        sse_kms_key: Option<String> = None, "\"arn:aws:kms:eu-central-1:111122223333:alias/trail\"", since "0.1";
        /// The service knows conditional writes (If-None-Match), by which nothing is ever overwritten. Without, it is asked first.
        if_none_match: bool = true, "true", since "0.1";
        /// Seconds that a request may take.
        timeout_seconds: u64 = 60, "60", since "0.1";
    }
}

section! {
    /// What is computed with keys.
    CryptoSection in "crypto" {
        /// Threads for what would hold up a worker: RSA_3072, RSA_4096, new key pairs; 0 is one for each core.
        threads: usize = 0, "0", since "0.1";
        /// Computations that wait at once, for those threads and on each worker; beyond, the answer is ThrottlingException.
        queue: usize = 1024, "1024", since "0.1";
        /// Threads that make RSA keys.
        rsa_threads: usize = 1, "1", since "0.1";
        /// RSA keys of each size that are kept ready, from the first key of that size on.
        ready_rsa_keys: usize = 2, "2", since "0.1";
        /// Seconds that a request waits for a computation or a new RSA key; then the answer is DependencyTimeoutException.
        key_wait_seconds: u64 = 20, "20", since "0.1";
        /// KiB of locked memory for parsed private keys, 11 for an RSA_2048 key; beyond, they lie in ordinary memory.
        locked_kib: usize = 2048, "2048", since "0.1";
        /// Make SM2 keys in every Region; in those of China they are made in any case.
        sm2: bool = false, "false", since "0.1";
    }
}

section! {
    /// Answers for an attested enclave (the Recipient parameter).
    AttestationSection in "attestation" {
        /// The root certificates that attestation documents may lead to: "aws" for AWS Nitro Enclaves Root-G1, or PEM files.
        roots: Vec<String> = vec![AWS_ROOT.to_owned()], "[\"aws\"]", since "0.1";
    }
}

section! {
    /// Accounts, users and roles, and the identity providers whose tokens are accepted.
    IdentitySection in "identity" {
        /// A file that declares accounts, users, groups, roles and policies; see docs/identity.md. Read again on SIGHUP.
        file: Option<PathBuf> = None, "\"/etc/keyreeve/identity.toml\"", since "0.1";
        /// Identity providers whose keys are pinned: the URL of each, and the file with its JSON Web Key Set.
        jwks: BTreeMap<String, PathBuf> = BTreeMap::new(), "{}", since "0.1";
        /// URLs of identity providers whose keys are fetched from them, over HTTPS.
        issuers: Vec<String> = Vec::new(), "[]", since "0.1";
        /// Root certificates of those, PEM; without it, those that browsers trust.
        issuer_ca: Option<PathBuf> = None, "\"/etc/keyreeve/issuer-ca.crt\"", since "0.1";
    }
}

section! {
    /// What clients may take.
    LimitsSection in "limits" {
        /// Connections at once; one beyond them is refused with 503 after a second.
        connections: usize = 10_000, "10000", since "0.1";
        /// Seconds for a TLS handshake.
        handshake_seconds: u64 = 10, "10", since "0.1";
        /// Seconds for the head of a request, and for the pause between two requests of a connection.
        head_seconds: u64 = 30, "30", since "0.1";
        /// Seconds for the body of a request.
        body_seconds: u64 = 30, "30", since "0.1";
        /// KiB of a head.
        head_kib: usize = 32, "32", since "0.1";
        /// Headers of a request.
        headers: usize = 100, "100", since "0.1";
        /// KiB of a body.
        body_kib: usize = 1024, "1024", since "0.1";
        /// Seconds for the requests in hand when the service stops.
        drain_seconds: u64 = 30, "30", since "0.1";
    }
}

/// What holds for a request quota that is not named.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RequestQuotaDefaults {
    Aws,
    Unlimited,
}

section! {
    /// Quotas, per account and Region where not said otherwise.
    QuotasSection in "quotas" {
        /// Customer managed keys.
        keys: u64 = 100_000, "100000", since "0.1";
        /// Aliases per key.
        aliases_per_key: u64 = 50, "50", since "0.1";
        /// Grants per key.
        grants_per_key: u64 = 50_000, "50000", since "0.1";
        /// Rotations on demand per key, in its whole life.
        on_demand_rotations: u32 = 25, "25", since "0.1";
        /// Bytes of a key policy.
        policy_bytes: usize = 32_768, "32768", since "0.1";
        /// Tags per key.
        tags_per_key: usize = 50, "50", since "0.1";
        /// Requests in a second: "unlimited", or "aws" for the request quotas that AWS starts with.
        requests: RequestQuotaDefaults = RequestQuotaDefaults::Unlimited, "\"unlimited\"", since "0.1";
        /// Request quotas that differ, by the names that AWS has for them; see docs/configuration.md.
        request_rates: BTreeMap<String, f64> = BTreeMap::new(), "{}", since "0.1";
        /// Those of single accounts, by the account.
        account_request_rates: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new(), "{}", since "0.1";
    }
}

section! {
    /// What the service does by itself.
    JobsSection in "jobs" {
        /// Seconds from one look for due rotations and deletions to the next.
        interval_seconds: u64 = 30, "30", since "0.1";
    }
}

section! {
    /// Spans of requests, for a collector of OpenTelemetry; in builds with the feature `otlp` alone.
    TracingSection in "tracing" {
        /// Where they are sent to, over HTTP: the URL with its path.
        otlp: Option<String> = None, "\"http://127.0.0.1:4318/v1/traces\"", since "0.1";
        /// Root certificates for an https URL, PEM; without it, those that browsers trust.
        otlp_ca: Option<PathBuf> = None, "\"/etc/keyreeve/collector-ca.crt\"", since "0.1";
        /// Share of requests that begin a trace; a caller who sends a trace context decides for his.
        sample: f64 = 1.0, "1.0", since "0.1";
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Json,
    Text,
}

section! {
    /// Metrics: the API of CloudWatch reads them. What Prometheus reads is there in any case.
    MetricsSection in "metrics" {
        /// Count requests by account, operation and key, and keep the counts.
        keep: bool = true, "true", since "0.1";
        /// The folder that they are kept in; relative to the data directory.
        folder: PathBuf = PathBuf::from("metrics"), "\"metrics\"", since "0.1";
        /// Days after which they are removed: 15 with a point for each minute, up to 63 for five minutes, up to 455 for an hour.
        keep_days: u32 = 455, "455", since "0.1";
        /// Series of keys with points of the last fifteen days, four or so for a key in use; beyond, a key is counted for its account alone.
        most_series: usize = 100_000, "100000", since "0.1";
        /// MiB of all files, beyond which the oldest points of the finest resolution are removed.
        most_mib: u64 = 1024, "1024", since "0.1";
        /// Where the actions of alarms lead: URLs by the ARN that stands for them, such as that of a topic of SNS; see docs/metrics.md.
        webhooks: BTreeMap<String, String> = BTreeMap::new(), "{}", since "0.1";
        /// Root certificates of those, PEM; without it, those that browsers trust.
        webhook_ca: Option<PathBuf> = None, "\"/etc/keyreeve/webhook-ca.crt\"", since "0.1";
    }
}

section! {
    /// What the running service gives up, where the kernel can take it. See docs/configuration.md.
    SandboxSection in "sandbox" {
        /// Reach the files alone that this configuration names, and those beside them (Landlock).
        files: bool = true, "true", since "0.1";
        /// Make the system calls alone that the service needs (seccomp).
        system_calls: bool = true, "true", since "0.1";
        /// Further directories to read: of files that the identity file names elsewhere than beside it.
        read: Vec<PathBuf> = Vec::new(), "[]", since "0.1";
    }
}

section! {
    /// Logs, on standard error.
    LogSection in "log" {
        /// "text" or "json".
        format: LogFormat = LogFormat::Text, "\"text\"", since "0.1";
        /// What is logged: a level, or levels by module.
        filter: String = "info".to_owned(), "\"info\"", since "0.1";
    }
}

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

    fn validated(self) -> Result<Self, Failure> {
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
        crate::bucket::validate(&self)?;
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
/// The longest policy that the API takes.
const MAX_POLICY_BYTES: usize = 131_072;

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
