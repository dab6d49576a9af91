//! Operations on tags.

use crate::declare::operation;
use crate::shapes;
use crate::structures::Tag;

operation! { TagResource {
    input TagResourceInput {
        key_id: required String = "KeyId" KEY_ID,
        tags: required Vec<Tag> = "Tags" TAG_LIST,
    }
    errors [
        KmsInternal, NotFound, InvalidArn, KmsInvalidState, LimitExceeded, Tag,
    ]
}}

operation! { UntagResource {
    input UntagResourceInput {
        key_id: required String = "KeyId" KEY_ID,
        tag_keys: required Vec<String> = "TagKeys" TAG_KEY_LIST,
    }
    errors [
        KmsInternal, NotFound, InvalidArn, KmsInvalidState, Tag,
    ]
}}

operation! { ListResourceTags {
    input ListResourceTagsInput {
        key_id: required String = "KeyId" KEY_ID,
        limit: optional u32 = "Limit" LIMIT,
        marker: optional String = "Marker" MARKER,
    }
    output ListResourceTagsOutput {
        next_marker: optional String = "NextMarker" MARKER,
        tags: present Vec<Tag> = "Tags" TAG_LIST,
        truncated: present bool = "Truncated" BOOLEAN,
    }
    errors [
        KmsInternal, NotFound, InvalidArn, InvalidMarker,
    ]
}}
