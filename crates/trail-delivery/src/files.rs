//! Files that appear whole or not at all, and their compressed form.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

/// The content of a compressed file, and the comment in its head.
pub(crate) struct Unpacked {
    pub(crate) content: Vec<u8>,
    pub(crate) comment: Option<String>,
}

/// `content`, compressed (RFC 1952), with a comment in the head.
pub(crate) fn packed(content: &[u8], comment: Option<&str>) -> io::Result<Vec<u8>> {
    let mut builder = GzBuilder::new();
    if let Some(comment) = comment {
        builder = builder.comment(comment);
    }
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(content)?;
    encoder.finish()
}

/// What `packed` was made of; at most `MOST` bytes.
pub(crate) fn unpacked(packed: &[u8]) -> io::Result<Unpacked> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut content = Vec::new();
    (&mut decoder).take(MOST).read_to_end(&mut content)?;
    let comment = decoder.header().and_then(|header| header.comment());
    let comment = comment.map(|comment| String::from_utf8_lossy(comment).into_owned());
    Ok(Unpacked { content, comment })
}

/// The comment in the head of a compressed file.
pub(crate) fn comment(packed: &[u8]) -> Option<String> {
    let decoder = flate2::read::GzDecoder::new(packed);
    let comment = decoder.header()?.comment()?;
    Some(String::from_utf8_lossy(comment).into_owned())
}

/// Makes a directory, for its owner alone, with those that it is in.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file durably; it may be left in part where that fails.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes an empty file, where there is none yet; its name is durable with its directory.
pub(crate) fn write_empty(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Writes a file in place of another, durably.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    write(Path::new(&beside), content)?;
    fs::rename(&beside, path)?;
    sync_parent(path)
}

/// Makes what was done in the directory of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// The content of a file, if it is there.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The longest content: many times that of the longest log file that is written.
const MOST: u64 = 1 << 30;
