//! The records of the store.
//!
//! A record is `format u8 ‖ kind u8 ‖ CBOR (RFC 8949)`; the CBOR is an array whose positions are the `#[n(…)]` below.
//! A position is never given to another member; a later release appends. Trailing bytes are damage.

use keyreeve_domain::spec::{KeyLastUsageOperation, KeyManager, KeySpec, KeyUsage, Origin, RotationType};
use keyreeve_domain::{AccountId, KeyId, KeyMaterialId, Timestamp};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::multi_region::MultiRegionRecord;
use crate::space::Task;

const FORMAT: u8 = 1;

/// The bytes are no record of this kind in a known format.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a record is damaged or of an unknown format")]
pub struct RecordError;

/// A kind of record.
pub trait Record: Sized {
    /// Tells the kinds apart; never reused.
    const KIND: u8;

    /// The record as bytes.
    ///
    /// # Errors
    /// Where the encoder refuses a member.
    fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, RecordError>;

    /// Reads a record.
    ///
    /// # Errors
    /// Where the bytes are of another kind or format, damaged, or too many.
    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError>;
}

/// Gives each type its kind and its bytes.
macro_rules! record {
    ($($name:ident = $kind:literal),+ $(,)?) => {$(
        impl $crate::record::Record for $name {
            const KIND: u8 = $kind;

            fn to_bytes(&self) -> Result<zeroize::Zeroizing<Vec<u8>>, $crate::record::RecordError> {
                $crate::record::to_bytes($kind, self)
            }

            fn from_bytes(bytes: &[u8]) -> Result<Self, $crate::record::RecordError> {
                $crate::record::from_bytes($kind, bytes)
            }
        }
    )+};
}
pub(crate) use record;

pub(crate) fn to_bytes<R: Encode<()>>(kind: u8, record: &R) -> Result<Zeroizing<Vec<u8>>, RecordError> {
    let mut bytes = Zeroizing::new(vec![FORMAT, kind]);
    minicbor::encode(record, &mut *bytes).or(Err(RecordError))?;
    Ok(bytes)
}

pub(crate) fn from_bytes<R: for<'b> Decode<'b, ()>>(kind: u8, bytes: &[u8]) -> Result<R, RecordError> {
    let (&[format, found], body) = bytes.split_first_chunk().ok_or(RecordError)?;
    if format != FORMAT || found != kind {
        return Err(RecordError);
    }
    let mut decoder = minicbor::Decoder::new(body);
    let record = decoder.decode().or(Err(RecordError))?;
    if decoder.position() == body.len() { Ok(record) } else { Err(RecordError) }
}

record! {
    KeyRecord = 1,
    AliasRecord = 2,
    PolicyRecord = 3,
    IndexRecord = 4,
    UsageRecord = 5,
    CredentialRecord = 6,
}

/// A KMS key.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
pub struct KeyRecord {
    /// The account that owns it.
    #[n(0)]
    #[cbor(with = "text")]
    pub account: AccountId,
    /// Its description.
    #[n(1)]
    pub description: String,
    /// Its key spec.
    #[n(2)]
    #[cbor(with = "text")]
    pub spec: KeySpec,
    /// What it is for.
    #[n(3)]
    #[cbor(with = "text")]
    pub usage: KeyUsage,
    /// Where its material comes from.
    #[n(4)]
    #[cbor(with = "text")]
    pub origin: Origin,
    /// Who manages it.
    #[n(5)]
    #[cbor(with = "text")]
    pub manager: KeyManager,
    /// When it was made.
    #[n(6)]
    #[cbor(with = "millis")]
    pub created: Timestamp,
    /// Its state.
    #[n(7)]
    pub lifecycle: Lifecycle,
    /// Its tags, in the order in which their keys were first given.
    #[n(8)]
    pub tags: Vec<TagRecord>,
    /// Its material, the first version first; the last is current.
    #[n(9)]
    pub materials: Vec<MaterialRecord>,
    /// Its automatic rotation, where enabled.
    #[n(10)]
    pub rotation: Option<RotationRecord>,
    /// How often it was rotated on demand.
    #[n(11)]
    pub on_demand_rotations: u32,
    /// Whether a policy record stands beside it; else the default policy holds.
    #[n(12)]
    pub has_policy: bool,
    /// Imported material that becomes current with the next rotation on demand.
    #[n(13)]
    pub pending: Option<Box<MaterialRecord>>,
    /// Its related keys, where it is a multi-Region key.
    #[n(14)]
    pub multi_region: Option<Box<MultiRegionRecord>>,
}

