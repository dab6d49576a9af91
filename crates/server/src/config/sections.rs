//! The options, section by section.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::config::AWS_ROOT;
use crate::listen_address::ListenAddress;
use crate::setting::section;

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
        /// The files with the headers that a collector asks for, by the name of its stream: "NAME: VALUE" in each line, read for each request.
        stream_headers: BTreeMap<String, PathBuf> = BTreeMap::new(), "{}", since "0.1";
        /// Whether requests to collectors are compressed with gzip.
        stream_gzip: bool = true, "true", since "0.1";
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
        /// Seconds from one look for due rotations and deletions to the next; last uses are written as often.
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
        /// The file with the headers that the collector asks for: "NAME: VALUE" in each line, read for each request.
        otlp_headers: Option<PathBuf> = None, "\"/etc/keyreeve/collector-headers\"", since "0.1";
        /// Whether spans are compressed with gzip.
        otlp_gzip: bool = true, "true", since "0.1";
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
