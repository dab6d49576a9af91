//! CreateKey: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>.
//!
//! Errors, in order: ValidationException (members that exclude each other) · AccessDenied · UnsupportedOperation ·
//! TagException · LimitExceeded (policy), MalformedPolicyDocument · LimitExceeded (keys).

use keyreeve_audit::event::Resource;
use keyreeve_audit::json::Object;
use keyreeve_core::commit::Draft;
use keyreeve_core::gate::{self, Allowed, Denied, GateError, On, Particulars, actions};
use keyreeve_core::multi_region::MultiRegionRecord;
use keyreeve_core::record::{KeyRecord, Lifecycle, PolicyRecord, TagRecord};
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_crypto::random;
use keyreeve_domain::spec::{KeyManager, KeySpec, KeyState, KeyUsage, Origin};
use keyreeve_domain::{KeyArn, KeyId};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{CreateKeyInput, CreateKeyOutput, ErrorCode, MultiRegionKey};

use crate::{imported, metadata, multi_region, policy_check, tag_check};

pub(crate) async fn create_key(cx: &mut Cx<'_>, input: CreateKeyInput) -> Result<CreateKeyOutput, Refusal> {
    let (spec, usage) = spec_and_usage(&input)?;
    note_defaults(cx, &input, spec, usage);
    let allowed = authorize(cx, &input, spec, usage).await?;
    check_supported(cx, &input, spec)?;
    tag_check::check_count(input.tags.len(), cx.service.quotas().tags_per_key)?;
    tag_check::check(&input.tags)?;
    let account = allowed.account();
    let vault = cx.service.vault();
    let bits = random::array(vault.random())?;
    let key = match input.multi_region {
        true => KeyId::from_bits(true, bits),
        false => KeyId::from_random(bits),
    };
    let arn = KeyArn { region: cx.region, account, key };
    let mut bound = Vec::new();
    if let Some(policy) = &input.policy {
        let bypass = input.bypass_policy_lockout_safety_check;
        bound = policy_check::check(cx, policy, &arn, None, bypass).await?;
    }
    let mut record = KeyRecord {
        account,
        description: input.description.unwrap_or_default(),
        spec,
        usage,
        origin: input.origin.unwrap_or(Origin::AwsKms),
        manager: KeyManager::Customer,
        created: cx.now,
        lifecycle: Lifecycle::Enabled,
        tags: input
            .tags
            .into_iter()
            .map(|tag| TagRecord { key: tag.tag_key, value: tag.tag_value })
            .collect(),
        materials: Vec::new(),
        rotation: None,
        on_demand_rotations: 0,
        has_policy: input.policy.is_some(),
        pending: None,
        multi_region: input.multi_region.then(|| Box::new(MultiRegionRecord::primary(arn.region))),
    };
    reserve(cx, &arn).await?;
    let policy = input.policy.map(|text| PolicyRecord { text, bound: Some(bound) });
    let made = make(cx, &arn, &mut record, policy).await;
    if made.is_err() {
        cx.service.ring().release(arn.account, arn.region);
    }
    made?;
    let mut elements = Object::begin(&mut cx.notes.response_elements);
    let state = metadata::state(&record, arn.region, cx.now);
    note_metadata(elements.member("keyMetadata"), &arn, &record, state);
    elements.end();
    Ok(CreateKeyOutput { key_metadata: metadata::of(&arn, &record, cx.now) })
}

/// Checks that the caller may make such a key, and give it its tags.
async fn authorize(
    cx: &Cx<'_>,
    input: &CreateKeyInput,
    spec: KeySpec,
    usage: KeyUsage,
) -> Result<Allowed<actions::CreateKey>, Refusal> {
    let truth = |value| if value { "true" } else { "false" };
    let origin = input.origin.unwrap_or(Origin::AwsKms);
    let mut texts = vec![
        (ContextKey::KmsKeySpec, spec.as_str()),
        (ContextKey::KmsCustomerMasterKeySpec, spec.as_str()),
        (ContextKey::KmsKeyUsage, usage.as_str()),
        (ContextKey::KmsCustomerMasterKeyUsage, usage.as_str()),
        (ContextKey::KmsKeyOrigin, origin.as_str()),
        (ContextKey::KmsMultiRegion, truth(input.multi_region)),
        (ContextKey::KmsBypassPolicyLockoutSafetyCheck, truth(input.bypass_policy_lockout_safety_check)),
    ];
    if input.multi_region {
        texts.push((ContextKey::KmsMultiRegionKeyType, "PRIMARY"));
    }
    let tags: Vec<_> = input.tags.iter().map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str())).collect();
    may_create(cx, &Particulars { tags: &tags, ..Particulars::of(&texts) }).await
}

