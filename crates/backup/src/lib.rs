//! A backup: everything in the store at one revision, sealed as it lies there, in one file that is read front to back.
//!
//! ```text
//! 0   8  "KRBACKUP"
//! 8   1  01, the version of this layout
//! 9      frames: kind u8 ‖ length u32 ‖ body
//! ```
//! | kind | body | how many |
//! |---|---|---|
//! | 1 header | CBOR (RFC 8949), the array of [`Header`] | the first, one |
//! | 2 stream | CBOR, the array of [`StreamEnd`] | any, ascending by name |
//! | 3 record | `path length u16 ‖ path ‖ version u64 ‖ modified u64 ‖ value` | any, ascending by path |
//! | 4 seal | `records u64 ‖ records that do not open u64 ‖ a wrapping` | one |
//! | 5 file | `name length u8 ‖ name ‖ content` | any, ascending by name |
//! | 6 end | SHA-256 of everything before this frame | the last, one; nothing follows |
//!
//! The wrapping of the seal holds the SHA-256 of everything before the frame that it stands in. Who has the keyring of the
//! deployment makes and checks it; who has not can still tell by the end that nothing was cut off or garbled. Files stand behind
//! the seal because they are added by whoever keeps the backup: the process that has the keys never sees them.
//!
//! A writer holds one frame in memory at a time, and so does a reader.

mod frame;
mod read;
mod write;

pub use frame::{Header, MAGIC, MAX_BODY_LEN, StreamEnd, VERSION};
pub use read::{Item, ReadError, Reader};
pub use write::{WriteError, Writer};
