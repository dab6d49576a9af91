//! ReplicateKey: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied (the primary key) · Disabled, KMSInvalidState · UnsupportedOperation ·
//! ValidationException (the Region) · AlreadyExists · AccessDenied (the replica's Region) · TagException · LimitExceeded
//! (policy), MalformedPolicyDocument · LimitExceeded (keys; replica keys).

use keyreeve_audit::event::Resource;
use keyreeve_audit::json::Object;
use keyreeve_core::bracket::Notes;
use keyreeve_core::cx::Amendment;
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::multi_region::{MultiRegionRecord, Properties};
use keyreeve_core::record::{BoundPrincipal, KeyRecord, Lifecycle, PolicyRecord, TagRecord};
use keyreeve_core::request_quota::RequestQuota;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::spec::{KeyManager, KeyState};
use keyreeve_domain::{KeyArn, Region};
use keyreeve_policy::{ContextKey, default_text};
use keyreeve_wire::{ErrorCode, ReplicateKeyInput, ReplicateKeyOutput};

use crate::create_key::{may_create, note_bypass, note_metadata, reserve, space_path};
use crate::{metadata, multi_region, policy_check, tag_check};

pub(crate) async fn replicate_key(
    cx: &mut Cx<'_>,
    input: ReplicateKeyInput,
) -> Result<ReplicateKeyOutput, Refusal> {
    note_defaults(cx, &input);
    let asked = [(ContextKey::KmsReplicaRegion, input.replica_region.as_str())];
    let tags: Vec<_> = input.tags.iter().map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str())).collect();
    let particulars = Particulars { tags: &tags, ..Particulars::of(&asked) };
    let found = cx.find_without_alias::<actions::ReplicateKey>(&input.key_id).await?;
    let ready = cx.open::<actions::ReplicateKey>(&found, &particulars).await?;
    let about = multi_region::primary(&ready)?;
    let region = multi_region::replica_region(cx, &input.replica_region)?;
    let replica = KeyArn { region, ..*ready.arn() };
    if about.replicas.contains(&region) {
        return Err(exists());
    }
    let bound = in_region(cx, region, async |cx| prepare(cx, &input, &replica, ready.record()).await).await?;
    reserve(cx, &replica).await?;
    let ReplicateKeyInput { key_id, policy, description, .. } = &input;
    let tags =
        tags.iter().map(|(key, value)| TagRecord { key: (*key).into(), value: (*value).into() }).collect();
    let blank = KeyRecord {
        description: description.clone().unwrap_or_default(),
        manager: KeyManager::Customer,
        created: cx.now,
        lifecycle: Lifecycle::Enabled,
        tags,
        materials: Vec::new(),
        rotation: None,
        on_demand_rotations: 0,
        has_policy: policy.is_some(),
        pending: None,
        multi_region: Some(Box::new(MultiRegionRecord { term: 0, ..MultiRegionRecord::primary(region) })),
        ..ready.record().clone()
    };
    let kept = policy.clone().map(|text| PolicyRecord { text, bound: Some(bound) });
    let made = cx
        .amend::<actions::ReplicateKey, _>(key_id, &particulars, async |change| {
            // Another may have become the primary key meanwhile.
            multi_region::primary(&change.ready)?;
            add(change, &replica, &blank, kept.as_ref())
        })
        .await;
    if made.is_err() {
        cx.service.ring().release(replica.account, region);
    }
    let (_, record) = made?;
    let policy = policy.clone().unwrap_or_else(|| default_text(replica.account, region.partition()));
    record_events(cx, &replica, &record, &policy).await?;
    // The replica key is there already; the service says so of one that it has only begun to make.
    let mut metadata = metadata::of(&replica, &record, cx.now);
    (metadata.key_state, metadata.enabled) = (KeyState::Creating, false);
    metadata.current_key_material_id = None;
    // Recorded of imported material: the expiration model is told before the material is there.
    metadata.expiration_model = metadata::of(ready.arn(), ready.record(), cx.now).expiration_model;
    let tags: Vec<_> = record.tags.iter().map(metadata::tag).collect();
    let tags = Some(tags).filter(|tags| !tags.is_empty());
    Ok(ReplicateKeyOutput { replica_key_metadata: metadata, replica_policy: policy, replica_tags: tags })
}

/// Puts what the request left out into its event, as CloudTrail shows it.
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/ct-replicate-key.html>.
fn note_defaults(cx: &mut Cx<'_>, input: &ReplicateKeyInput) {
    note_bypass(cx, input.bypass_policy_lockout_safety_check);
    if input.description.is_none() {
        let mut parameters = Object::go_on(&mut cx.notes.request_parameters);
        parameters.string("description", "");
        parameters.end();
    }
}