/// Checks that the caller may make the key that `particulars` say, with their tags.
pub(crate) async fn may_create(
    cx: &Cx<'_>,
    particulars: &Particulars<'_>,
) -> Result<Allowed<actions::CreateKey>, Refusal> {
    let allowed = gate::open_account::<actions::CreateKey>(cx, particulars).await?;
    if !particulars.tags.is_empty() {
        gate::open_account::<actions::TagNewKey>(cx, particulars).await.map_err(|error| match error {
            // Seen: the text of this one names no resource.
            GateError::Denied(denied) => GateError::from(Box::new(Denied { on: On::Nothing, ..*denied })),
            other @ (GateError::Disabled(_)
            | GateError::NotPendingDeletion(_)
            | GateError::PendingDeletion(_)
            | GateError::PendingImport(_)
            | GateError::PendingReplicaDeletion(_)
            | GateError::Updating(_)
            | GateError::Undecided(_)
            | GateError::Usage { .. }) => other,
        })?;
    }
    Ok(allowed)
}

/// Makes the material and then the key.
async fn make(
    cx: &mut Cx<'_>,
    arn: &KeyArn,
    record: &mut KeyRecord,
    policy: Option<PolicyRecord>,
) -> Result<(), Refusal> {
    if record.origin == Origin::AwsKms {
        let material = cx.service.new_material(record.spec).await?;
        record.materials.push(cx.service.vault().wrap_material(arn, record, &material)?);
    }
    cx.notes.resource(Resource::Key(*arn));
    commit(cx, arn, record, policy).await
}

/// The `keyMetadata` of an event.
pub(crate) fn note_metadata(out: &mut Vec<u8>, arn: &KeyArn, record: &KeyRecord, state: KeyState) {
    let mut metadata = Object::begin(out);
    metadata.string("aWSAccountId", &arn.account.to_string());
    metadata.string("keyId", &arn.key.to_string());
    metadata.string("arn", &arn.to_string());
    metadata.string("creationDate", &record.created.event_date());
    metadata.boolean("enabled", state == KeyState::Enabled);
    metadata.string("description", &record.description);
    metadata.string("keyUsage", record.usage.as_str());
    metadata.string("keyState", state.as_str());
    metadata.string("origin", record.origin.as_str());
    metadata.string("keyManager", record.manager.as_str());
    if let Some(old) = record.spec.customer_master_key_spec() {
        metadata.string("customerMasterKeySpec", old.as_str());
    }
    metadata.string("keySpec", record.spec.as_str());
    let algorithms = metadata::Algorithms::of(record);
    raw_list(&mut metadata, "encryptionAlgorithms", algorithms.encryption);
    raw_list(&mut metadata, "signingAlgorithms", algorithms.signing);
    raw_list(&mut metadata, "macAlgorithms", algorithms.mac);
    raw_list(&mut metadata, "keyAgreementAlgorithms", algorithms.key_agreement);
    raw_list(&mut metadata, "encapsulationAlgorithms", algorithms.encapsulation);
    metadata.boolean("multiRegion", arn.key.is_multi_region());
    if let Some(configuration) = multi_region::configuration(arn, record) {
        let mut configured = Object::begin(metadata.member("multiRegionConfiguration"));
        configured.string("multiRegionKeyType", configuration.multi_region_key_type.as_str());
        note_related(configured.member("primaryKey"), &configuration.primary_key);
        let related: Vec<Vec<u8>> = configuration
            .replica_keys
            .iter()
            .map(|key| {
                let mut out = Vec::new();
                note_related(&mut out, key);
                out
            })
            .collect();
        configured.raw("replicaKeys", &[b"[".as_slice(), &related.join(&b","[..]), b"]"].concat());
        configured.end();
    }
    metadata.end();
}

fn note_related(out: &mut Vec<u8>, key: &MultiRegionKey) {
    let mut object = Object::begin(out);
    object.string("arn", &key.arn);
    object.string("region", &key.region);
    object.end();
}

/// A list of names that need no escaping, where there is one.
fn raw_list<T: core::fmt::Display>(object: &mut Object<'_>, name: &str, values: Option<Vec<T>>) {
    let Some(values) = values else { return };
    let values: Vec<_> = values.iter().map(|value| format!("\"{value}\"")).collect();
    object.raw(name, format!("[{}]", values.join(",")).as_bytes());
}

async fn commit(
    cx: &mut Cx<'_>,
    arn: &KeyArn,
    record: &KeyRecord,
    policy: Option<PolicyRecord>,
) -> Result<(), Refusal> {
    let mut draft = Draft::new(cx.service.vault());
    draft.put(&space_path(space::key(arn.region, arn.key))?, None, record)?;
    draft.index(&space_path(space::owned(arn.account, arn.region, arn.key))?)?;
    if let Some(policy) = policy {
        draft.put(&space_path(space::policy(arn.region, arn.key))?, None, &policy)?;
    }
    Ok(cx.commit(draft).await?)
}

/// A path of well-formed parts is never too long.
pub(crate) fn space_path(
    path: Result<keyreeve_store::Path, space::SpaceError>,
) -> Result<keyreeve_store::Path, Refusal> {
    path.or(Err(Refusal::internal()))
}

