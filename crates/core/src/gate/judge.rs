//! The decision on a request: every policy that bears on it, asked at once.
//!
//! Grants are looked at only where the policies allow nothing and deny nothing.

use std::sync::{Arc, LazyLock};

use keyreeve_domain::spec::KeyManager;
use keyreeve_domain::{AccountId, AliasName, KeyArn};
use keyreeve_policy::{
    self as policy, Decision, Grant, KeyFamily, KeySet, Kind, Layer, Policies, Policy, Resource,
};

use crate::caller::Principal;
use crate::cx::Cx;
use crate::gate::actions::{Action, PutKeyPolicy};
use crate::gate::error::{Denied, GateError, On, Why};
use crate::gate::facts::{Facts, KeyFacts, Values};
use crate::gate::particulars::Particulars;
use crate::identity::organization::Place;
use crate::identity::standing::{NamedPolicy, Standing};
use crate::record::TagRecord;
use crate::ring::OpenKey;
use crate::vault::VaultError;

/// What is asked of the policies.
pub(crate) struct Question<'q> {
    pub(crate) action: &'q policy::Action,
    pub(crate) action_name: &'q str,
    pub(crate) resource: &'q str,
    /// The account of the resource.
    pub(crate) account: AccountId,
    pub(crate) key: Option<KeyFacts<'q>>,
    /// Whether a key is what it is about, be it there or not.
    pub(crate) concerns_key: bool,
    /// The policy of the resource.
    pub(crate) policy: Option<&'q Policy>,
    /// The tags of a resource that is not a key.
    pub(crate) tags: &'q [TagRecord],
    pub(crate) particulars: &'q Particulars<'q>,
}

/// May the caller do `A` with `key`?
pub(crate) async fn on_key<A: Action>(
    cx: &Cx<'_>,
    key: &Arc<OpenKey>,
    alias: Option<&AliasName>,
    particulars: &Particulars<'_>,
) -> Result<(), GateError> {
    let found = KeyFacts { key, alias, aliases: &[] };
    let mut question = Question {
        action: A::action(),
        action_name: A::NAME,
        resource: key.arn_text(),
        account: key.arn().account,
        key: Some(found),
        concerns_key: true,
        policy: Some(key.policy()),
        tags: &[],
        particulars,
    };
    let place = place(cx, question.account).await?;
    let place = place.as_deref();
    let needed = needed(cx, &question, place);
    let aliases = aliases(cx, key, needed).await?;
    question.key = Some(KeyFacts { aliases, ..found });
    // Whoever was last allowed by a grant is asked about once, with his grants; everybody else without them first. Grants only
    // ever add to what is allowed, so that the order is no part of the answer.
    let expected = match A::GRANTABLE && cx.caller.expects_grant() {
        // What cannot be read is in the way only of whoever needs it.
        true => {
            let grants = grants_for(cx, key, particulars).await.unwrap_or_default();
            cx.caller.expect_grant(!grants.is_empty());
            grants
        }
        false => Vec::new(),
    };
    let why = match decide(cx, &question, place, needed, &grant_refs(&expected)) {
        Verdict::Allowed => return Ok(()),
        Verdict::Denied(why) => return Err(denied(cx, &question, why)),
        Verdict::NotAllowed(why) => why,
    };
    if !A::GRANTABLE || !expected.is_empty() {
        return Err(denied(cx, &question, why));
    }
    let grants = grants_for(cx, key, particulars).await?;
    cx.caller.expect_grant(!grants.is_empty());
    if grants.is_empty() {
        return Err(denied(cx, &question, why));
    }
    match decide(cx, &question, place, needed, &grant_refs(&grants)) {
        Verdict::Allowed => Ok(()),
        Verdict::Denied(why) | Verdict::NotAllowed(why) => Err(denied(cx, &question, why)),
    }
}

/// The aliases of `key`, where a policy mentions them.
async fn aliases<'k>(cx: &Cx<'_>, key: &'k OpenKey, needed: KeySet) -> Result<&'k [AliasName], VaultError> {
    match needed.contains(policy::ContextKey::KmsResourceAliases) {
        true => Box::pin(key.aliases(cx.service)).await,
        false => Ok(&[]),
    }
}

async fn grants_for(
    cx: &Cx<'_>,
    key: &OpenKey,
    particulars: &Particulars<'_>,
) -> Result<Vec<Arc<Grant>>, VaultError> {
    cx.service.grants_for(key.arn(), cx.caller, particulars.encryption_context).await
}

fn grant_refs(grants: &[Arc<Grant>]) -> Vec<&Grant> {
    grants.iter().map(|grant| &**grant).collect()
}

