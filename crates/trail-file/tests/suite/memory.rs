//! A directory in memory that fails on demand.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

use keyreeve_trail_file::{Medium, SegmentFile};
use parking_lot::{Condvar, Mutex};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Only this many bytes are taken.
    Short(usize),
    /// The error of this number.
    Errno(i32),
}

pub(crate) const EIO: Fault = Fault::Errno(5);
pub(crate) const ENOSPC: Fault = Fault::Errno(28);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Calls of `write`.
    pub(crate) writes: usize,
    pub(crate) syncs: usize,
    /// The fate of the next calls; `None` is success.
    pub(crate) on_write: VecDeque<Option<Fault>>,
    pub(crate) on_sync: VecDeque<Option<Fault>>,
    pub(crate) on_truncate: VecDeque<Option<Fault>>,
    pub(crate) on_create: VecDeque<Option<Fault>>,
    pub(crate) on_remove: VecDeque<Option<Fault>>,
}

/// Clones share the files.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    state: Arc<Mutex<State>>,
    /// Present while syncs and creations are held up.
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Default)]
struct Gate {
    closed: bool,
    /// Calls that stand before it.
    waiting: usize,
}

impl Memory {
    pub(crate) fn with<T>(&self, use_state: impl FnOnce(&mut State) -> T) -> T {
        use_state(&mut self.state.lock())
    }

    /// Holds up syncs and creations until [`Memory::release`].
    pub(crate) fn hold(&self) {
        self.gate.0.lock().closed = true;
    }

    /// Lets the other tasks run until a call is held up.
    pub(crate) async fn held(&self) {
        while self.gate.0.lock().waiting == 0 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn release(&self) {
        self.gate.0.lock().closed = false;
        self.gate.1.notify_all();
    }

    fn pass_gate(&self) {
        let mut gate = self.gate.0.lock();
        gate.waiting += 1;
        self.gate.1.wait_while(&mut gate, |gate| gate.closed);
        gate.waiting -= 1;
    }

    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        self.with(|state| edit(state.files.get_mut(name).unwrap()));
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.with(|state| state.files[name].clone())).unwrap()
    }

    /// The events of all segments of a stream, headers left out.
    pub(crate) fn events(&self, stream: &str) -> Vec<String> {
        let texts: Vec<_> =
            self.with(|state| state.files.keys().filter(|name| name.starts_with(stream)).cloned().collect());
        texts
            .iter()
            .flat_map(|name| self.text(name).lines().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|line| line.splitn(3, ' ').nth(2).map(str::to_owned))
            .filter(|json| !json.contains("keyreeveSegment"))
            .collect()
    }
}

fn fail(queue: &mut VecDeque<Option<Fault>>) -> io::Result<Option<usize>> {
    match queue.pop_front().flatten() {
        None => Ok(None),
        Some(Fault::Short(len)) => Ok(Some(len)),
        Some(Fault::Errno(number)) => Err(io::Error::from_raw_os_error(number)),
    }
}

impl Medium for Memory {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.with(|state| state.files.keys().cloned().collect()))
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.with(|state| state.files.get(name).cloned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&self, name: &str, header: &[u8]) -> io::Result<Box<dyn SegmentFile>> {
        self.pass_gate();
        self.with(|state| {
            fail(&mut state.on_create)?;
            state.files.insert(name.to_owned(), header.to_vec());
            io::Result::Ok(())
        })?;
        self.reopen(name)
    }

    fn reopen(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(MemoryFile { memory: self.clone(), name: name.to_owned() }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.with(|state| {
            fail(&mut state.on_remove)?;
            state.files.remove(name);
            Ok(())
        })
    }
}

struct MemoryFile {
    memory: Memory,
    name: String,
}

impl SegmentFile for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.memory.with(|state| {
            state.writes += 1;
            let taken = fail(&mut state.on_write)?.unwrap_or(bytes.len());
            state.files.get_mut(&self.name).unwrap().extend_from_slice(&bytes[..taken]);
            Ok(taken)
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.memory.pass_gate();
        self.memory.with(|state| {
            state.syncs += 1;
            fail(&mut state.on_sync).map(drop)
        })
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.memory.with(|state| {
            fail(&mut state.on_truncate)?;
            state.files.get_mut(&self.name).unwrap().truncate(usize::try_from(len).unwrap());
            Ok(())
        })
    }
}