/// Takes a place under the quota of keys; counts the keys first where nobody has yet.
pub(crate) async fn reserve(cx: &Cx<'_>, arn: &KeyArn) -> Result<(), Refusal> {
    let quota = cx.service.quotas().keys;
    let ring = cx.service.ring();
    let room = match ring.reserve(arn.account, arn.region, quota) {
        Some(room) => room,
        None => {
            let snapshot = cx.service.vault().snapshot().await?;
            let owned = space::owned_prefix(arn.account, arn.region);
            let owned = snapshot.count(&owned).await.map_err(keyreeve_core::vault::VaultError::from)?;
            // An AWS managed key does not count; each has exactly one alias of this form, and no other key has one.
            let managed = [space::alias_prefix(arn.account, arn.region), b"alias/aws/".to_vec()].concat();
            let managed = snapshot.count(&managed).await.map_err(keyreeve_core::vault::VaultError::from)?;
            ring.note_count(arn.account, arn.region, owned.saturating_sub(managed));
            ring.reserve(arn.account, arn.region, quota).unwrap_or(false)
        }
    };
    if room {
        return Ok(());
    }
    // AWS: unverified. The form is that of the alias quota.
    let message = format!("Keys quota for this account in this region is {quota}, current usage is {quota}.");
    Err(Refusal::new(ErrorCode::LimitExceeded, message))
}

/// Puts the flag into the event of a request that does not set it, as CloudTrail shows it.
pub(crate) fn note_bypass(cx: &mut Cx<'_>, bypass: bool) {
    if !bypass {
        let mut parameters = Object::go_on(&mut cx.notes.request_parameters);
        parameters.boolean("bypassPolicyLockoutSafetyCheck", false);
        parameters.end();
    }
}

/// Puts what the request left out into its event, as CloudTrail shows it.
fn note_defaults(cx: &mut Cx<'_>, input: &CreateKeyInput, spec: KeySpec, usage: KeyUsage) {
    note_bypass(cx, input.bypass_policy_lockout_safety_check);
    let mut parameters = Object::go_on(&mut cx.notes.request_parameters);
    if let (None, Some(old)) = (input.customer_master_key_spec, spec.customer_master_key_spec()) {
        parameters.string("customerMasterKeySpec", old.as_str());
    }
    if input.description.is_none() {
        parameters.string("description", "");
    }
    if input.key_spec.is_none() {
        parameters.string("keySpec", spec.as_str());
    }
    if input.key_usage.is_none() {
        parameters.string("keyUsage", usage.as_str());
    }
    if !input.multi_region {
        parameters.boolean("multiRegion", false);
    }
    if input.origin.is_none() {
        parameters.string("origin", Origin::AwsKms.as_str());
    }
    if input.tags.is_empty() {
        parameters.raw("tags", b"[]");
    }
    parameters.end();
}

fn spec_and_usage(input: &CreateKeyInput) -> Result<(KeySpec, KeyUsage), Refusal> {
    let invalid = |message: String| Err(Refusal::new(ErrorCode::Validation, message));
    let spec = match (input.key_spec, input.customer_master_key_spec) {
        (Some(_), Some(_)) => {
            return invalid(
                "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
                 deprecated."
                    .to_owned(),
            );
        }
        (Some(spec), None) => spec,
        (None, Some(spec)) => spec.key_spec(),
        (None, None) => KeySpec::SymmetricDefault,
    };
    let usage = match input.key_usage {
        Some(usage) => usage,
        None if spec == KeySpec::SymmetricDefault => KeyUsage::EncryptDecrypt,
        None => {
            return invalid(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
                    .to_owned(),
            );
        }
    };
    if !spec.allows(usage) {
        return invalid(format!("KeyUsage {usage} is not compatible with KeySpec {spec}"));
    }
    Ok((spec, usage))
}

/// What this release cannot make yet.
fn check_supported(cx: &Cx<'_>, input: &CreateKeyInput, spec: KeySpec) -> Result<(), Refusal> {
    let unsupported = |message: String| Err(Refusal::new(ErrorCode::UnsupportedOperation, message));
    let is_ml_kem = matches!(spec, KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024);
    let is_sm2 = spec == KeySpec::Sm2;
    let is_in_china = cx.region.partition() == "aws-cn";
    if (is_sm2 && !cx.service.makes_sm2(cx.region)) || (is_ml_kem && is_in_china) {
        return unsupported(format!("KeySpec {spec} is not supported in this Region"));
    }
    match input.origin {
        None | Some(Origin::AwsKms) => {}
        Some(Origin::External) if imported::is_importable(spec) => {}
        Some(origin @ Origin::External) => {
            let message = format!("KeySpec {spec} is not supported for Origin {origin}");
            return Err(Refusal::new(ErrorCode::Validation, message));
        }
        Some(origin @ (Origin::AwsCloudhsm | Origin::ExternalKeyStore)) => {
            return unsupported(format!("Keyreeve does not support Origin {origin} yet."));
        }
    }
    if input.custom_key_store_id.is_some() || input.xks_key_id.is_some() {
        return unsupported("Keyreeve does not support custom key stores yet.".to_owned());
    }
    Ok(())
}
