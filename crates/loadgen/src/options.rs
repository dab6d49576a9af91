//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Sends pre-signed KMS requests and reports requests per second and latencies.
#[derive(Debug, Parser)]
#[command(name = "loadgen", args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) load: LoadOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Call once and print a JSON object: the answer, and how long it took
    Call(CallOptions),
    /// Answer every request alike, at once: what the HTTP stack alone can do
    NullServer(NullServerOptions),
}

/// Where to send, and who signs.
#[derive(Args, Debug)]
pub(crate) struct TargetOptions {
    /// Where to send, as `http://HOST:PORT` or `https://HOST:PORT`
    #[arg(long, required = true, default_value = "")]
    pub(crate) endpoint: String,
    /// An AWS shared credentials file; without it the environment's AWS_ACCESS_KEY_ID and so on are taken
    #[arg(long)]
    pub(crate) credentials: Option<PathBuf>,
    /// The profile in the credentials file
    #[arg(long, default_value = "default")]
    pub(crate) profile: String,
    /// The Region of the signature
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: String,
    /// Certificates to trust (PEM); an https endpoint needs them
    #[arg(long)]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct CallOptions {
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    /// The operation, such as `CreateKey`
    #[arg(long)]
    pub(crate) operation: String,
    /// The JSON body
    #[arg(long, default_value = "{}")]
    pub(crate) body: String,
    /// Call again with the `NextMarker` of each answer, until there is none: an object a line
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Args, Debug)]
pub(crate) struct LoadOptions {
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    /// The operation, such as `Encrypt`
    #[arg(long, conflicts_with = "mix")]
    pub(crate) operation: Option<String>,
    /// The JSON body of every request
    #[arg(long, conflicts_with_all = ["body_file", "bodies_file"])]
    pub(crate) body: Option<String>,
    /// A file with the JSON body of every request
    #[arg(long, conflicts_with = "bodies_file")]
    pub(crate) body_file: Option<PathBuf>,
    /// A file with a JSON body a line; each request takes the next, and the first follows the last
    #[arg(long)]
    pub(crate) bodies_file: Option<PathBuf>,
    /// A file of lines `WEIGHT OPERATION BODY`: requests are drawn in proportion to their weights
    #[arg(long)]
    pub(crate) mix: Option<PathBuf>,
    /// How many connections send at once
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: usize,
    /// For how many seconds to measure
    #[arg(long, default_value_t = 10.0)]
    pub(crate) duration: f64,
    /// For how many seconds to send before measuring
    #[arg(long, default_value_t = 2.0)]
    pub(crate) warmup: f64,
    /// Stop after so many requests instead, none of them unmeasured; `duration` is then the longest that is waited
    #[arg(long, conflicts_with = "warmup")]
    pub(crate) requests: Option<u64>,
    /// So many requests a second over all connections, each at its time; without it, each connection sends as soon as it is
    /// answered. A request that could not leave in time has waited since then
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Open a connection anew after so many requests; the time to open one is then a part of the next request's
    #[arg(long)]
    pub(crate) requests_per_connection: Option<u64>,
    /// Send as every profile of the credentials file in turn: the first request as the first, and so on
    #[arg(long, conflicts_with_all = ["mix", "profile"], requires = "credentials")]
    pub(crate) every_profile: bool,
    /// The process of the server, to report its CPU time per request (Linux)
    #[arg(long)]
    pub(crate) server_pid: Option<u32>,
    /// Report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct NullServerOptions {
    /// The address to listen on; port 0 takes any, which is printed
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    /// The certificate chain (PEM): speak TLS
    #[arg(long, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key (PEM)
    #[arg(long, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// How many threads answer
    #[arg(long, default_value_t = 1)]
    pub(crate) workers: usize,
    /// How many bytes the body of an answer has
    #[arg(long, default_value_t = 300)]
    pub(crate) answer_bytes: usize,
}
