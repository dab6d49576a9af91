//! The delivery of the audit trail: from segments to log files and signed digests in a folder, and the searches over both.
//!
//! - A folder is laid out as a bucket that CloudTrail delivers to. What a file says is never changed again.
//! - The *state* says how far every stream was read, and what every chain of digests builds on. It is replaced as a whole, after
//!   the files that it speaks of were prepared and before they take their places: so a crash at any point leaves no event
//!   delivered twice, none left out, and no chain broken.
//! - A change has two lines in the trail. The one that opens it is delivered only where none completes it any more: its
//!   process has ended.
//! - What a bucket is to have is noted in the *outbox* and forgotten there once the bucket has it: the folder comes first, and
//!   what keeps the bucket from its files keeps nothing else.
//! - A *tail* tells the events one after the other to somebody else, at least once each.
//! - Nothing here is in the way of a request: it reads what was written, on a thread of its own.

mod deliver;
mod files;
mod folder;
mod index;
mod index_file;
mod lines;
mod outbox;
mod segment_index;
mod segments;
mod settled;
mod state;
mod tail;
mod undelivered;
mod upload;
mod verify;

pub use deliver::{Deliverer, DeliveryError, Options, Retention};
pub use folder::{Folder, INDEX_DIR, given_public_keys};
pub use index::{Index, Query};
pub use lines::{Ends, ends};
pub use segments::Segments;
pub use tail::{Events, Place, Tail, forget_others};
pub use undelivered::Undelivered;
pub use upload::{Round, UploadError, Uploader};
pub use verify::{DataKeyOf, Finding, Range, Report, first_segments, verify, verify_copy};
