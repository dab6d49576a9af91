//! The programs of a measurement: the server, the null server, the load.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and writes its own files")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Failure, Program};
use crate::repository::Repository;

/// Where programs run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// The core of the servers.
    First,
    /// The core of the load.
    Second,
    /// Wherever the system puts it.
    Anywhere,
}

/// Everything that measurements share: programs, a directory, a certificate.
pub(crate) struct Bench<'r> {
    repository: &'r Repository,
    directory: PathBuf,
    pinned: bool,
}

/// What the load says of a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Microseconds of the server's CPU for a request.
    pub(crate) cpu: f64,
}

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) operation: &'a str,
    pub(crate) bodies: Bodies<'a>,
    pub(crate) connections: usize,
    pub(crate) extent: Extent,
    pub(crate) place: Place,
}

/// One body, a file of them, or a file of operations with their weights and bodies.
#[derive(Clone, Copy)]
pub(crate) enum Bodies<'a> {
    File(&'a Path),
    Mix(&'a Path),
    One(&'a str),
}

/// How much is sent: for some seconds after some of warm-up, or so many requests.
#[derive(Clone, Copy)]
pub(crate) enum Extent {
    Requests(u64),
    Seconds { warmup: f64, seconds: f64 },
}

/// Why a benchmark cannot go on.
pub(crate) fn failed(why: impl Into<String>) -> Failure {
    Failure { part: "bench", why: why.into(), alone: "cargo xtask bench".to_owned() }
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| failed(format!("{}: {error}", path.display())))
}

impl<'r> Bench<'r> {
    /// An empty directory of this process below the target directory, which is removed at the end.
    pub(crate) fn prepare(repository: &'r Repository) -> Result<Self, Failure> {
        let directory = repository.target.join(format!("bench/{}", std::process::id()));
        fs::create_dir_all(&directory).map_err(|error| failed(error.to_string()))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let taskset = Program::new("taskset", &repository.root).arg("--version").output();
        let pinned = taskset.is_some() && cores > 1;
        if !pinned {
            println!("not pinned: that takes two cores and `taskset`");
        }
        Ok(Self { repository, directory, pinned })
    }

    /// A file or directory of this run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A certificate and its key; false where there is no `openssl` to make them.
    pub(crate) fn certificate(&self) -> Result<bool, Failure> {
        let config = "[req]\ndistinguished_name = name\nx509_extensions = leaf\nprompt = no\n[name]\nCN = bench\n\
                      [leaf]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = IP:127.0.0.1\n";
        let path = self.path("openssl.cnf");
        write(&path, config)?;
        let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -config openssl.cnf \
                         -keyout tls.key -out tls.crt";
        Ok(Program::new("openssl", &self.directory).args(arguments).output().is_some())
    }

    fn command(&self, place: Place, program: &Path) -> Command {
        let core = match place {
            Place::First => "0",
            Place::Second => "1",
            Place::Anywhere => "",
        };
        if !self.pinned || core.is_empty() {
            return Command::new(program);
        }
        let mut command = Command::new("taskset");
        command.args(["-c", core]).arg(program);
        command
    }

    /// Starts the server over the data in `data`, which is made where it is not there yet.
    pub(crate) fn keyreeve(&self, data: &str, place: Place, tls: bool) -> Result<Server, Failure> {
        self.keyreeve_with(data, place, tls, "")
    }

    /// The same, with more of a configuration.
    pub(crate) fn keyreeve_with(
        &self,
        data: &str,
        place: Place,
        tls: bool,
        more: &str,
    ) -> Result<Server, Failure> {
        let workers = if place == Place::Anywhere { 0 } else { 1 };
        let mut config = format!(
            "[server]\nworkers = {workers}\n[quotas]\nkeys = 2000000\ngrants_per_key = 60000\n[log]\nfilter = \"warn\"\n"
        );
        if tls {
            let [certificate, key] = ["tls.crt", "tls.key"].map(|name| self.path(name).display().to_string());
            config.push_str(&format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n"));
        }
        config.push_str(more);
        let file = self.path("keyreeve.toml");
        write(&file, &config)?;
        let mut command = self.command(place, &self.repository.release_binary("keyreeve"));
        command
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(file)
            .arg("--data-dir")
            .arg(self.path(data));
        Server::start(command, &self.path("keyreeve.log"), Some(self.path(data).join("credentials")), tls)
    }

    /// Starts the null server, with answers of so many bytes.
    pub(crate) fn null(&self, answer_bytes: usize, tls: bool) -> Result<Server, Failure> {
        let mut command = self.command(Place::First, &self.repository.release_binary("loadgen"));
        command
            .args(["null-server", "--listen", "127.0.0.1:0", "--answer-bytes"])
            .arg(answer_bytes.to_string());
        if tls {
            command.arg("--tls-cert").arg(self.path("tls.crt")).arg("--tls-key").arg(self.path("tls.key"));
        }
        Server::start(command, &self.path("null.log"), None, tls)
    }

    /// Starts the server whose trail has the level `level`, or none: an example of the server, over a store in memory.
    pub(crate) fn trail_level(&self, level: &str) -> Result<Server, Failure> {
        let credentials = self.path("credentials-levels");
        let (id, secret) = ("AKIABENCHMARKLEVELSQ", "a-secret-of-forty-characters-for-a-bench");
        let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        write(&credentials, &text)?;
        let program = self.repository.target.join("release/examples/trail_levels");
        let mut command = self.command(Place::First, &program);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        command.arg(level).arg(self.path(&format!("trail-{level}"))).arg("1");
        Server::start(command, &self.path("trail_levels.log"), Some(credentials), false)
    }

    fn loadgen(&self, place: Place) -> Command {
        self.command(place, &self.repository.release_binary("loadgen"))
    }

    /// Calls once, or page by page: each answer with its time in microseconds.
    pub(crate) fn call(
        &self,
        server: &Server,
        operation: &str,
        body: &Value,
        follow: bool,
    ) -> Result<Vec<(Value, f64)>, Failure> {
        self.call_as(server, server.credentials(), operation, body, follow)
    }

    /// The same, signed with the credentials of a file.
    pub(crate) fn call_as(
        &self,
        server: &Server,
        credentials: Option<&Path>,
        operation: &str,
        body: &Value,
        follow: bool,
    ) -> Result<Vec<(Value, f64)>, Failure> {
        let mut command = self.loadgen(Place::Second);
        command.args(["call", "--operation", operation, "--body"]).arg(body.to_string());
        command.args(follow.then_some("--follow"));
        self.target(&mut command, server, credentials);
        let lines = output(command)?;
        let lines = lines.lines().map(|line| {
            let line: Value = serde_json::from_str(line).map_err(|error| failed(error.to_string()))?;
            let time = line.get("microseconds").and_then(Value::as_f64).unwrap_or(f64::NAN);
            Ok((line.get("answer").cloned().unwrap_or_default(), time))
        });
        lines.collect()
    }

    fn target(&self, command: &mut Command, server: &Server, credentials: Option<&Path>) {
        let scheme = if server.tls { "https" } else { "http" };
        command.arg("--endpoint").arg(format!("{scheme}://{}", server.address));
        command.arg("--credentials").args(credentials);
        if server.tls {
            command.arg("--ca").arg(self.path("tls.crt"));
        }
    }

    /// Sends a load to `server`, signed for `signer`.
    pub(crate) fn load(&self, server: &Server, signer: &Server, load: Load<'_>) -> Result<Sample, Failure> {
        self.load_as(server, signer.credentials.as_deref(), load)
    }

    /// Sends a load to `server`, signed with the credentials of a file.
    pub(crate) fn load_as(
        &self,
        server: &Server,
        credentials: Option<&Path>,
        load: Load<'_>,
    ) -> Result<Sample, Failure> {
        self.load_with(server, credentials, load, &[])
    }

    /// The same, with further options of the load generator.
    pub(crate) fn load_with(
        &self,
        server: &Server,
        credentials: Option<&Path>,
        load: Load<'_>,
        more: &[&str],
    ) -> Result<Sample, Failure> {
        let mut command = self.loadgen(load.place);
        command.arg("--json").args(more);
        self.target(&mut command, server, credentials);
        match load.bodies {
            Bodies::File(path) => command.args(["--operation", load.operation, "--bodies-file"]).arg(path),
            Bodies::Mix(path) => command.arg("--mix").arg(path),
            Bodies::One(body) => command.args(["--operation", load.operation, "--body", body]),
        };
        match load.extent {
            Extent::Requests(requests) => {
                command.arg("--requests").arg(requests.to_string()).args(["--duration", "600"]);
            }
            Extent::Seconds { warmup, seconds } => {
                command.arg("--warmup").arg(warmup.to_string()).arg("--duration").arg(seconds.to_string());
            }
        }
        command.arg("--connections").arg(load.connections.to_string());
        command.arg("--server-pid").arg(server.child.id().to_string());
        let report = output(command)?;
        let report: Value = serde_json::from_str(&report).map_err(|error| failed(error.to_string()))?;
        let figure = |name: &str| report.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
        if figure("succeeded") < figure("answers") {
            return Err(failed(format!("{} was refused: {report}", load.operation)));
        }
        Ok(Sample {
            rate: figure("requests_per_second"),
            p50: figure("p50_us"),
            p99: figure("p99_us"),
            cpu: figure("server_cpu_us_per_request"),
        })
    }

    /// A load that goes on until it is stopped; what it is answered does not matter.
    pub(crate) fn background(
        &self,
        server: &Server,
        operation: &str,
        body: &str,
        connections: usize,
    ) -> Result<Background, Failure> {
        self.background_as(server, server.credentials.as_deref(), (operation, body, connections), &[])
    }

    /// The same, signed with the credentials of a file, and with further options of the load generator.
    pub(crate) fn background_as(
        &self,
        server: &Server,
        credentials: Option<&Path>,
        (operation, body, connections): (&str, &str, usize),
        more: &[&str],
    ) -> Result<Background, Failure> {
        let mut command = self.loadgen(Place::Anywhere);
        command.args(["--json", "--operation", operation, "--body", body, "--duration", "600"]).args(more);
        command.arg("--connections").arg(connections.to_string());
        self.target(&mut command, server, credentials);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok(Background(child.map_err(|error| failed(format!("{command:?}: {error}")))?))
    }

    /// What a release example of the workspace prints, on the core of the servers.
    pub(crate) fn example(&self, name: &str, arguments: &[&str]) -> Result<String, Failure> {
        let program = self.repository.target.join("release/examples").join(name);
        let mut command = self.command(Place::First, &program);
        command.args(arguments);
        output(command)
    }

    /// The rate of group commits of redb alone, with 64 writers: one figure a round.
    pub(crate) fn group_commits(&self, seconds: f64) -> Result<Vec<f64>, Failure> {
        let mut command = Command::new(self.repository.target.join("release/examples/group_commit"));
        command.arg(seconds.to_string()).arg(&self.directory);
        let lines = output(command)?;
        let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let raw = lines.filter(|line| {
            line.get("store") == Some(&"redb".into()) && line.get("writers") == Some(&64.into())
        });
        Ok(raw.filter_map(|line| line.get("commits_per_second")?.as_f64()).collect())
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // What cannot be removed stays in the target directory, where it can be looked at.
        fs::remove_dir_all(&self.directory).unwrap_or_default();
    }
}

/// A load in the background. It ends when this is dropped.
pub(crate) struct Background(Child);

impl Background {
    /// Ends it; an error where it had ended before, for then it was no load.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        match self.0.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(failed(format!("the load in the background ended early: {status}"))),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // A process that is gone already needs no signal.
        self.0.kill().and_then(|()| self.0.wait().map(drop)).unwrap_or_default();
    }
}

/// A server that runs. It ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
    tls: bool,
    credentials: Option<PathBuf>,
    /// From the start of the process to its first answer.
    pub(crate) first_answer: Duration,
}

