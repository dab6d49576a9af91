//! Operations on grants.

use keyreeve_domain::spec::GrantOperation;

use crate::declare::operation;
use crate::shapes;
use crate::structures::{GrantConstraints, GrantListEntry};

operation! { CreateGrant {
    input CreateGrantInput {
        key_id: required String = "KeyId" KEY_ID,
        grantee_principal: optional String = "GranteePrincipal" PRINCIPAL_ID,
        retiring_principal: optional String = "RetiringPrincipal" PRINCIPAL_ID,
        operations: required Vec<GrantOperation> = "Operations" GRANT_OPERATION_LIST,
        constraints: optional GrantConstraints = "Constraints" GRANT_CONSTRAINTS,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        name: optional String = "Name" GRANT_NAME,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
        grantee_service_principal: optional String = "GranteeServicePrincipal" SERVICE_PRINCIPAL,
        retiring_service_principal: optional String = "RetiringServicePrincipal" SERVICE_PRINCIPAL,
    }
    output CreateGrantOutput {
        grant_id: present String = "GrantId" GRANT_ID,
        grant_token: present String = "GrantToken" GRANT_TOKEN,
    }
    errors [
        NotFound, Disabled, DependencyTimeout, InvalidArn, KmsInternal, InvalidGrantToken,
        LimitExceeded, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { ListGrants {
    input ListGrantsInput {
        limit: optional u32 = "Limit" LIMIT,
        marker: optional String = "Marker" MARKER,
        key_id: required String = "KeyId" KEY_ID,
        grant_id: optional String = "GrantId" GRANT_ID,
        grantee_principal: optional String = "GranteePrincipal" PRINCIPAL_ID,
        grantee_service_principal: optional String = "GranteeServicePrincipal" SERVICE_PRINCIPAL,
    }
    output ListGrantsOutput {
        grants: present Vec<GrantListEntry> = "Grants" GRANT_LIST,
        next_marker: optional String = "NextMarker" MARKER,
        truncated: present bool = "Truncated" BOOLEAN,
    }
    errors [
        NotFound, DependencyTimeout, InvalidMarker, InvalidGrantId, InvalidArn, KmsInternal,
        KmsInvalidState,
    ]
}}

operation! { ListRetirableGrants {
    input ListRetirableGrantsInput {
        limit: optional u32 = "Limit" LIMIT,
        marker: optional String = "Marker" MARKER,
        retiring_principal: optional String = "RetiringPrincipal" PRINCIPAL_ID,
        retiring_service_principal: optional String = "RetiringServicePrincipal" SERVICE_PRINCIPAL,
    }
    output ListRetirableGrantsOutput {
        grants: present Vec<GrantListEntry> = "Grants" GRANT_LIST,
        next_marker: optional String = "NextMarker" MARKER,
        truncated: present bool = "Truncated" BOOLEAN,
    }
    errors [
        DependencyTimeout, InvalidMarker, InvalidArn, NotFound, KmsInternal,
    ]
}}

operation! { RetireGrant {
    input RetireGrantInput {
        grant_token: optional String = "GrantToken" GRANT_TOKEN,
        key_id: optional String = "KeyId" KEY_ID,
        grant_id: optional String = "GrantId" GRANT_ID,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    errors [
        InvalidArn, InvalidGrantToken, InvalidGrantId, NotFound, DependencyTimeout, KmsInternal,
        KmsInvalidState, DryRunOperation,
    ]
}}

operation! { RevokeGrant {
    input RevokeGrantInput {
        key_id: required String = "KeyId" KEY_ID,
        grant_id: required String = "GrantId" GRANT_ID,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    errors [
        NotFound, DependencyTimeout, InvalidArn, InvalidGrantId, KmsInternal, KmsInvalidState,
        DryRunOperation,
    ]
}}