/// May the caller retire one of `grants` on `key`?
pub(crate) async fn on_grant<A: Action>(
    cx: &Cx<'_>,
    key: &Arc<OpenKey>,
    grant: &Grant,
    particulars: &Particulars<'_>,
) -> Result<(), GateError> {
    let found = KeyFacts { key, alias: None, aliases: &[] };
    let mut question = Question {
        action: A::action(),
        action_name: A::NAME,
        resource: key.arn_text(),
        account: key.arn().account,
        key: Some(found),
        concerns_key: true,
        policy: Some(key.policy()),
        tags: &[],
        particulars,
    };
    let place = place(cx, question.account).await?;
    let place = place.as_deref();
    let needed = needed(cx, &question, place);
    let aliases = aliases(cx, key, needed).await?;
    question.key = Some(KeyFacts { aliases, ..found });
    match decide(cx, &question, place, needed, &[grant]) {
        Verdict::Allowed => Ok(()),
        Verdict::Denied(why) | Verdict::NotAllowed(why) => Err(denied(cx, &question, why)),
    }
}

/// May the caller do what `question` says, which no grant can give?
pub(crate) async fn without_grants(cx: &Cx<'_>, question: &Question<'_>) -> Result<(), GateError> {
    let place = place(cx, question.account).await?;
    let place = place.as_deref();
    match decide(cx, question, place, needed(cx, question, place), &[]) {
        Verdict::Allowed => Ok(()),
        Verdict::Denied(why) | Verdict::NotAllowed(why) => Err(denied(cx, question, why)),
    }
}

/// Whether the policies that bear on a use of `key` ask for what the recipient of the answer has attested.
pub(crate) async fn asks_for_attestation(cx: &Cx<'_>, key: &OpenKey) -> Result<bool, VaultError> {
    let place = place(cx, key.arn().account).await?;
    let mentioned = key.policy().mentions() | mentioned(cx.caller.standing(), place.as_deref());
    Ok(mentioned.contains_family(KeyFamily::RecipientAttestation))
}

/// The lockout check: could the caller put the next policy of the key under `policy`?
pub(crate) fn could_put_next(cx: &Cx<'_>, arn: &KeyArn, key: Option<&OpenKey>, policy: &Policy) -> bool {
    let facts = Facts {
        key: key.map(|key| KeyFacts { key, alias: None, aliases: &[] }),
        ..facts(cx, arn.account, cx.caller.standing().place.as_deref(), &Particulars::NONE)
    };
    let (action, resource) = (PutKeyPolicy::action(), arn.to_string());
    Values::of(policy.mentions(), &facts, &[]).ask(|context| {
        let request = policy::Request {
            caller: cx.caller.to_policy(),
            action,
            resource: Resource::new(&resource),
            resource_account: arn.account,
            context,
            encryption_context: &[],
        };
        policy::allows_to_put_policy(policy, &request, cx.caller.standing().boundary.is_some())
    })
}

/// What is known of a request, but for its resource.
fn facts<'a>(
    cx: &'a Cx<'_>,
    account: AccountId,
    place: Option<&'a Place>,
    particulars: &'a Particulars<'a>,
) -> Facts<'a> {
    let head = cx.announcement.head();
    Facts {
        caller: cx.caller,
        region: cx.region,
        now: cx.now,
        source_ip: head.source_ip,
        user_agent: head.user_agent,
        is_secure: head.tls.is_some(),
        account,
        place,
        key: None,
        concerns_key: true,
        tags: &[],
        attestation: cx.attestation.as_ref(),
        particulars,
    }
}

enum Verdict {
    Allowed,
    /// A statement denies it.
    Denied(Why),
    /// Nothing allows it.
    NotAllowed(Why),
}

/// Where the account of a resource is in the organization.
async fn place(cx: &Cx<'_>, account: AccountId) -> Result<Option<Arc<Place>>, VaultError> {
    let has_standing = match cx.caller.principal() {
        Principal::FederatedUser(_) | Principal::Role(_) | Principal::Root | Principal::User(_) => true,
        Principal::Service(_) | Principal::WebIdentity(_) => false,
    };
    if has_standing && account == cx.caller.account() {
        return Ok(cx.caller.standing().place.clone());
    }
    let organization = Box::pin(cx.service.organization()).await?;
    Ok(organization.and_then(|organization| organization.place(account).cloned()))
}

/// The condition keys that some policy mentions.
fn needed(cx: &Cx<'_>, question: &Question<'_>, place: Option<&Place>) -> KeySet {
    let of_resource = question.policy.map_or(KeySet::EMPTY, Policy::mentions);
    of_resource | mentioned(cx.caller.standing(), place)
}

fn mentioned(standing: &Standing, place: Option<&Place>) -> KeySet {
    let controls = place.map_or(KeySet::EMPTY, |place| place.resource_mentions);
    standing.mentions() | controls
}

/// The condition keys that constraints of grants look at.
const GRANT_KEYS: KeySet = KeySet::EMPTY
    .with(policy::ContextKey::AwsSourceArn)
    .with(policy::ContextKey::KmsGrantOperations)
    .with(policy::ContextKey::KmsGrantConstraintType);

