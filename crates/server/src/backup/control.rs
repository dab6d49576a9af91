//! The socket in the data directory over which the owner of the directory asks the running service for a backup.
//!
//! The store is locked by the service, so nobody else can read a consistent state of it. Whoever can reach the socket could read the
//! store's file as well: the directory is its owner's alone, and the service asks the kernel who has connected. The service sends
//! and writes nowhere: the file is the caller's business, and what the service may reach stays what it was.
//!
//! A request is `"KRCTL" ‖ 01 ‖ 'B'`. The answer is `00` and a backup up to its seal, or `01` and a text.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyreeve_core::Service;
use keyreeve_core::bracket::{Trail, TrailError};
use keyreeve_core::vault::VaultError;
use keyreeve_trail_file::FileTrail;
use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::backup::take::Take;
use crate::config::Config;
use crate::data_dir::{CONTROL_SOCKET, DataDir, TRAIL_DIR};
use crate::exit::Failure;

const REQUEST: [u8; 7] = *b"KRCTL\x01B";
const SENDS: u8 = 0;
const REFUSES: u8 = 1;

/// How long a peer may do nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest text of a refusal.
const REFUSAL_MOST: u64 = 4096;

/// The socket, while the service runs.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Listens in the directory, whose store this process has locked: a socket that is there belongs to nobody any more.
    pub(crate) fn listen(dir: &DataDir) -> io::Result<Self> {
        let path = dir.join(CONTROL_SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = with_short_path(dir, UnixListener::bind)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Answers one after the other. Never returns.
    pub(crate) async fn run(self, service: Arc<Service>, trail: FileTrail, config: Config, dir: DataDir) {
        loop {
            let answered = match self.listener.accept().await {
                Ok((stream, _)) => answer(stream, &service, &trail, &config, &dir).await,
                Err(error) => {
                    // No descriptor is left, say: not again and again without a pause.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Err(error.into())
                }
            };
            if let Err(error) = answered {
                tracing::warn!(%error, "a backup was not sent to its end");
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket could not be removed; the next start does it");
        }
    }
}

async fn answer(
    mut stream: UnixStream,
    service: &Service,
    trail: &FileTrail,
    config: &Config,
    dir: &DataDir,
) -> Result<(), Failure> {
    let uid = stream.peer_cred()?.uid();
    let mut request = REQUEST;
    request.fill(0);
    timeout(PATIENCE, stream.read_exact(&mut request)).await.map_err(io::Error::from)??;
    if uid != 0 && uid != rustix::process::geteuid().as_raw() {
        tracing::warn!(uid, "somebody who does not own the service asked for a backup and was refused");
        return refuse(stream, "it is for the user that the service runs as").await;
    }
    if request != REQUEST {
        return refuse(stream, "the request is of another release").await;
    }
    let take = Take::begin(service).await?;
    // ORDER: the trail first: nothing leaves that is not on record.
    let event = take.event(service, config, &format!("keyreeve backup, user {uid}"))?;
    if let Err(TrailError) = trail.append(event).await {
        refuse(stream, "the audit trail cannot be written").await?;
        return Err(VaultError::Unrecorded.into());
    }
    stream.write_all(&[SENDS]).await?;
    let segments = dir.join(TRAIL_DIR);
    let page = async |page: &mut Vec<u8>| {
        timeout(PATIENCE, stream.write_all(page)).await.map_err(io::Error::from)??;
        page.clear();
        // Requests to the control thread (jobs, reloads) have their turn.
        tokio::task::yield_now().await;
        Ok(())
    };
    let (_, counted) = take.write(service, &segments, Vec::new(), page).await?;
    let (records, unopened) = (counted.records, counted.unopened);
    tracing::info!(id = take.header().id_text(), records, unopened, uid, "a backup was sent");
    Ok(())
}

async fn refuse(mut stream: UnixStream, why: &str) -> Result<(), Failure> {
    stream.write_all(&[&[REFUSES], why.as_bytes()].concat()).await?;
    Ok(stream.shutdown().await?)
}

/// The service that runs over the directory; none where nobody answers.
pub(crate) fn connect(dir: &DataDir) -> Option<StdStream> {
    with_short_path(dir, StdStream::connect).ok()
}

/// Asks for a backup: what the service sends up to its seal.
pub(crate) fn ask_for_backup(mut service: StdStream) -> io::Result<StdStream> {
    service.set_read_timeout(Some(PATIENCE.saturating_mul(2)))?;
    service.write_all(&REQUEST)?;
    let mut status = [REFUSES];
    service.read_exact(&mut status)?;
    if status == [SENDS] {
        return Ok(service);
    }
    let mut why = String::new();
    service.take(REFUSAL_MOST).read_to_string(&mut why)?;
    Err(io::Error::other(why))
}

/// The address of a socket has 107 bytes: in a directory of a longer name it is reached through the open directory.
fn with_short_path<T>(dir: &DataDir, open: impl Fn(PathBuf) -> io::Result<T>) -> io::Result<T> {
    let path = dir.join(CONTROL_SOCKET);
    if path.as_os_str().len() <= ADDRESS_MOST {
        return open(path);
    }
    let handle: OwnedFd =
        rustix::fs::open(dir.path(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    open(Path::new("/proc/self/fd").join(handle.as_raw_fd().to_string()).join(CONTROL_SOCKET))
}

const ADDRESS_MOST: usize = 107;
