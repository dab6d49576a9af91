//! From a snapshot of the store to a backup.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path as FilePath;
use std::sync::Arc;

use keyreeve_backup::{Header, StreamEnd, WriteError, Writer};
use keyreeve_core::Service;
use keyreeve_core::bracket::Source;
use keyreeve_core::service_event::ServiceEvent;
use keyreeve_core::vault::VaultError;
use keyreeve_crypto::key::MakeKeyError;
use keyreeve_crypto::random;
use keyreeve_store::Snapshot;
use keyreeve_trail_file::stream_ends;

use crate::clock;
use crate::config::Config;
use crate::exit::Failure;
use crate::start;

/// A snapshot that is to be written.
pub(crate) struct Take {
    snapshot: Arc<dyn Snapshot>,
    header: Header,
}

/// What was written of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    /// Records.
    pub(crate) records: u64,
    /// Those that do not open.
    pub(crate) unopened: u64,
}

impl Take {
    /// Takes the latest state.
    pub(crate) async fn begin(service: &Service) -> Result<Self, Failure> {
        let vault = service.vault();
        let snapshot = vault.snapshot().await?;
        let id = random::array(vault.random()).map_err(MakeKeyError::from).map_err(VaultError::from)?;
        let header = Header {
            id,
            deployment: *vault.deployment(),
            taken: clock::now(),
            revision: snapshot.revision().get(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Ok(Self { snapshot, header })
    }

    /// What the backup begins with.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The line of the trail that announces it.
    pub(crate) fn event(&self, service: &Service, config: &Config, by: &str) -> Result<Vec<u8>, Failure> {
        let (id, revision) = (self.header.id_text(), self.header.revision.to_string());
        Ok(service.service_event(&ServiceEvent {
            source: Source::Kms,
            name: "CreateBackup",
            account: config.account()?,
            region: start::home_region(config)?,
            time: self.header.taken,
            details: &[("backupId", &id), ("revision", &revision), ("by", by)],
            resources: &[],
        })?)
    }

    /// Writes it to its seal. `pause` is called after each page, for what does not write by itself and for whoever else is to
    /// have a turn.
    pub(crate) async fn write<W: Write>(
        &self,
        service: &Service,
        segments: &FilePath,
        out: W,
        mut pause: impl AsyncFnMut(&mut W) -> io::Result<()>,
    ) -> Result<(Writer<W>, Counted), Failure> {
        let vault = service.vault();
        let mut writer = Writer::begin(out, &self.header).map_err(failed)?;
        // ORDER: after the snapshot and after the line that announces the backup, so that the trail up to here has both.
        for (stream, (segment, chain)) in stream_ends(segments).map_err(WriteError::from).map_err(failed)? {
            let end = StreamEnd {
                stream: stream.as_str().to_owned(),
                segment: segment.number(),
                sequence: chain.sequence,
                hash: chain.hash,
            };
            writer.stream(&end).map_err(failed)?;
        }
        let mut counted = Counted { records: 0, unopened: 0 };
        let mut after = None;
        loop {
            let page = self.snapshot.range(b"", after.as_ref(), PAGE).await.map_err(VaultError::from)?;
            for (path, entry) in &page.entries {
                counted.records += 1;
                if !vault.opens(path, entry.version, &entry.value) {
                    counted.unopened += 1;
                    tracing::error!(%path, "a record does not open; it is in the backup as it is");
                }
                writer.record(path, entry).map_err(failed)?;
            }
            pause(writer.out()).await.map_err(WriteError::from).map_err(failed)?;
            after = page.entries.into_iter().next_back().map(|(path, _)| path).filter(|_| page.more);
            if after.is_none() {
                break;
            }
        }
        let sealed = vault.seal_backup(&writer.digest())?;
        writer.seal(counted.records, counted.unopened, &sealed).map_err(failed)?;
        pause(writer.out()).await.map_err(WriteError::from).map_err(failed)?;
        Ok((writer, counted))
    }
}

fn failed(error: WriteError) -> Failure {
    super::unwritable(error)
}

/// Records of one page: less than a megabyte of most stores, and a few milliseconds.
const PAGE: NonZeroUsize = NonZeroUsize::new(200).unwrap();
