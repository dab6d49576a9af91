//! Reads: a view of the file after a sync, and what to show instead for an older revision.

use std::collections::BTreeMap;
use std::future::ready;
use std::io;
use std::iter::Peekable;
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::Arc;

use keyreeve_store::{Entry, Page, Path, ReadError, Revision, Snapshot, StoreFault, StoreFuture};
use redb::{Database, ReadOnlyTable, ReadableDatabase};

use crate::caught::caught;
use crate::format::{self, ENTRIES};

/// The entries as one transaction left them. The pages it shows are not reused while it lives.
pub(crate) struct View {
    pub(crate) revision: Revision,
    entries: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

impl View {
    /// What the last transaction left, which was that of `revision`.
    pub(crate) fn open(database: &Database, revision: Revision) -> Result<Self, StoreFault> {
        let transaction = database.begin_read().map_err(fault)?;
        let entries = transaction.open_table(ENTRIES).map_err(fault)?;
        Ok(Self { revision, entries })
    }
}

/// A state to read.
pub(crate) struct RedbSnapshot {
    view: Arc<View>,
    revision: Revision,
    /// What paths hold at `revision`, where that differs from the view.
    instead: BTreeMap<Path, Option<Entry>>,
}

impl RedbSnapshot {
    /// The view as it is.
    pub(crate) fn latest(view: Arc<View>) -> Self {
        Self { revision: view.revision, view, instead: BTreeMap::new() }
    }

    /// The view, but for what some paths hold.
    pub(crate) fn earlier(
        view: Arc<View>,
        revision: Revision,
        instead: BTreeMap<Path, Option<Entry>>,
    ) -> Self {
        Self { view, revision, instead }
    }

    fn read(&self, path: &Path) -> Result<Option<Entry>, ReadError> {
        if let Some(held) = self.instead.get(path) {
            return Ok(held.clone());
        }
        match self.view.entries.get(path.as_bytes()).map_err(fault)? {
            None => Ok(None),
            Some(bytes) => Ok(Some(format::decode_entry(bytes.value()).map_err(damaged)?)),
        }
    }

    /// The paths with a prefix after a path, in order, each with its entry.
    fn walk<'a>(
        &'a self,
        prefix: &'a [u8],
        after: Option<&'a Path>,
    ) -> Result<impl Iterator<Item = Result<(Path, Entry), ReadError>> + 'a, ReadError> {
        let from = match after {
            Some(after) if after.as_bytes() >= prefix => Bound::Excluded(after.as_bytes()),
            Some(_) | None => Bound::Included(prefix),
        };
        let stored = self.view.entries.range::<&[u8]>((from, Bound::Unbounded)).map_err(fault)?;
        let stored = stored.map(|pair| {
            let (path, bytes) = pair.map_err(fault)?;
            let path = Path::new(path.value().to_vec()).map_err(damaged)?;
            Ok((path, format::decode_entry(bytes.value()).map_err(damaged)?))
        });
        let stored =
            stored.filter(|pair| !pair.as_ref().is_ok_and(|(path, _)| self.instead.contains_key(path)));
        let instead = self.instead.iter().filter(move |(path, _)| match from {
            Bound::Excluded(after) => path.as_bytes() > after,
            Bound::Included(_) | Bound::Unbounded => path.as_bytes() >= prefix,
        });
        let instead = instead.filter_map(|(path, held)| Some((path.clone(), held.clone()?)));
        let merged = Merged { stored: stored.peekable(), instead: instead.peekable() };
        Ok(merged.take_while(move |pair| pair.as_ref().map_or(true, |(path, _)| path.starts_with(prefix))))
    }

    fn page(&self, prefix: &[u8], after: Option<&Path>, limit: NonZeroUsize) -> Result<Page, ReadError> {
        let mut page = Page::default();
        for pair in self.walk(prefix, after)? {
            let pair = pair?;
            if page.entries.len() == limit.get() {
                page.more = true;
                break;
            }
            page.entries.push(pair);
        }
        Ok(page)
    }

    fn count_prefix(&self, prefix: &[u8]) -> Result<u64, ReadError> {
        self.walk(prefix, None)?.try_fold(0_u64, |count, pair| pair.map(|_| count.saturating_add(1)))
    }
}

impl Snapshot for RedbSnapshot {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get<'a>(&'a self, path: &'a Path) -> StoreFuture<'a, Result<Option<Entry>, ReadError>> {
        Box::pin(ready(guarded(|| self.read(path))))
    }

    fn range<'a>(
        &'a self,
        prefix: &'a [u8],
        after: Option<&'a Path>,
        limit: NonZeroUsize,
    ) -> StoreFuture<'a, Result<Page, ReadError>> {
        Box::pin(ready(guarded(|| self.page(prefix, after, limit))))
    }

    fn count<'a>(&'a self, prefix: &'a [u8]) -> StoreFuture<'a, Result<u64, ReadError>> {
        Box::pin(ready(guarded(|| self.count_prefix(prefix))))
    }
}

/// Two ordered walks with no path in common, as one. An error of the first comes at once.
struct Merged<A: Iterator, B: Iterator> {
    stored: Peekable<A>,
    instead: Peekable<B>,
}

impl<A, B> Iterator for Merged<A, B>
where
    A: Iterator<Item = Result<(Path, Entry), ReadError>>,
    B: Iterator<Item = (Path, Entry)>,
{
    type Item = Result<(Path, Entry), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match (self.stored.peek(), self.instead.peek()) {
            (Some(Ok((stored, _))), Some((instead, _))) if instead < stored => self.instead.next().map(Ok),
            (None, Some(_)) => self.instead.next().map(Ok),
            _ => self.stored.next(),
        }
    }
}

/// What a failure of redb means.
pub(crate) fn fault(error: impl Into<redb::Error>) -> StoreFault {
    let error = error.into();
    if let redb::Error::Io(error) = error {
        StoreFault::Io(error.kind())
    } else if matches!(error, redb::Error::DatabaseClosed) {
        StoreFault::Closed
    } else if matches!(error, redb::Error::Corrupted(_) | redb::Error::TableDoesNotExist(_)) {
        StoreFault::Damaged
    } else {
        // A failure before this one, whose kind is not told again; and what redb may add.
        StoreFault::Io(io::ErrorKind::Other)
    }
}

/// What `read` finds. redb panics on pages that do not hold together; to us they are damage.
fn guarded<T>(read: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    caught(read).unwrap_or(Err(ReadError::Unavailable(StoreFault::Damaged)))
}

fn damaged<E>(_: E) -> ReadError {
    ReadError::Unavailable(StoreFault::Damaged)
}
