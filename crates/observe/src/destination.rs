//! Where the files of the trail go beside the folder: what the delivery needs of a bucket.

use core::future::Future;
use core::pin::Pin;

/// A file on its way.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The name of the object.
    pub key: String,
    /// What is to be said of it: names without their prefix, and values.
    pub metadata: Vec<(String, String)>,
    /// Its content.
    pub content: Vec<u8>,
}

/// Where a parcel is now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Put {
    /// It is there now.
    Now,
    /// It was there already, as it is.
    Already,
}

/// A parcel did not arrive, as far as is known.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PutError {
    /// The place cannot be reached, is not as it should be, or does not want it now: so it would be with the next parcel.
    #[error("{0}")]
    Place(String),
    /// Another object has the name. It is left as it is.
    #[error("another object has the name of a file of the trail")]
    Taken,
}

/// What a destination answers with.
pub type PutReply<'a> = Pin<Box<dyn Future<Output = Result<Put, PutError>> + Send + 'a>>;

/// A place for delivered files. Nothing that is there is ever written again: a parcel that comes twice changes nothing.
pub trait Destination: Send + Sync {
    /// Puts a parcel in its place, durably. A future that is dropped may or may not have done so.
    fn put(&self, parcel: Parcel) -> PutReply<'_>;
}