/// Does `work` as a request of the same caller in another Region.
async fn in_region<'a, T>(
    cx: &mut Cx<'a>,
    region: Region,
    work: impl AsyncFnOnce(&mut Cx<'a>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let home = core::mem::replace(&mut cx.region, region);
    let done = work(cx).await;
    cx.region = home;
    done
}

/// Checks in the Region of the replica key what CreateKey checks there.
async fn prepare(
    cx: &mut Cx<'_>,
    input: &ReplicateKeyInput,
    replica: &KeyArn,
    primary: &KeyRecord,
) -> Result<Vec<BoundPrincipal>, Refusal> {
    for _ in 0..CREATE_KEY_REQUESTS {
        cx.meter(RequestQuota::CreateKey)?;
    }
    let bypass = input.bypass_policy_lockout_safety_check;
    let texts = [
        (ContextKey::KmsKeySpec, primary.spec.as_str()),
        (ContextKey::KmsCustomerMasterKeySpec, primary.spec.as_str()),
        (ContextKey::KmsKeyUsage, primary.usage.as_str()),
        (ContextKey::KmsCustomerMasterKeyUsage, primary.usage.as_str()),
        (ContextKey::KmsKeyOrigin, primary.origin.as_str()),
        (ContextKey::KmsMultiRegion, "true"),
        (ContextKey::KmsMultiRegionKeyType, "REPLICA"),
        (ContextKey::KmsBypassPolicyLockoutSafetyCheck, if bypass { "true" } else { "false" }),
    ];
    let tags: Vec<_> = input.tags.iter().map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str())).collect();
    may_create(cx, &Particulars { tags: &tags, ..Particulars::of(&texts) }).await?;
    tag_check::check_count(input.tags.len(), cx.service.quotas().tags_per_key)?;
    tag_check::check(&input.tags)?;
    match &input.policy {
        Some(policy) => policy_check::check(cx, policy, replica, None, bypass).await,
        None => Ok(Vec::new()),
    }
}

/// Adds the replica key to those that the primary key has, and makes it; yields its record.
fn add(
    change: &mut Amendment<'_, actions::ReplicateKey>,
    replica: &KeyArn,
    blank: &KeyRecord,
    policy: Option<&PolicyRecord>,
) -> Result<KeyRecord, Refusal> {
    let about = change.record.multi_region.as_deref_mut().ok_or_else(Refusal::internal)?;
    if about.replicas.contains(&replica.region) {
        return Err(exists());
    }
    if about.replicas.len() >= MOST_REPLICAS {
        let message =
            format!("{} has {MOST_REPLICAS} replica keys; no more can be made.", change.ready.arn_text());
        return Err(Refusal::new(ErrorCode::LimitExceeded, message));
    }
    about.replicas.push(replica.region);
    // It is told what all of them are told with this change.
    let told = KeyRecord { multi_region: Some(Box::new(about.replica())), ..change.record.clone() };
    let vault = change.service().vault();
    let properties = Properties::of(vault, (change.ready.arn(), &told), (replica, blank))?;
    let record = properties.and_then(|properties| properties.receive(replica.region, blank));
    let record = record.ok_or_else(Refusal::internal)?;
    let draft = &mut change.draft;
    draft.synchronize(*change.ready.arn());
    draft.put(&space_path(space::key(replica.region, replica.key))?, None, &record)?;
    draft.index(&space_path(space::owned(replica.account, replica.region, replica.key))?)?;
    if let Some(policy) = policy {
        draft.put(&space_path(space::policy(replica.region, replica.key))?, None, policy)?;
    }
    Ok(record)
}

/// The events of both Regions: ReplicateKey where it was called, CreateKey where the replica key is.
async fn record_events(
    cx: &mut Cx<'_>,
    replica: &KeyArn,
    record: &KeyRecord,
    policy: &str,
) -> Result<(), Refusal> {
    let mut elements = Object::begin(&mut cx.notes.response_elements);
    note_metadata(elements.member("replicaKeyMetadata"), replica, record, KeyState::Creating);
    elements.string("replicaPolicy", policy);
    elements.end();
    let mut notes = Notes::default();
    notes.request_parameters.clone_from(&cx.notes.request_parameters);
    notes.resource(Resource::Key(*replica));
    let mut elements = Object::begin(&mut notes.response_elements);
    note_metadata(
        elements.member("keyMetadata"),
        replica,
        record,
        metadata::state(record, replica.region, cx.now),
    );
    elements.end();
    Ok(cx.record_in(replica.region, "CreateKey", &notes).await?)
}

fn exists() -> Refusal {
    let message = "You can create only one replica of each primary key in each AWS Region.";
    Refusal::new(ErrorCode::AlreadyExists, message)
}

/// Requests that one replication counts for in the Region of the replica key.
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html>.
const CREATE_KEY_REQUESTS: usize = 2;

/// Replica keys of one primary key: more than there are Regions of AWS, and as many as take in a change in one batch.
const MOST_REPLICAS: usize = 40;
