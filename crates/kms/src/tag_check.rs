//! What tags must be before they are kept.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html>.

use std::collections::BTreeSet;

use keyreeve_core::Refusal;
use keyreeve_wire::{ErrorCode, Tag};

/// Checks the tags of a request: no key twice, none reserved, no forbidden character.
pub(crate) fn check(tags: &[Tag]) -> Result<(), Refusal> {
    let mut keys = BTreeSet::new();
    for tag in tags {
        if let Some(fault) = fault(&tag.tag_key, &tag.tag_value) {
            return Err(Refusal::new(ErrorCode::Tag, fault));
        }
        if !keys.insert(tag.tag_key.as_str()) {
            return Err(Refusal::new(ErrorCode::Tag, "Duplicate tag keys"));
        }
    }
    Ok(())
}

/// What is wrong with a tag whose key and value are not too long, if anything is.
#[must_use]
pub fn fault(key: &str, value: &str) -> Option<&'static str> {
    if is_reserved(key) {
        return Some("Tags beginning with aws: are reserved");
    }
    (!is_allowed(key) || !is_allowed(value)).then_some("Invalid tag")
}

/// Checks how many tags a key would have.
pub(crate) fn check_count(count: usize, quota: usize) -> Result<(), Refusal> {
    if count > quota { Err(Refusal::new(ErrorCode::Tag, "Too many tags")) } else { Ok(()) }
}

pub(crate) fn is_reserved(key: &str) -> bool {
    key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

/// Letters, digits and white space of Unicode, and `_ . : / = + - @`.
fn is_allowed(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_refused_by_their_own_reason() {
        let tag = |key: &str, value: &str| Tag { tag_key: key.into(), tag_value: value.into() };
        for (tags, expected) in [
            (vec![tag("Project", "α β"), tag("a@b.c", "")], None),
            (vec![tag("a", "1"), tag("a", "2")], Some("Duplicate tag keys")),
            (vec![tag("AWS:x", "1")], Some("Tags beginning with aws: are reserved")),
            (vec![tag("a{", "1")], Some("Invalid tag")),
            (vec![tag("a", "1!")], Some("Invalid tag")),
        ] {
            let message = check(&tags).err().and_then(|refusal| refusal.0.message);
            assert_eq!(message.as_deref(), expected, "{tags:?}");
        }
    }
}
