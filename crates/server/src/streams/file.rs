//! Lines of JSON in a file, for a log shipper.
//!
//! At a size the file is put aside as `NAME.1`, what was that as `NAME.2`, and so on; the oldest is removed. Where the name leads to
//! another file by then, or to none, somebody else has put the file aside: it is opened anew, without a signal.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::streams::way::Way;

/// A file that grows.
pub(super) struct FileWay {
    path: PathBuf,
    file: File,
    len: u64,
    /// The size at which it is put aside; 0 is never.
    most: u64,
    older: u32,
    out: Vec<u8>,
}

impl FileWay {
    /// Opens the file at `path`, made if it is not there, to go on at its end.
    pub(super) fn open(path: &Path, most: u64, older: u32) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)?;
        let mut len = file.metadata()?.len();
        // A line that a crash has cut off must not run into the next one.
        let mut last = [0];
        if len > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if len > 0 && last != *b"\n" {
            file.write_all(b"\n")?;
            len = len.saturating_add(1);
        }
        Ok(Self { path: path.to_owned(), file, len, most, older, out: Vec::new() })
    }

    fn numbered(&self, number: u32) -> PathBuf {
        match number {
            0 => self.path.clone(),
            number => {
                let mut name = OsString::from(&self.path);
                name.push(format!(".{number}"));
                name.into()
            }
        }
    }

    fn put_aside(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        for number in (0..self.older).rev() {
            match fs::rename(self.numbered(number), self.numbered(number.saturating_add(1))) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.open_anew()
    }

    fn open_anew(&mut self) -> io::Result<()> {
        let out = core::mem::take(&mut self.out);
        *self = Self { out, ..Self::open(&self.path, self.most, self.older)? };
        Ok(())
    }

    /// Whether the name leads to another file, or to none.
    fn is_put_aside(&self) -> io::Result<bool> {
        let held = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(named) => Ok((named.dev(), named.ino()) != (held.dev(), held.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        if let Err(error) = self.file.write_all(&self.out) {
            // A part of a line would stay; where it cannot be taken out, the next opening ends it.
            drop(self.file.set_len(self.len));
            return Err(error);
        }
        self.len = self.len.saturating_add(u64::try_from(self.out.len()).unwrap_or(u64::MAX));
        self.out.clear();
        Ok(())
    }
}

impl Way for FileWay {
    fn send(&mut self, json: &[u8], _: &dyn Fn() -> bool) -> io::Result<()> {
        let with = self.out.len().saturating_add(json.len()).saturating_add(1);
        let len = self.len.saturating_add(u64::try_from(with).unwrap_or(u64::MAX));
        if self.most > 0 && len > self.most {
            self.write()?;
            if self.len > 0 {
                self.put_aside()?;
            }
        }
        self.out.extend_from_slice(json);
        self.out.push(b'\n');
        if self.out.len() >= BUFFER { self.write() } else { Ok(()) }
    }

    fn flush(&mut self, _: &dyn Fn() -> bool) -> io::Result<()> {
        self.write()?;
        // ORDER: the place of the stream is kept after what stands before it.
        self.file.sync_data()
    }

    fn check(&mut self) -> io::Result<()> {
        if self.is_put_aside()? { self.open_anew() } else { Ok(()) }
    }
}

/// Bytes that are held back to be written at once.
const BUFFER: usize = 256 * 1024;
/// For its owner, and to be read by his group, which a log shipper may be of.
const MODE: u32 = 0o640;

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> bool {
        false
    }

    fn write(way: &mut FileWay, lines: &[&str]) {
        for line in lines {
            way.send(line.as_bytes(), &never).unwrap();
        }
        way.flush(&never).unwrap();
    }

    #[test]
    fn a_file_is_put_aside_at_its_size_and_the_oldest_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("events");
        let mut way = FileWay::open(&path, 10, 2).unwrap();
        write(&mut way, &["1111", "2222", "3333", "4444", "5555", "6666", "7777", "longer than a file"]);
        let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
        assert_eq!(read("events"), "longer than a file\n");
        assert_eq!(read("events.1"), "7777\n");
        assert_eq!(read("events.2"), "5555\n6666\n");
        assert!(!root.path().join("events.3").exists());
    }

    #[test]
    fn a_file_that_somebody_else_put_aside_is_opened_anew() {
        let root = tempfile::tempdir().unwrap();
        let (path, aside) = (root.path().join("events"), root.path().join("aside"));
        let mut way = FileWay::open(&path, 0, 1).unwrap();
        write(&mut way, &["1"]);
        fs::rename(&path, &aside).unwrap();
        way.check().unwrap();
        write(&mut way, &["2"]);
        assert_eq!(fs::read_to_string(aside).unwrap(), "1\n");
        assert_eq!(fs::read_to_string(path).unwrap(), "2\n");
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_run_into_the_next() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("events");
        fs::write(&path, "1\n{\"cut").unwrap();
        write(&mut FileWay::open(&path, 0, 1).unwrap(), &["2"]);
        assert_eq!(fs::read_to_string(path).unwrap(), "1\n{\"cut\n2\n");
    }
}
