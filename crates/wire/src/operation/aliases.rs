//! Operations on aliases.

use crate::declare::operation;
use crate::shapes;
use crate::structures::AliasListEntry;

operation! { CreateAlias {
    input CreateAliasInput {
        alias_name: required String = "AliasName" ALIAS_NAME,
        target_key_id: required String = "TargetKeyId" KEY_ID,
    }
    errors [
        DependencyTimeout, AlreadyExists, NotFound, InvalidAliasName, KmsInternal, LimitExceeded,
        KmsInvalidState,
    ]
}}

operation! { UpdateAlias {
    input UpdateAliasInput {
        alias_name: required String = "AliasName" ALIAS_NAME,
        target_key_id: required String = "TargetKeyId" KEY_ID,
    }
    errors [
        DependencyTimeout, NotFound, KmsInternal, LimitExceeded, KmsInvalidState,
    ]
}}

operation! { DeleteAlias {
    input DeleteAliasInput {
        alias_name: required String = "AliasName" ALIAS_NAME,
    }
    errors [
        DependencyTimeout, NotFound, KmsInternal, KmsInvalidState,
    ]
}}

operation! { ListAliases {
    input ListAliasesInput {
        key_id: optional String = "KeyId" KEY_ID,
        limit: optional u32 = "Limit" LIMIT,
        marker: optional String = "Marker" MARKER,
    }
    output ListAliasesOutput {
        aliases: present Vec<AliasListEntry> = "Aliases" ALIAS_LIST,
        next_marker: optional String = "NextMarker" MARKER,
        truncated: present bool = "Truncated" BOOLEAN,
    }
    errors [
        DependencyTimeout, InvalidMarker, KmsInternal, InvalidArn, NotFound,
    ]
}}