/// The state of a KMS key, with what belongs to each.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub enum Lifecycle {
    /// Usable.
    #[n(0)]
    Enabled,
    /// Switched off.
    #[n(1)]
    Disabled,
    /// Waiting for its deletion.
    #[n(2)]
    PendingDeletion {
        /// When the waiting period ends.
        #[n(0)]
        #[cbor(with = "millis")]
        at: Timestamp,
    },
    /// A primary key that waits for the deletion of its replica keys.
    #[n(3)]
    PendingReplicaDeletion {
        /// Days of the waiting period that begins then.
        #[n(0)]
        days: u32,
    },
}

/// A tag.
#[derive(Clone, Debug, Decode, Encode, Eq, Hash, PartialEq)]
pub struct TagRecord {
    /// Its key.
    #[n(0)]
    pub key: String,
    /// Its value.
    #[n(1)]
    pub value: String,
}

/// One version of key material.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
pub struct MaterialRecord {
    /// Its id.
    #[n(0)]
    #[cbor(with = "material_id")]
    pub id: KeyMaterialId,
    /// The material, wrapped under a domain key.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub wrapped: Vec<u8>,
    /// When and how it became current; absent for the first.
    #[n(2)]
    pub rotated: Option<Rotated>,
    /// What its import said; absent for material that was made here. Imported material that was deleted or has expired keeps
    /// its id and everything else, and has no wrapping.
    #[n(3)]
    pub imported: Option<ImportRecord>,
}

/// What an import said of its material.
#[derive(Clone, Debug, Decode, Default, Encode, Eq, PartialEq)]
pub struct ImportRecord {
    /// When the material expires, in milliseconds; absent where it does not.
    #[n(0)]
    pub valid_to: Option<i64>,
    /// Its description.
    #[n(1)]
    pub description: Option<String>,
}

impl MaterialRecord {
    /// Whether the material is there at `now`.
    #[must_use]
    pub fn is_present(&self, now: Timestamp) -> bool {
        !self.wrapped.is_empty() && self.valid_to().is_none_or(|valid_to| now < valid_to)
    }

    /// When it expires.
    #[must_use]
    pub fn valid_to(&self) -> Option<Timestamp> {
        let imported = self.imported.as_ref().filter(|_| !self.wrapped.is_empty())?;
        imported.valid_to.map(Timestamp::from_millis)
    }

    /// Removes the material; what it was stays known.
    pub fn remove(&mut self) {
        self.wrapped = Vec::new();
        if let Some(imported) = &mut self.imported {
            imported.valid_to = None;
        }
    }
}

/// How a version of key material became current.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Rotated {
    /// When.
    #[n(0)]
    #[cbor(with = "millis")]
    pub at: Timestamp,
    /// By schedule or on demand.
    #[n(1)]
    #[cbor(with = "text")]
    pub by: RotationType,
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct RotationRecord {
    /// Days from one rotation to the next.
    #[n(0)]
    pub period_days: u32,
    /// The next rotation.
    #[n(1)]
    #[cbor(with = "millis")]
    pub next: Timestamp,
}

/// An alias.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct AliasRecord {
    /// The key that it stands for.
    #[n(0)]
    #[cbor(with = "text")]
    pub target: KeyId,
    /// When it was made.
    #[n(1)]
    #[cbor(with = "millis")]
    pub created: Timestamp,
    /// When it was last given to a key.
    #[n(2)]
    #[cbor(with = "millis")]
    pub updated: Timestamp,
}

/// A key policy, as it was given.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct PolicyRecord {
    /// The text.
    #[n(0)]
    pub text: String,
    /// The users and roles that it names, with the unique ids that they had when it was put.
    #[n(1)]
    pub bound: Option<Vec<BoundPrincipal>>,
}

