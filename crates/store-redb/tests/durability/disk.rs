//! Disks that a test owns: one that remembers every operation, and one that starts from given bytes.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

/// What a disk was asked, and what the store's user was told meanwhile.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The store answered: this revision is durable.
    Acknowledged(u64),
    /// The length was set.
    Length(u64),
    /// Everything before is durable.
    Sync,
    /// Bytes were written.
    Write(u64, Vec<u8>),
}

/// A disk in memory that writes down what it is asked, and fails from a chosen operation on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    events: Arc<Mutex<Vec<Event>>>,
    fail_after: Arc<Mutex<Option<(usize, io::ErrorKind)>>>,
}

impl Disk {
    /// A disk that holds these bytes.
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        Self { bytes: Arc::new(Mutex::new(bytes)), ..Self::default() }
    }

    /// Write down what is no operation of the disk.
    pub(crate) fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    /// What happened so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// What it holds.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// Let every change fail, after so many more that do not.
    pub(crate) fn fail_after(&self, operations: usize, kind: io::ErrorKind) {
        *self.fail_after.lock().unwrap() = Some((operations, kind));
    }

    fn change(&self, event: Event) -> io::Result<()> {
        if let Some((left, kind)) = self.fail_after.lock().unwrap().as_mut() {
            if *left == 0 {
                return Err((*kind).into());
            }
            *left -= 1;
        }
        apply(&mut self.bytes.lock().unwrap(), &event);
        self.note(event);
        Ok(())
    }
}

/// Let `bytes` be what they are after `event`.
pub(crate) fn apply(bytes: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Acknowledged(_) | Event::Sync => {}
        Event::Length(length) => bytes.resize(usize::try_from(*length).unwrap(), 0),
        Event::Write(offset, data) => {
            let from = usize::try_from(*offset).unwrap();
            if bytes.len() < from + data.len() {
                bytes.resize(from + data.len(), 0);
            }
            bytes.get_mut(from..from + data.len()).unwrap().copy_from_slice(data);
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.lock().unwrap();
        let from = usize::try_from(offset).unwrap();
        let found = bytes.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Event::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(Event::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Event::Write(offset, data.to_vec()))
    }
}

/// A small generator, so that every run of a test is the same run.
#[derive(Debug)]
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    /// The next number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}