impl Server {
    fn start(
        mut command: Command,
        log: &Path,
        credentials: Option<PathBuf>,
        tls: bool,
    ) -> Result<Self, Failure> {
        let stderr = fs::File::create(log).map_err(|error| failed(format!("{}: {error}", log.display())))?;
        let start = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn();
        let child = child.map_err(|error| failed(format!("{command:?}: {error}")))?;
        let mut server =
            Self { child, address: String::new(), tls, credentials, first_answer: Duration::ZERO };
        let mut line = String::new();
        let said = server.child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
        let address = line.trim().rsplit([' ', '/']).next().filter(|address| address.contains(':'));
        let Some(address) = address.filter(|_| matches!(said, Some(Ok(_)))) else {
            let log = fs::read_to_string(log).unwrap_or_default();
            return Err(failed(format!("{command:?} did not start: {log}")));
        };
        server.address = address.to_owned();
        if !tls {
            server.probe().map_err(|error| failed(format!("{command:?} gave no answer: {error}")))?;
        }
        server.first_answer = start.elapsed();
        Ok(server)
    }

    fn probe(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(std::io::Error::other(answer)) }
    }

    /// Processor time that it has taken, in ms.
    pub(crate) fn processor_time(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let times = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
        // In ticks of 10 ms.
        times.into_iter().flatten().filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
    }

    /// The credentials file of its root user.
    pub(crate) fn credentials(&self) -> Option<&Path> {
        self.credentials.as_deref()
    }

    /// How many files and sockets it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Resident memory, in KiB.
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
    }

    /// Ends it as an operator would, and waits.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        asked.and_then(|_| self.child.wait()).map(drop).map_err(|error| failed(error.to_string()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already is not there to be killed.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// What a program prints; its own words where it fails.
fn output(mut command: Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(format!("{command:?}: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    String::from_utf8(output.stdout).map_err(|error| failed(error.to_string()))
}