/// A user or a role as a policy or a grant names it, and who it was.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct BoundPrincipal {
    /// The ARN.
    #[n(0)]
    pub arn: String,
    /// The unique id.
    #[n(1)]
    pub id: String,
}

/// An entry of an index: its path says everything.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct IndexRecord {}

/// The last successful use of a KMS key.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct UsageRecord {
    /// The operation.
    #[n(0)]
    #[cbor(with = "text")]
    pub operation: KeyLastUsageOperation,
    /// When.
    #[n(1)]
    #[cbor(with = "millis")]
    pub at: Timestamp,
    /// The id of its event in the trail.
    #[n(2)]
    pub event_id: String,
    /// The id of the request.
    #[n(3)]
    pub request_id: String,
}

/// A long-term access key.
#[derive(Decode, Encode)]
pub struct CredentialRecord {
    /// The account that it belongs to.
    #[n(0)]
    #[cbor(with = "text")]
    pub account: AccountId,
    /// The secret access key.
    #[n(1)]
    #[cbor(with = "secret")]
    pub secret: Zeroizing<String>,
    /// When it was made.
    #[n(2)]
    #[cbor(with = "millis")]
    pub created: Timestamp,
    /// The user whose it is, by name; none where it is the account root's.
    #[n(3)]
    pub user: Option<String>,
    /// Whether it is switched off; absent where it is not.
    #[n(4)]
    pub inactive: Option<bool>,
    /// The service whose it is, such as `s3.amazonaws.com`.
    #[n(5)]
    pub service: Option<String>,
}

impl KeyRecord {
    /// The index entry that this record owes: what is to be done with the key, and when. A key that is not enabled is
    /// not rotated; one whose rotation came due meanwhile is rotated as soon as it is enabled again.
    /// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html>.
    #[must_use]
    pub fn due(&self) -> Option<(Timestamp, Task)> {
        let multi_region = self.multi_region.as_deref();
        // A replica key is rotated with its primary key, and that one not while it hands over.
        let leads = |about: &MultiRegionRecord| about.is_primary() && about.handing.is_none();
        let rotation = self.rotation.filter(|_| multi_region.is_none_or(leads));
        let lifecycle = match (self.lifecycle, rotation) {
            (Lifecycle::PendingDeletion { at }, _) => Some((at, Task::Delete)),
            (Lifecycle::Enabled, Some(rotation)) => Some((rotation.next, Task::Rotate)),
            (Lifecycle::Enabled, None)
            | (Lifecycle::Disabled | Lifecycle::PendingReplicaDeletion { .. }, _) => None,
        };
        let expiry =
            self.materials.iter().chain(self.pending.as_deref()).filter_map(MaterialRecord::valid_to).min();
        let handing = multi_region.filter(|about| about.is_primary()).and_then(|about| about.handing);
        let others =
            [expiry.map(|at| (at, Task::Expire)), handing.map(|handing| (handing.since, Task::HandOver))];
        lifecycle.into_iter().chain(others.into_iter().flatten()).min()
    }

    /// Removes the imported material that waits for a rotation, where `is_meant` says so. A replica key still knows which it is:
    /// that is its primary key's to say.
    pub fn drop_pending(&mut self, is_meant: impl FnOnce(&MaterialRecord) -> bool) {
        let is_replica = self.multi_region.as_deref().is_some_and(|about| !about.is_primary());
        if let Some(pending) = self.pending.as_mut().filter(|pending| is_meant(pending)) {
            match is_replica {
                true => pending.remove(),
                false => self.pending = None,
            }
        }
    }

    /// Whether the key waits for imported material at `now`: it never had any, or not all that it had is there.
    #[must_use]
    pub fn is_pending_import(&self, now: Timestamp) -> bool {
        self.origin == Origin::External
            && (self.materials.is_empty() || !self.materials.iter().all(|material| material.is_present(now)))
    }
}

pub(crate) mod text {
    use core::fmt::Display;
    use core::str::FromStr;

    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub(crate) fn encode<C, T: Display, W: Write>(
        value: &T,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.str(&value.to_string())?.ok()
    }