fn decide(
    cx: &Cx<'_>,
    question: &Question<'_>,
    place: Option<&Place>,
    needed: KeySet,
    grants: &[&Grant],
) -> Verdict {
    let caller = cx.caller;
    let standing = caller.standing();
    let needed = if grants.is_empty() { needed } else { needed | GRANT_KEYS };
    let facts = Facts {
        key: question.key,
        concerns_key: question.concerns_key,
        tags: question.tags,
        ..facts(cx, question.account, place, question.particulars)
    };
    let attested: Vec<_> = match facts.attestation {
        Some(attestation) if needed.contains_family(KeyFamily::RecipientAttestation) => {
            attestation.measurements.conditions().collect()
        }
        Some(_) | None => Vec::new(),
    };
    let values = Values::of(needed, &facts, &attested);
    let identity = refs(&standing.identity);
    let session = standing.session.as_deref().map(refs);
    let service_control = levels(standing.place.as_deref().map_or(&[], |place| &place.service_control));
    let service_control: Vec<&[&Policy]> = service_control.iter().map(Vec::as_slice).collect();
    // Documented: those of an organization do not bind AWS managed keys.
    // Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
    let is_managed = question.key.is_some_and(|found| found.key.record().manager == KeyManager::Aws);
    let bound = place.filter(|_| !is_managed);
    let resource_control = levels(bound.map_or(&[], |place| &place.resource_control));
    let resource_control: Vec<&[&Policy]> = resource_control.iter().map(Vec::as_slice).collect();
    let policies = Policies {
        key: question.policy,
        identity: &identity,
        boundary: standing.boundary.as_ref().map(|boundary| &boundary.policy),
        session: session.as_deref(),
        service_control: &service_control,
        resource_control: &resource_control,
        endpoint: None,
        grants,
    };
    let pairs: Vec<(&str, &str)> = match question.particulars.encryption_context {
        Some(context) if !grants.is_empty() => {
            context.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        }
        Some(_) | None => Vec::new(),
    };
    values.ask(|context| {
        let request = policy::Request {
            caller: caller.to_policy(),
            action: question.action,
            resource: Resource::new(question.resource),
            resource_account: question.account,
            context,
            encryption_context: &pairs,
        };
        let decision = policy::decide(&request, &policies);
        let why = || Why::of(&decision, question.action_name, caller.account() != question.account);
        match decision {
            Decision::Allow(_) => Verdict::Allowed,
            Decision::ExplicitDeny(_) => Verdict::Denied(why()),
            Decision::ImplicitDeny(_) => Verdict::NotAllowed(why()),
        }
    })
}

/// Whether the key policy alone lets the caller do what `question` says: then he may know that there is such a key.
fn is_named(cx: &Cx<'_>, question: &Question<'_>, needed: KeySet) -> bool {
    let facts = Facts { key: question.key, ..facts(cx, question.account, None, question.particulars) };
    let everything: Vec<&Policy> = EVERYTHING.iter().collect();
    let policies = Policies { key: question.policy, identity: &everything, ..Policies::default() };
    Values::of(needed, &facts, &[]).ask(|context| {
        let request = policy::Request {
            caller: cx.caller.to_policy(),
            action: question.action,
            resource: Resource::new(question.resource),
            resource_account: question.account,
            context,
            encryption_context: &[],
        };
        policy::decide(&request, &policies).is_allow()
    })
}

/// A policy that allows everything.
static EVERYTHING: LazyLock<Option<Policy>> = LazyLock::new(|| {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    Policy::compile(Kind::Identity, text).ok()
});

fn refs(policies: &[NamedPolicy]) -> Vec<&Policy> {
    policies.iter().map(|named| &named.policy).collect()
}

fn levels(levels: &[Vec<NamedPolicy>]) -> Vec<Vec<&Policy>> {
    levels.iter().map(|level| refs(level)).collect()
}

fn denied(cx: &Cx<'_>, question: &Question<'_>, why: Why) -> GateError {
    let is_foreign = question.key.is_some() && question.account != cx.caller.account();
    let needed = question.policy.map_or(KeySet::EMPTY, Policy::mentions);
    let is_hidden = is_foreign && !is_named(cx, question, needed);
    let why = match why {
        // A grant names him, and what his own side lacks is said: of the key, nothing is.
        Why::Lacking(Layer::PermissionsBoundary | Layer::Session, _) => why,
        Why::Denied(_) | Why::Lacking(..) | Why::Unseen if is_hidden => Why::Unseen,
        Why::Denied(_) | Why::Lacking(..) | Why::Unseen => why,
    };
    let on = match why {
        _ if question.particulars.by_ciphertext => On::Ciphertext,
        _ if is_hidden => On::Unseen,
        Why::Unseen => On::Unseen,
        Why::Denied(_) | Why::Lacking(..) => On::Resource(question.resource.to_owned()),
    };
    let (caller, action) = (cx.caller.arn().to_owned(), question.action_name.to_owned());
    Box::new(Denied { caller, action, on, why }).into()
}
