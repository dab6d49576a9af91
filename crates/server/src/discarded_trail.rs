//! A trail that is written and not kept, for a service that leaves no files.

use std::io;

use keyreeve_trail_file::{Medium, SegmentFile};

/// Where segments vanish.
pub(crate) struct Discarded;

impl Medium for Discarded {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        Err(not_there(name))
    }

    fn create(&self, _name: &str, _header: &[u8]) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(Discarded))
    }

    fn reopen(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        Err(not_there(name))
    }

    fn remove(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }
}

impl SegmentFile for Discarded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, _len: u64) -> io::Result<()> {
        Ok(())
    }
}

fn not_there(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("`{name}` was not kept"))
}
