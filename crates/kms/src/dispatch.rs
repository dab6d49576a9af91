//! From an operation and a body to its handler.

use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::{ErrorCode, Input, InputError, Operation, Output, model};

use crate::{
    cancel_key_deletion, create_alias, create_grant, create_key, decapsulate, decrypt, delete_alias,
    delete_imported_key_material, derive_shared_secret, describe_key, disable_key, disable_key_rotation,
    enable_key, enable_key_rotation, encapsulate, encrypt, generate_data_key, generate_data_key_pair,
    generate_mac, generate_random, get_key_last_usage, get_key_policy, get_key_rotation_status,
    get_parameters_for_import, get_public_key, import_key_material, list_aliases, list_grants,
    list_key_policies, list_key_rotations, list_keys, list_resource_tags, list_retirable_grants,
    put_key_policy, re_encrypt, replicate_key, request_quota, retire_grant, revoke_grant,
    rotate_key_on_demand, schedule_key_deletion, sign, tag_resource, untag_resource, update_alias,
    update_key_description, update_primary_region, verify, verify_mac,
};

macro_rules! operations {
    (
        often { $($frequent:ident => $frequent_handler:path;)+ }
        answering { $($operation:ident => $handler:path;)+ }
        silent { $($quiet:ident => $quiet_handler:path;)+ }
    ) => {
        /// Decodes `body`, runs the handler of `operation` and writes its answer to `out`.
        pub(crate) async fn dispatch(
            cx: &mut Cx<'_>,
            operation: Operation,
            body: impl AsRef<[u8]>,
            out: &mut Vec<u8>,
        ) -> Result<(), Refusal> {
            if let Some(quota) = request_quota::of(operation) {
                cx.meter(quota)?;
            }
            match operation {
                $(Operation::$frequent => {
                    let input = decode(cx, body.as_ref())?;
                    drop(body);
                    $frequent_handler(cx, input).await?.write(out);
                    Ok(())
                })+
                $(Operation::$operation => {
                    let input = decode(cx, body.as_ref())?;
                    drop(body);
                    Box::pin($handler(cx, input)).await?.write(out);
                    Ok(())
                })+
                $(Operation::$quiet => {
                    let input = decode(cx, body.as_ref())?;
                    drop(body);
                    Box::pin($quiet_handler(cx, input)).await
                })+
                other => unsupported(other, body.as_ref()),
            }
        }

        /// Whether this release handles `operation`; the others are parsed, validated and refused.
        #[must_use]
        pub fn is_supported(operation: Operation) -> bool {
            matches!(operation, $(Operation::$frequent)|+ $(| Operation::$operation)+ $(| Operation::$quiet)+)
        }
    };
}

// The future of a request lives in that of its connection, which is moved now and then: what is seldom asked for, and needs more
// room than an allocation is worth, has its own.
operations! {
    often {
        Decrypt => decrypt::decrypt;
        Encrypt => encrypt::encrypt;
        GenerateDataKey => generate_data_key::generate_data_key;
        GenerateDataKeyWithoutPlaintext => generate_data_key::generate_data_key_without_plaintext;
        GenerateMac => generate_mac::generate_mac;
        GenerateRandom => generate_random::generate_random;
        ReEncrypt => re_encrypt::re_encrypt;
        Sign => sign::sign;
        Verify => verify::verify;
        VerifyMac => verify_mac::verify_mac;
    }
    answering {
        CancelKeyDeletion => cancel_key_deletion::cancel_key_deletion;
        CreateGrant => create_grant::create_grant;
        CreateKey => create_key::create_key;
        Decapsulate => decapsulate::decapsulate;
        DeleteImportedKeyMaterial => delete_imported_key_material::delete_imported_key_material;
        DeriveSharedSecret => derive_shared_secret::derive_shared_secret;
        DescribeKey => describe_key::describe_key;
        Encapsulate => encapsulate::encapsulate;
        GenerateDataKeyPair => generate_data_key_pair::generate_data_key_pair;
        GenerateDataKeyPairWithoutPlaintext => generate_data_key_pair::generate_data_key_pair_without_plaintext;
        GetKeyLastUsage => get_key_last_usage::get_key_last_usage;
        GetKeyPolicy => get_key_policy::get_key_policy;
        GetKeyRotationStatus => get_key_rotation_status::get_key_rotation_status;
        GetParametersForImport => get_parameters_for_import::get_parameters_for_import;
        GetPublicKey => get_public_key::get_public_key;
        ImportKeyMaterial => import_key_material::import_key_material;
        ListAliases => list_aliases::list_aliases;
        ListGrants => list_grants::list_grants;
        ListKeyPolicies => list_key_policies::list_key_policies;
        ListKeyRotations => list_key_rotations::list_key_rotations;
        ListKeys => list_keys::list_keys;
        ListResourceTags => list_resource_tags::list_resource_tags;
        ListRetirableGrants => list_retirable_grants::list_retirable_grants;
        ReplicateKey => replicate_key::replicate_key;
        RotateKeyOnDemand => rotate_key_on_demand::rotate_key_on_demand;
        ScheduleKeyDeletion => schedule_key_deletion::schedule_key_deletion;
    }
    silent {
        CreateAlias => create_alias::create_alias;
        DeleteAlias => delete_alias::delete_alias;
        DisableKey => disable_key::disable_key;
        DisableKeyRotation => disable_key_rotation::disable_key_rotation;
        EnableKey => enable_key::enable_key;
        EnableKeyRotation => enable_key_rotation::enable_key_rotation;
        PutKeyPolicy => put_key_policy::put_key_policy;
        RetireGrant => retire_grant::retire_grant;
        RevokeGrant => revoke_grant::revoke_grant;
        TagResource => tag_resource::tag_resource;
        UntagResource => untag_resource::untag_resource;
        UpdateAlias => update_alias::update_alias;
        UpdateKeyDescription => update_key_description::update_key_description;
        UpdatePrimaryRegion => update_primary_region::update_primary_region;
    }
}

fn decode<I: Input>(cx: &mut Cx<'_>, body: &[u8]) -> Result<I, Refusal> {
    let input = I::decode(body).map_err(refusal)?;
    let parameters = &mut cx.notes.request_parameters;
    // One block that fits most, rather than several that are copied and wiped on the way.
    parameters.reserve(PARAMETERS_CAPACITY);
    input.write_parameters(parameters);
    // Two operations have no parameters in CloudTrail, and a request without any has `null`.
    let has_none = [Operation::GenerateRandom, Operation::RetireGrant].contains(&I::OPERATION);
    if parameters == b"{}" || has_none {
        parameters.clear();
    }
    Ok(input)
}

/// Bytes of the parameters of most requests.
const PARAMETERS_CAPACITY: usize = 256;

fn refusal(error: InputError) -> Refusal {
    Refusal(error.into())
}

/// An operation whose turn has not come: its input is checked as every other's.
fn unsupported(operation: Operation, body: &[u8]) -> Result<(), Refusal> {
    if let Some(known) = model().iter().find(|known| known.operation == operation) {
        (known.check)(body).map_err(refusal)?;
    }
    let message = format!("Keyreeve does not support {} yet.", operation.name());
    Err(Refusal::new(ErrorCode::UnsupportedOperation, message))
}
