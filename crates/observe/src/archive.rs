//! What the operations need of a trail that lies somewhere.

use core::future::Future;
use core::pin::Pin;

use keyreeve_domain::{AccountId, Region, Timestamp};

/// What can be looked up of an event.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AttributeKey {
    /// The access key that was used.
    AccessKeyId,
    /// The id of the event.
    EventId,
    /// The operation.
    EventName,
    /// The service.
    EventSource,
    /// Whether it changed nothing: `true` or `false`.
    ReadOnly,
    /// The ARN of a resource.
    ResourceName,
    /// The type of a resource.
    ResourceType,
    /// Whoever asked.
    Username,
}

impl AttributeKey {
    /// All, as the API names them.
    pub const ALL: [(&'static str, Self); 8] = [
        ("EventId", Self::EventId),
        ("EventName", Self::EventName),
        ("ReadOnly", Self::ReadOnly),
        ("Username", Self::Username),
        ("ResourceType", Self::ResourceType),
        ("ResourceName", Self::ResourceName),
        ("EventSource", Self::EventSource),
        ("AccessKeyId", Self::AccessKeyId),
    ];
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Events of this account.
    pub account: AccountId,
    /// Events of this Region.
    pub region: Region,
    /// With this attribute; any where there is none.
    pub attribute: Option<(AttributeKey, String)>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// After this place.
    pub after: Option<Place>,
    /// In the order of time, or else the newest first.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: usize,
    /// The events end with the one whose JSON makes them so many bytes or more.
    pub bytes: usize,
}

/// Where an event stands among all; the newest is the greatest.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// Its time, in milliseconds.
    pub time: i64,
    /// Its stream.
    pub stream: String,
    /// Its number in the stream.
    pub sequence: u64,
}

/// An event that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// Where it stands.
    pub place: Place,
    /// Its JSON.
    pub json: Vec<u8>,
}

/// An object, but for its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectInfo {
    /// Its name.
    pub key: String,
    /// Its length in bytes.
    pub len: u64,
    /// When it was written.
    pub modified: Timestamp,
}

/// An object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// All but its content.
    pub info: ObjectInfo,
    /// What is to be said of it: names without their prefix, and values.
    pub metadata: Vec<(String, String)>,
    /// Its content; a [`SealedFile`](crate::sealed_file::SealedFile) where `is_sealed`.
    pub content: Vec<u8>,
    /// It is encrypted under a KMS key. Its length is that of what is encrypted.
    pub is_sealed: bool,
}

/// A public key that digests are signed with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    /// RSAPublicKey, DER.
    pub der: Vec<u8>,
    /// Its name in digests.
    pub fingerprint: String,
    /// The first time of its use.
    pub since: Timestamp,
    /// The last time of its use; none while it is in use.
    pub until: Option<Timestamp>,
}

/// How the delivery stands for an account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Status {
    /// Since when events are delivered.
    pub started: Option<Timestamp>,
    /// When the newest log file was delivered.
    pub delivered: Option<Timestamp>,
    /// When the newest digest was delivered.
    pub digested: Option<Timestamp>,
    /// What is in the way of the delivery.
    pub error: Option<String>,
}

/// The trail cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the trail cannot be read: {0}")]
pub struct ArchiveError(pub String);

/// What an archive answers with.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, ArchiveError>> + 'a>>;

/// A trail, where it lies.
pub trait Archive: Send + Sync {
    /// The first of the events that are wanted, in the order in which they are.
    fn lookup(&self, wanted: Wanted) -> Reply<'_, Vec<Found>>;

    /// The objects whose names begin with `prefix` and come after `after`, in order, at most `limit`.
    fn list(&self, prefix: String, after: String, limit: usize) -> Reply<'_, Vec<ObjectInfo>>;

    /// An object, if it is there.
    fn object(&self, key: String) -> Reply<'_, Option<Object>>;

    /// All public keys, the newest last.
    fn public_keys(&self) -> Vec<PublicKey>;

    /// How the delivery stands for an account.
    fn status(&self, account: AccountId) -> Status;
}
