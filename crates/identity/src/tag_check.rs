//! What tags must be before they are kept.
//!
//! Keys of tags of users and roles are told apart without regard to case, those of others are not, and all are kept as they were
//! given. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>.

use keyreeve_core::record::TagRecord;
use keyreeve_wire::iam::Tag;

use crate::entity::{TagKeys, Tagged};
use crate::refusal::Refusal;

/// The tags that an entity may have.
const MOST: usize = 50;

/// The tags of a request.
pub(crate) fn records<E: Tagged>(tags: &[Tag]) -> Result<Vec<TagRecord>, Refusal> {
    let mut records: Vec<TagRecord> = Vec::with_capacity(tags.len());
    for Tag { key, value } in tags {
        if key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            return Err(Refusal::invalid("Tag keys beginning with aws: are reserved for system use."));
        }
        if records.iter().any(|record| E::TAG_KEYS.same(&record.key, key)) {
            return Err(Refusal::invalid(match E::TAG_KEYS {
                TagKeys::Exact => "Duplicate tag keys found.",
                TagKeys::IgnoringCase => {
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive."
                }
            }));
        }
        records.push(TagRecord { key: key.clone(), value: value.clone() });
    }
    Ok(records)
}

/// The tags that conditions see, before these are checked: of a key that stands twice the last value counts, by recorded answers of
/// AWS.
pub(crate) fn asked(tags: &[Tag]) -> Vec<TagRecord> {
    let mut asked: Vec<TagRecord> = Vec::with_capacity(tags.len());
    for Tag { key, value } in tags {
        match asked.iter_mut().find(|tag| tag.key == *key) {
            Some(tag) => tag.value.clone_from(value),
            None => asked.push(TagRecord { key: key.clone(), value: value.clone() }),
        }
    }
    asked
}

/// Refuses a request without tags. Whoever may not make it has been told so before.
pub(crate) fn some<T>(tags: &[T]) -> Result<(), Refusal> {
    // The text ends with a space, as recorded.
    if tags.is_empty() { Err(Refusal::invalid("Error occurred while validating input. ")) } else { Ok(()) }
}

/// Adds tags to an entity, or replaces the values of those that it has.
pub(crate) fn put<E: Tagged>(entity: &mut E, tags: &[TagRecord]) -> Result<(), Refusal> {
    for tag in tags {
        let found = entity.tags_mut().iter_mut().find(|held| E::TAG_KEYS.same(&held.key, &tag.key));
        match found {
            Some(held) => held.clone_from(tag),
            None => entity.tags_mut().push(tag.clone()),
        }
    }
    if entity.tags().len() > MOST {
        return Err(Refusal::quota(E::TAG_QUOTA));
    }
    Ok(())
}