    pub(crate) fn decode<C, T: FromStr>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<T, DecodeError> {
        decoder.str()?.parse().or(Err(DecodeError::message("not a value of its type")))
    }
}

pub(crate) mod millis {
    use keyreeve_domain::Timestamp;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub(crate) fn encode<C, W: Write>(
        value: &Timestamp,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.i64(value.millis())?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Timestamp, DecodeError> {
        decoder.i64().map(Timestamp::from_millis)
    }
}

pub(crate) mod material_id {
    use keyreeve_domain::KeyMaterialId;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub(crate) fn encode<C, W: Write>(
        value: &KeyMaterialId,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.bytes(value.as_bytes())?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<KeyMaterialId, DecodeError> {
        let bytes = decoder.bytes()?.try_into().or(Err(DecodeError::message("not 32 bytes")))?;
        Ok(KeyMaterialId::from_bytes(bytes))
    }
}

pub(crate) mod secret {
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};
    use zeroize::Zeroizing;

    pub(crate) fn encode<C, W: Write>(
        value: &Zeroizing<String>,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.str(value)?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Zeroizing<String>, DecodeError> {
        decoder.str().map(|text| Zeroizing::new(text.to_owned()))
    }
}

pub(crate) mod secret_bytes {
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};
    use zeroize::Zeroizing;

    pub(crate) fn encode<C, W: Write>(
        value: &Zeroizing<Vec<u8>>,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.bytes(value)?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Zeroizing<Vec<u8>>, DecodeError> {
        decoder.bytes().map(|bytes| Zeroizing::new(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::multi_region::Handing;

    fn key() -> KeyRecord {
        KeyRecord {
            account: "111122223333".parse().unwrap(),
            description: "a key".into(),
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsage::EncryptDecrypt,
            origin: Origin::AwsKms,
            manager: KeyManager::Customer,
            created: Timestamp::from_millis(1),
            lifecycle: Lifecycle::PendingDeletion { at: Timestamp::from_millis(5) },
            tags: vec![TagRecord { key: "k".into(), value: String::new() }],
            materials: vec![MaterialRecord {
                id: KeyMaterialId::from_bytes([3; 32]),
                wrapped: vec![1, 2, 3],
                rotated: Some(Rotated { at: Timestamp::from_millis(2), by: RotationType::OnDemand }),
                imported: Some(ImportRecord { valid_to: Some(7), description: Some("d".into()) }),
            }],
            rotation: Some(RotationRecord { period_days: 90, next: Timestamp::from_millis(9) }),
            on_demand_rotations: 1,
            has_policy: true,
            pending: None,
            multi_region: Some(Box::new(MultiRegionRecord {
                replicas: vec!["eu-west-1".parse().unwrap(), "eu-west-2".parse().unwrap()],
                handing: Some(Handing { to: "eu-west-2".parse().unwrap(), since: Timestamp::from_millis(3) }),
                ..MultiRegionRecord::primary("us-east-1".parse().unwrap())
            })),
        }
    }

    #[test]
    fn a_record_is_read_back_as_it_was() {
        assert_eq!(KeyRecord::from_bytes(&key().to_bytes().unwrap()), Ok(key()));
        let policy = PolicyRecord { text: "{}".into(), bound: None };
        assert_eq!(PolicyRecord::from_bytes(&policy.to_bytes().unwrap()), Ok(policy));
    }

    #[test]
    fn trailing_bytes_another_kind_and_another_format_are_refused() {
        let mut bytes = key().to_bytes().unwrap().to_vec();
        assert_eq!(AliasRecord::from_bytes(&bytes), Err(RecordError));
        bytes.push(0);
        assert_eq!(KeyRecord::from_bytes(&bytes), Err(RecordError));
        bytes.pop();
        bytes[0] = 2;
        assert_eq!(KeyRecord::from_bytes(&bytes), Err(RecordError));
    }

    proptest! {
        #[test]
        fn a_reader_of_arbitrary_bytes_does_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let framed = [&[FORMAT, KeyRecord::KIND], bytes.as_slice()].concat();
            prop_assert!(KeyRecord::from_bytes(&framed).is_err());
        }
    }
}
