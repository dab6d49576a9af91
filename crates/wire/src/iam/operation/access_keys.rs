//! Operations on access keys.

use crate::iam::operation::Operation;
use crate::iam::shapes;
use crate::iam::shapes::Status;
use crate::iam::structures::{AccessKey, AccessKeyLastUsed, AccessKeyMetadata};
use crate::query::declare::query_operation;

query_operation! { CreateAccessKey {
    input CreateAccessKeyInput {
        user_name: optional String = "UserName" EXISTING_USER_NAME,
    }
    output CreateAccessKeyOutput {
        access_key: required AccessKey = "AccessKey" ACCESS_KEY,
    }
    errors [NoSuchEntity, LimitExceeded, ServiceFailure]
} }

query_operation! { ListAccessKeys {
    input ListAccessKeysInput {
        user_name: optional String = "UserName" EXISTING_USER_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListAccessKeysOutput {
        access_key_metadata: required Vec<AccessKeyMetadata> = "AccessKeyMetadata" ACCESS_KEY_METADATA_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { UpdateAccessKey {
    input UpdateAccessKeyInput {
        user_name: optional String = "UserName" EXISTING_USER_NAME,
        access_key_id: required String = "AccessKeyId" ACCESS_KEY_ID,
        status: required Status = "Status" STATUS,
    }
    errors [NoSuchEntity, LimitExceeded, ServiceFailure, InvalidInput]
} }

query_operation! { DeleteAccessKey {
    input DeleteAccessKeyInput {
        user_name: optional String = "UserName" EXISTING_USER_NAME,
        access_key_id: required String = "AccessKeyId" ACCESS_KEY_ID,
    }
    errors [NoSuchEntity, LimitExceeded, ServiceFailure]
} }

query_operation! { GetAccessKeyLastUsed {
    input GetAccessKeyLastUsedInput {
        access_key_id: required String = "AccessKeyId" ACCESS_KEY_ID,
    }
    output GetAccessKeyLastUsedOutput {
        user_name: present String = "UserName" EXISTING_USER_NAME,
        access_key_last_used: present AccessKeyLastUsed = "AccessKeyLastUsed" ACCESS_KEY_LAST_USED,
    }
    errors []
} }
