//! Ways to tell events: datagrams, connections, a file.
//!
//! What cannot be sent is an error, after which the way is opened anew. A connection says too late that it is broken: what it took a
//! while ago has come only if it is still open then ([`Way::doubt`]), for the system ends one whose other side does not acknowledge.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyreeve_observe::otlp::Exporter;
use keyreeve_observe::syslog::{self, Sender};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use socket2::{SockRef, TcpKeepalive};
use tokio::time::Instant;

use crate::collector_request::CollectorRequest;
use crate::config::AuditSection;
use crate::data_dir::DataDir;
use crate::exit::Failure;
use crate::https::{self, Https};
use crate::streams::collector::{Collector, CollectorWay};
use crate::streams::counts::Counts;
use crate::streams::file::FileWay;
use crate::streams::target::Target;

/// A way that is open.
pub(super) trait Way: Send {
    /// Sends an event.
    fn send(&mut self, json: &[u8], is_stopped: &dyn Fn() -> bool) -> io::Result<()>;

    /// Sends what is still held back.
    fn flush(&mut self, _: &dyn Fn() -> bool) -> io::Result<()> {
        Ok(())
    }

    /// An error where the way is known to be broken.
    fn check(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// How long after it was sent something may prove not to have come.
    fn doubt(&self) -> Duration {
        Duration::ZERO
    }

    /// Closes the way; whether all that was sent has come.
    fn close(&mut self) -> bool {
        true
    }
}

/// How the way to a target is opened.
pub(super) struct Ways {
    target: Target,
    sender: Sender,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    collector: Option<Collector>,
    /// MiB of a file, and how many older ones are kept.
    file: (u64, u32),
}

impl Ways {
    pub(super) fn new(
        config: &AuditSection,
        (name, target): (&str, &Target),
        dir: &DataDir,
        (sender, counts): (Sender, &Arc<Counts>),
    ) -> Result<Self, Failure> {
        let tls = match target {
            Target::Tls(host, _) => Some((Arc::new(tls_client(config)?), server_name(host)?)),
            Target::File(_) | Target::Otlp(_) | Target::Tcp(..) | Target::Udp(..) | Target::Unix(_) => None,
        };
        let collector = match target {
            Target::Otlp(url) => Some(Collector {
                url: url.clone(),
                request: CollectorRequest::new(
                    url,
                    config.stream_headers.get(name).map(PathBuf::as_path),
                    "[audit] stream_headers",
                    config.stream_gzip,
                )?,
                https: Arc::new(Https::of(tls_client(config)?)),
                exporter: Exporter::new(
                    &crate::streams::hostname(),
                    std::process::id(),
                    env!("CARGO_PKG_VERSION"),
                ),
                counts: Arc::clone(counts),
            }),
            Target::File(_) | Target::Tcp(..) | Target::Tls(..) | Target::Udp(..) | Target::Unix(_) => None,
        };
        let target = match target {
            Target::File(path) => Target::File(dir.join(path)),
            other @ (Target::Otlp(_)
            | Target::Tcp(..)
            | Target::Tls(..)
            | Target::Udp(..)
            | Target::Unix(_)) => other.clone(),
        };
        Ok(Self { target, sender, tls, collector, file: (config.stream_file_mib, config.stream_files) })
    }

    pub(super) fn open(&self) -> io::Result<Box<dyn Way>> {
        if let Some(collector) = &self.collector {
            return Ok(Box::new(CollectorWay::open(collector.clone())?));
        }
        let sender = self.sender.clone();
        Ok(match (&self.target, &self.tls) {
            (Target::File(path), _) => {
                let (mib, older) = self.file;
                Box::new(FileWay::open(path, mib.saturating_mul(1 << 20), older)?)
            }
            // It has its way above.
            (Target::Otlp(_), _) => return Err(ErrorKind::Unsupported.into()),
            (Target::Udp(host, port), _) => {
                let address = (host.as_str(), *port).to_socket_addrs()?.next().ok_or(ErrorKind::NotFound)?;
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any)?;
                socket.connect(address)?;
                socket.set_write_timeout(Some(TURN))?;
                let send = move |message: &[u8]| socket.send(message);
                Box::new(Datagrams { sender, send, most: UDP_MOST })
            }
            (Target::Unix(path), _) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                socket.set_write_timeout(Some(TURN))?;
                let send = move |message: &[u8]| socket.send(message);
                Box::new(Datagrams { sender, send, most: UNIX_MOST })
            }
            (Target::Tcp(host, port), _) | (Target::Tls(host, port), None) => {
                Box::new(Frames { sender, stream: connect(host, *port)?, out: Vec::new() })
            }
            (Target::Tls(host, port), Some((config, name))) => {
                let tcp = connect(host, *port)?;
                let connection = ClientConnection::new(Arc::clone(config), name.clone());
                let mut stream = StreamOwned::new(connection.map_err(io::Error::other)?, tcp);
                let begun = Instant::now();
                while stream.conn.is_handshaking() {
                    match stream.conn.complete_io(&mut stream.sock) {
                        Ok(_) => {}
                        Err(error) if is_slow(&error) && Instant::now().duration_since(begun) < STALLED => {}
                        Err(error) => return Err(error),
                    }
                }
                Box::new(Frames { sender, stream, out: Vec::new() })
            }
        })
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, Failure> {
    let fault = |error| Failure::Config(format!("[audit] streams, `{host}`: {error}."));
    ServerName::try_from(host.to_owned()).map_err(fault)
}

/// What is trusted, and by what the other side knows this one.
fn tls_client(config: &AuditSection) -> Result<ClientConfig, Failure> {
    let roots = https::roots(config.stream_ca.as_deref(), "[audit] stream_ca")?;
    let builder = https::client(roots)?;
    let (Some(certificate), Some(key)) = (&config.stream_certificate, &config.stream_key) else {
        return Ok(builder.with_no_client_auth());
    };
    let fault = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::Config(format!("[audit] stream_certificate, stream_key, `{}`: {error}.", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| fault(key, &error))?;
    let client = builder.with_client_auth_cert(chain, private);
    client.map_err(|error| fault(certificate, &error))
}

/// A connection whose other side must acknowledge what it is sent.
fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                let socket = SockRef::from(&stream);
                socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
                socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(TURN))?;
                stream.set_read_timeout(Some(TURN))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whether a call only took longer than it may.
fn is_slow(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// One message in each datagram.
struct Datagrams<S> {
    sender: Sender,
    send: S,
    most: usize,
}

impl<S: Fn(&[u8]) -> io::Result<usize> + Send> Way for Datagrams<S> {
    fn send(&mut self, json: &[u8], is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        let unread = || io::Error::other("an event cannot be read");
        let mut message = self.sender.message(json).ok_or_else(unread)?;
        if message.len() > self.most {
            message =
                syslog::shortened(json).and_then(|json| self.sender.message(&json)).ok_or_else(unread)?;
        }
        let begun = Instant::now();
        loop {
            match (self.send)(&message) {
                Ok(_) => return Ok(()),
                Err(error)
                    if is_slow(&error) && !is_stopped() && Instant::now().duration_since(begun) < STALLED => {
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A stream of bytes over a connection.
trait Connection: Read + Write + Send {
    fn tcp(&self) -> &TcpStream;
    /// Says that nothing follows.
    fn finish(&mut self);
}

impl Connection for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }

    fn finish(&mut self) {}
}

impl Connection for StreamOwned<ClientConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }

    fn finish(&mut self) {
        self.conn.send_close_notify();
        // The other side sees the end in any case.
        drop(self.conn.complete_io(&mut self.sock));
    }
}

/// Frames that are counted, over a connection.
struct Frames<C> {
    sender: Sender,
    stream: C,
    out: Vec<u8>,
}

impl<C: Connection> Frames<C> {
    fn push(&mut self, is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        let (mut done, mut progress) = (0, Instant::now());
        loop {
            let rest = self.out.get(done..).unwrap_or_default();
            let outcome =
                if rest.is_empty() { self.stream.flush().map(|()| 0) } else { self.stream.write(rest) };
            match outcome {
                Ok(0) if rest.is_empty() => break,
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    done = done.saturating_add(written);
                    progress = Instant::now();
                }
                Err(error) if is_slow(&error) => {
                    if is_stopped() || Instant::now().duration_since(progress) >= STALLED {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        Ok(())
    }

    /// Reads what the other side says, which is nothing, until it says no more; whether it has closed.
    fn is_closed(&mut self, wait: Duration) -> io::Result<bool> {
        let socket = SockRef::from(self.stream.tcp());
        match wait {
            Duration::ZERO => socket.set_nonblocking(true)?,
            wait => socket.set_read_timeout(Some(wait))?,
        }
        let mut said = [0; 256];
        let outcome = loop {
            match self.stream.read(&mut said) {
                Ok(0) => break Ok(true),
                Ok(_) => {}
                Err(error) if is_slow(&error) => break Ok(false),
                // A side that ends TLS by closing the connection has closed.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break Ok(true),
                Err(error) => break Err(error),
            }
        };
        let socket = SockRef::from(self.stream.tcp());
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(Some(TURN))?;
        outcome
    }
}

impl<C: Connection> Way for Frames<C> {
    fn send(&mut self, json: &[u8], is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        let message = self.sender.message(json).ok_or_else(|| io::Error::other("an event cannot be read"))?;
        syslog::counted(&message, &mut self.out);
        if self.out.len() >= BUFFER { self.push(is_stopped) } else { Ok(()) }
    }

    fn flush(&mut self, is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        self.push(is_stopped)
    }

    fn check(&mut self) -> io::Result<()> {
        match self.is_closed(Duration::ZERO)? {
            false => Ok(()),
            true => Err(io::Error::new(ErrorKind::ConnectionAborted, "the other side closed the connection")),
        }
    }

    fn doubt(&self) -> Duration {
        DOUBT
    }

    /// Whoever closes after he was told that nothing follows has read what came before.
    fn close(&mut self) -> bool {
        self.stream.finish();
        self.stream.tcp().shutdown(Shutdown::Write).is_ok() && matches!(self.is_closed(TURN), Ok(true))
    }
}

/// Bytes that are held back to be sent at once.
const BUFFER: usize = 64 * 1024;
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take before it is looked whether the service stops.
const TURN: Duration = Duration::from_secs(1);
/// How long a receiver may take nothing at all.
const STALLED: Duration = Duration::from_secs(30);
/// How long the other side may leave data unacknowledged before the system ends the connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(8);
/// Longer than [`UNACKNOWLEDGED`]: a connection that is open by then was acknowledged.
const DOUBT: Duration = Duration::from_secs(10);
const KEEPALIVE: Duration = Duration::from_secs(60);
/// The longest datagram that IPv4 carries, with room for the heads.
const UDP_MOST: usize = 65_000;
/// What a socket takes with the usual buffers.
const UNIX_MOST: usize = 160 * 1024;
