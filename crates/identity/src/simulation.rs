//! SimulateCustomPolicy, SimulatePrincipalPolicy, GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html> and those beside it.
//!
//! The engine that decides requests decides these, too. Nothing is in their context but what the request gives. Where no
//! resource policy is given, a KMS key is taken for one whose policy leaves it to the account: as it is for a new key.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use keyreeve_core::Cx;
use keyreeve_core::identity::record::{GroupRecord, RoleRecord, UserRecord};
use keyreeve_core::identity::standing::{Identities, NamedPolicy};
use keyreeve_domain::AccountId;
use keyreeve_policy::{
    Action, Caller, Context, ContextValue, Decision, Effect, Kind, Layer, Policies, Policy, Resource,
    RoleSession, Span, Truth, default_text, explain, is_address, is_base64, is_number, simulator_spans,
};
use keyreeve_store::Snapshot;
use keyreeve_wire::iam::{
    AttachmentType, ContextEntry, ContextKeyType, EvaluationDecision, EvaluationResult,
    GetContextKeysForCustomPolicyInput, GetContextKeysForCustomPolicyOutput,
    GetContextKeysForPrincipalPolicyInput, GetContextKeysForPrincipalPolicyOutput,
    OrderedOrganizationPolicyType, PolicyIdentifier, SimulateCustomPolicyInput, SimulateCustomPolicyOutput,
    SimulatePrincipalPolicyInput, SimulatePrincipalPolicyOutput,
};

use crate::amend::authorized;
use crate::arn;
use crate::entity::{PolicyHolder, Target};
use crate::gate::{Particulars, authorize};
use crate::page::{self, Page, Wanted};
use crate::refusal::Refusal;
use crate::simulated::{self, IDENTITY, Matched, Outcome, RESOURCE};

/// The most pairs of an action and a resource of one request, over all its pages.
const PAIRS_MOST: usize = 10_000;

/// A policy with where it comes from.
struct Source {
    id: String,
    policy: Policy,
    /// Where its statements stand.
    spans: Vec<Span>,
    excluded_as: Excluded,
}

/// How a request names a policy that is to be left out.
enum Excluded {
    Arn(String),
    Inline(AttachmentType, String, String),
    Never,
}

/// What is simulated, and how.
struct Scene<'a> {
    identity: Vec<Source>,
    boundary: Option<Policy>,
    organization: Vec<Vec<Policy>>,
    resource_policy: Option<(Policy, Vec<Span>)>,
    account: AccountId,
    caller: &'a str,
    owner: Option<&'a str>,
    entries: &'a [ContextEntry],
    /// What `aws:userid` is where the request does not give it.
    user_id: Option<&'a str>,
}

const USER_ID: &str = "aws:userid";
/// What it is where nobody is given, by recorded answers of AWS; else it is the ARN of the caller.
const NOBODY: &str = "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR";

fn compile(kind: Kind, text: &str, what: &str) -> Result<Policy, Refusal> {
    // AWS: the text is unverified.
    let compiled = Policy::compile(kind, text).ok();
    compiled.ok_or_else(|| Refusal::invalid(format!("Syntax errors in policy {what}.")))
}

/// The policies of a request, named by their place in it.
fn given(texts: &[String]) -> Result<Vec<Source>, Refusal> {
    (1..)
        .zip(texts)
        .map(|(number, text)| {
            let id = format!("PolicyInputList.{number}");
            let policy = compile(Kind::Identity, text, &id)?;
            Ok(Source { id, policy, spans: simulator_spans(text), excluded_as: Excluded::Never })
        })
        .collect()
}

fn boundary(texts: &[String]) -> Result<Option<Policy>, Refusal> {
    match texts {
        [] => Ok(None),
        [text] => compile(Kind::Identity, text, "PermissionsBoundaryPolicyInputList.1").map(Some),
        _ => Err(Refusal::invalid("There can be one permissions boundary.")),
    }
}

fn organization(levels: &[OrderedOrganizationPolicyType]) -> Result<Vec<Vec<Policy>>, Refusal> {
    let level = |level: &OrderedOrganizationPolicyType| {
        let texts = level.service_control_policy_input_list.iter();
        texts.map(|text| compile(Kind::Identity, text, "of the organization")).collect()
    };
    levels.iter().map(level).collect()
}

/// The service control policies that bind the caller's account, by level.
async fn own_organization(cx: &Cx<'_>) -> Result<Vec<Vec<Policy>>, Refusal> {
    let organization = cx.service.organization().await?;
    let place = organization.as_ref().and_then(|organization| organization.place(cx.caller.account()));
    let levels = place.map(|place| place.service_control.as_slice()).unwrap_or_default();
    let level = |level: &Vec<NamedPolicy>| level.iter().map(|named| named.policy.clone()).collect();
    Ok(levels.iter().map(level).collect())
}

fn resource_policy(text: Option<&String>) -> Result<Option<(Policy, Vec<Span>)>, Refusal> {
    text.map(|text| Ok((compile(Kind::Resource, text, "ResourcePolicy")?, simulator_spans(text)))).transpose()
}

/// A policy of a resource says whom it is about, and nobody is given.
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html>, `CallerArn`.
fn caller_missing() -> Refusal {
    // AWS: unverified. The text is not known.
    Refusal::invalid("CallerArn is required if a ResourcePolicy is included.")
}

pub(crate) async fn simulate_custom_policy(
    cx: &mut Cx<'_>,
    input: SimulateCustomPolicyInput,
) -> Result<SimulateCustomPolicyOutput, Refusal> {
    authorize(cx, "iam:SimulateCustomPolicy", "*", &Particulars::default()).await?;
    let account = cx.caller.account();
    let somebody = format!("arn:aws:iam::{account}:user/simulated");
    if input.resource_policy.is_some() && input.caller_arn.is_none() {
        return Err(caller_missing());
    }
    let scene = Scene {
        identity: given(&input.policy_input_list)?,
        boundary: boundary(&input.permissions_boundary_policy_input_list)?,
        organization: organization(&input.ordered_organization_policy_input_list)?,
        resource_policy: resource_policy(input.resource_policy.as_ref())?,
        account,
        caller: input.caller_arn.as_deref().unwrap_or(&somebody),
        owner: input.resource_owner.as_deref(),
        entries: &input.context_entries,
        user_id: Some(input.caller_arn.as_deref().unwrap_or(NOBODY)),
    };
    let wanted = Wanted::new(&input.marker, input.max_items);
    let page = scene.page(cx, "SimulateCustomPolicy", wanted, &input.action_names, &input.resource_arns)?;
    let is_truncated = page.is_truncated();
    Ok(SimulateCustomPolicyOutput { evaluation_results: page.items, is_truncated, marker: page.marker })
}

pub(crate) async fn simulate_principal_policy(
    cx: &mut Cx<'_>,
    input: SimulatePrincipalPolicyInput,
) -> Result<SimulatePrincipalPolicyOutput, Refusal> {
    let account = cx.caller.account();
    let source = input.policy_source_arn.as_str();
    let (mut identity, own_boundary) = of_principal(cx, "iam:SimulatePrincipalPolicy", source).await?;
    identity.retain(|policy| !input.policy_exclusion_list.iter().any(|out| is_excluded(policy, out)));
    identity.extend(given(&input.policy_input_list)?);
    let somebody = format!("arn:aws:iam::{account}:user/simulated");
    if input.resource_policy.is_some() && input.caller_arn.is_none() && !source.contains(":user/") {
        return Err(caller_missing());
    }
    let caller = if source.contains(":group/") { &somebody } else { source };
    let scene = Scene {
        identity,
        boundary: boundary(&input.permissions_boundary_policy_input_list)?.or(own_boundary),
        organization: own_organization(cx).await?,
        resource_policy: resource_policy(input.resource_policy.as_ref())?,
        account,
        caller: input.caller_arn.as_deref().unwrap_or(caller),
        owner: input.resource_owner.as_deref(),
        entries: &input.context_entries,
        user_id: None,
    };
    let wanted = Wanted::new(&input.marker, input.max_items);
    let page =
        scene.page(cx, "SimulatePrincipalPolicy", wanted, &input.action_names, &input.resource_arns)?;
    let is_truncated = page.is_truncated();
    Ok(SimulatePrincipalPolicyOutput { evaluation_results: page.items, is_truncated, marker: page.marker })
}

pub(crate) async fn get_context_keys_for_custom_policy(
    cx: &mut Cx<'_>,
    input: GetContextKeysForCustomPolicyInput,
) -> Result<GetContextKeysForCustomPolicyOutput, Refusal> {
    authorize(cx, "iam:GetContextKeysForCustomPolicy", "*", &Particulars::default()).await?;
    Ok(GetContextKeysForCustomPolicyOutput { context_key_names: keys_of(&given(&input.policy_input_list)?) })
}

pub(crate) async fn get_context_keys_for_principal_policy(
    cx: &mut Cx<'_>,
    input: GetContextKeysForPrincipalPolicyInput,
) -> Result<GetContextKeysForPrincipalPolicyOutput, Refusal> {
    let action = "iam:GetContextKeysForPrincipalPolicy";
    let (mut policies, _) = of_principal(cx, action, &input.policy_source_arn).await?;
    policies.extend(given(&input.policy_input_list)?);
    Ok(GetContextKeysForPrincipalPolicyOutput { context_key_names: keys_of(&policies) })
}

fn keys_of(policies: &[Source]) -> Vec<String> {
    let mut known = HashSet::new();
    let names = policies.iter().flat_map(|source| source.policy.context_keys());
    names.filter(|name| known.insert(name.to_ascii_lowercase())).map(str::to_owned).collect()
}

/// The policies of the user, group or role with this ARN, and the boundary, if the caller may do `action` with it.
async fn of_principal(
    cx: &Cx<'_>,
    action: &'static str,
    principal: &str,
) -> Result<(Vec<Source>, Option<Policy>), Refusal> {
    let (kind, name) = arn::principal(cx, principal)?;
    let target = Target { name, arn: None };
    let snapshot = cx.service.vault().snapshot().await?;
    let particulars = Particulars::default();
    let mut policies = Vec::new();
    let bound = match kind {
        "user" => {
            let user = authorized::<UserRecord>(cx, &*snapshot, action, target, &particulars).await?.record;
            add(cx, &*snapshot, &mut policies, &user, AttachmentType::User).await?;
            for group in &user.groups {
                let group = cx.service.group_of_reference(&*snapshot, cx.caller.account(), group).await?;
                add(cx, &*snapshot, &mut policies, &group, AttachmentType::Group).await?;
            }
            user.boundary
        }
        "group" => {
            let group = authorized::<GroupRecord>(cx, &*snapshot, action, target, &particulars).await?.record;
            add(cx, &*snapshot, &mut policies, &group, AttachmentType::Group).await?;
            None
        }
        "role" => {
            let role = authorized::<RoleRecord>(cx, &*snapshot, action, target, &particulars).await?.record;
            add(cx, &*snapshot, &mut policies, &role, AttachmentType::Role).await?;
            role.boundary
        }
        _ => return Err(arn::not_valid(principal)),
    };
    let bound = match bound {
        None => None,
        Some(arn) => Some(compile(Kind::Identity, &managed_text(cx, &*snapshot, &arn).await?, &arn)?),
    };
    Ok((policies, bound))
}

/// Adds the policies of an entity.
async fn add<E: PolicyHolder>(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    policies: &mut Vec<Source>,
    entity: &E,
    attachment: AttachmentType,
) -> Result<(), Refusal> {
    for policy in entity.policies() {
        let (holder, name) = (entity.name().to_owned(), policy.name.clone());
        policies.push(Source {
            id: format!("{}_{holder}_{name}", E::NOUN),
            policy: compile(Kind::Identity, &policy.text, &name)?,
            spans: simulator_spans(&policy.text),
            excluded_as: Excluded::Inline(attachment, holder, name),
        });
    }
    for arn in entity.attached() {
        let text = managed_text(cx, snapshot, arn).await?;
        policies.push(Source {
            id: crate::shown::policy_name(arn).to_owned(),
            policy: compile(Kind::Identity, &text, arn)?,
            spans: simulator_spans(&text),
            excluded_as: Excluded::Arn(arn.clone()),
        });
    }
    Ok(())
}

async fn managed_text(cx: &Cx<'_>, snapshot: &dyn Snapshot, arn: &str) -> Result<String, Refusal> {
    let identities = Identities { service: cx.service, snapshot, account: cx.caller.account() };
    identities.managed_text(arn).await?.ok_or_else(|| arn::no_policy(arn))
}

fn is_excluded(policy: &Source, out: &PolicyIdentifier) -> bool {
    match &policy.excluded_as {
        Excluded::Arn(arn) => out.policy_arn.as_ref() == Some(arn),
        Excluded::Inline(attachment, holder, name) => {
            out.inline_policy_identifier.as_ref().is_some_and(|inline| {
                inline.attachment_type == *attachment
                    && inline.attachment_name.eq_ignore_ascii_case(holder)
                    && inline.policy_name.eq_ignore_ascii_case(name)
            })
        }
        Excluded::Never => false,
    }
}

/// Refuses an entry that gives a key without a name, values or a type; one that gives nothing at all is passed over.
fn check_entries(entries: &[ContextEntry]) -> Result<(), Refusal> {
    for ContextEntry { context_key_name, context_key_values, context_key_type } in entries {
        let wrong = match (context_key_name.as_deref(), context_key_values.as_slice(), context_key_type) {
            (None, [], None) => continue,
            (None, _, _) => "ContextKeyName cannot be null or empty.".to_owned(),
            (Some(name), [], _) => format!("Context values for context key {name} cannot be null or empty."),
            (Some(name), [_, ..], None) => format!("Context key {name} has invalid type null."),
            (Some(name), values, Some(kind)) => {
                let Some((is_of_type, expected)) = form(*kind) else { continue };
                if values.iter().all(|value| is_of_type(value)) {
                    continue;
                }
                format!("Invalid context value for key {name}: expected {expected}.")
            }
        };
        return Err(Refusal::invalid(wrong));
    }
    Ok(())
}

type IsOfType = fn(&str) -> bool;

/// What the values of a key of this type are, and how that is called. Of the others, what is refused is not recorded.
fn form(kind: ContextKeyType) -> Option<(IsOfType, &'static str)> {
    match kind {
        ContextKeyType::Binary | ContextKeyType::BinaryList => {
            Some((is_base64, "base-64 encoded binary format"))
        }
        ContextKeyType::Ip | ContextKeyType::IpList => Some((is_address, "IP address")),
        ContextKeyType::Numeric | ContextKeyType::NumericList => Some((is_number, "numeric format")),
        ContextKeyType::Boolean
        | ContextKeyType::BooleanList
        | ContextKeyType::Date
        | ContextKeyType::DateList
        | ContextKeyType::String
        | ContextKeyType::StringList => None,
    }
}

impl Scene<'_> {
    /// What actions with all resources come to, in the order of the request, as many as the page takes.
    fn page(
        &self,
        cx: &Cx<'_>,
        list: &str,
        wanted: Wanted<'_>,
        actions: &[String],
        resources: &[String],
    ) -> Result<Page<EvaluationResult>, Refusal> {
        check_entries(self.entries)?;
        let values: Vec<(&str, Vec<&str>)> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let name = entry.context_key_name.as_deref()?;
                Some((name, entry.context_key_values.iter().map(String::as_str).collect()))
            })
            .collect();
        let keys = values.iter().zip(self.entries).filter_map(|((name, values), entry)| {
            let value = match (values.as_slice(), entry.context_key_type.is_some_and(is_list)) {
                ([one], false) => ContextValue::One(one),
                (many, _) => ContextValue::Many(many),
            };
            (!values.is_empty()).then_some((*name, value))
        });
        let is_given = values.iter().any(|(name, _)| name.eq_ignore_ascii_case(USER_ID));
        let user_id = self.user_id.filter(|_| !is_given).map(|id| (USER_ID, ContextValue::One(id)));
        let context: Context<'_> = keys.chain(user_id).collect();
        let missing = self.missing(&values, &context);
        let everything = ["*".to_owned()];
        let resources = if resources.is_empty() { &everything } else { resources };
        // AWS: the texts are unverified.
        if let Some(action) = actions.iter().find(|action| !action.contains(':')) {
            return Err(Refusal::invalid(format!("Invalid action name: {action}")));
        }
        let count = actions.len().saturating_mul(resources.len());
        if count > PAIRS_MOST {
            let message = format!(
                "{count} pairs of an action and a resource are more than the {PAIRS_MOST} of one request."
            );
            return Err(Refusal::invalid(message));
        }
        let Page { items, marker } = page::of_places(cx, list, wanted, actions.len())?;
        let (from, most) = (items.first().copied().unwrap_or_default(), items.len());
        let mut defaults = HashMap::new();
        let results = actions.iter().skip(from).take(most).map(|action| {
            let each =
                resources.iter().map(|resource| self.outcome(action, resource, &context, &mut defaults));
            let outcomes = each.collect::<Result<Vec<_>, Refusal>>()?;
            Ok::<_, Refusal>(simulated::result(action, resources, &outcomes, &missing))
        });
        Ok(Page { items: results.collect::<Result<_, _>>()?, marker })
    }

    /// The condition keys that policies ask for and the request does not give, but for those whose conditions all hold.
    fn missing(&self, given: &[(&str, Vec<&str>)], context: &Context<'_>) -> Vec<String> {
        let given: HashSet<_> = given.iter().map(|(given, _)| given.to_ascii_lowercase()).collect();
        let mut missing = keys_of(&self.identity);
        let of_resource = self.resource_policy.iter().flat_map(|(policy, _)| policy.context_keys());
        for name in of_resource {
            if !missing.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                missing.push(name.to_owned());
            }
        }
        missing.retain(|name| !given.contains(&name.to_ascii_lowercase()));
        if missing.is_empty() {
            return missing;
        }
        // Conditions are the same for every action and resource.
        let identity: Vec<_> = self.identity.iter().map(|source| &source.policy).collect();
        let key = self.resource_policy.as_ref().map(|(policy, _)| policy);
        let policies = Policies { key, identity: &identity, ..Policies::default() };
        let request = keyreeve_policy::Request {
            caller: self.caller(),
            action: &Action::new("*"),
            resource: Resource::new("*"),
            resource_account: self.account,
            context,
            encryption_context: &[],
        };
        let mut conditions = HashMap::new();
        for statement in explain(&request, &policies).policies.iter().flat_map(|policy| &policy.statements) {
            for condition in &statement.conditions {
                let holds = condition.holds == Truth::Yes;
                *conditions.entry(condition.key.to_ascii_lowercase()).or_insert(true) &= holds;
            }
        }
        missing.retain(|name| conditions.get(&name.to_ascii_lowercase()) != Some(&true));
        missing
    }

    /// What an action with one resource comes to.
    fn outcome(
        &self,
        action: &str,
        resource: &str,
        context: &Context<'_>,
        defaults: &mut HashMap<AccountId, Policy>,
    ) -> Result<Outcome, Refusal> {
        let is_kms = action.get(..4).is_some_and(|service| service.eq_ignore_ascii_case("kms:"));
        let parts = |text: &str| text.split(':').nth(4).and_then(|account| account.parse().ok());
        let resource_account: AccountId =
            self.owner.and_then(parts).or_else(|| parts(resource)).unwrap_or(self.account);
        let default = match (&self.resource_policy, defaults.entry(resource_account)) {
            (None, Entry::Occupied(known)) if is_kms => Some(&*known.into_mut()),
            (None, Entry::Vacant(slot)) if is_kms => {
                let text = default_text(resource_account, "aws");
                Some(&*slot.insert(compile(Kind::Resource, &text, "of the key")?))
            }
            (None | Some(_), _) => None,
        };
        let identity: Vec<_> = self.identity.iter().map(|source| &source.policy).collect();
        let levels: Vec<Vec<_>> = self.organization.iter().map(|level| level.iter().collect()).collect();
        let levels: Vec<_> = levels.iter().map(Vec::as_slice).collect();
        let policies = Policies {
            key: self.resource_policy.as_ref().map(|(policy, _)| policy).or(default),
            identity: &identity,
            boundary: self.boundary.as_ref(),
            service_control: &levels,
            ..Policies::default()
        };
        let request = keyreeve_policy::Request {
            caller: self.caller(),
            action: &Action::new(action),
            resource: Resource::new(resource),
            resource_account,
            context,
            encryption_context: &[],
        };
        let explained = explain(&request, &policies);
        let (eval_decision, effect) = match explained.decision {
            Decision::Allow(_) => (EvaluationDecision::Allowed, Some(Effect::Allow)),
            Decision::ExplicitDeny(_) => (EvaluationDecision::ExplicitDeny, Some(Effect::Deny)),
            Decision::ImplicitDeny(_) => (EvaluationDecision::ImplicitDeny, None),
        };
        let mut matched = Vec::new();
        let mut by_layer = [EvaluationDecision::ImplicitDeny; 2];
        for policy in &explained.policies {
            let (id, kind, spans, decides) = match policy.layer {
                Layer::Identity => {
                    let Some(source) = self.identity.get(policy.index) else { continue };
                    (source.id.as_str(), IDENTITY, source.spans.as_slice(), 0)
                }
                Layer::Key => {
                    let Some((_, spans)) = &self.resource_policy else { continue };
                    ("ResourcePolicy", RESOURCE, spans.as_slice(), 1)
                }
                Layer::Endpoint
                | Layer::PermissionsBoundary
                | Layer::ResourceControl
                | Layer::ServiceControl
                | Layer::Session => continue,
            };
            for (number, one) in policy.statements.iter().enumerate() {
                if one.applies != Truth::Yes {
                    continue;
                }
                if let Some(decided) = by_layer.get_mut(decides) {
                    *decided = match (one.effect, *decided) {
                        (Effect::Deny, _) | (Effect::Allow, EvaluationDecision::ExplicitDeny) => {
                            EvaluationDecision::ExplicitDeny
                        }
                        (Effect::Allow, _) => EvaluationDecision::Allowed,
                    };
                }
                if Some(one.effect) == effect {
                    let span = spans.get(number).copied();
                    matched.push(Matched { policy: id.to_owned(), kind, span });
                }
            }
        }
        // What a layer that limits says by itself: it allows, and does not deny.
        let allows = |layer: Layer, level: Option<usize>| {
            let statements = || {
                let of_layer = explained.policies.iter();
                let of_layer = of_layer.filter(|policy| policy.layer == layer && policy.level == level);
                of_layer.flat_map(|policy| &policy.statements).filter(|one| one.applies == Truth::Yes)
            };
            statements().any(|one| one.effect == Effect::Allow)
                && !statements().any(|one| one.effect == Effect::Deny)
        };
        let by_organization = || (0..levels.len()).all(|level| allows(Layer::ServiceControl, Some(level)));
        let [by_identity, by_resource] = by_layer;
        let is_foreign = self.caller().account() != Some(resource_account);
        Ok(Outcome {
            decision: eval_decision,
            matched,
            by_organization: (!levels.is_empty()).then(by_organization),
            by_boundary: self.boundary.as_ref().map(|_| allows(Layer::PermissionsBoundary, None)),
            // AWS: the names are unverified.
            across_accounts: is_foreign.then_some([(IDENTITY, by_identity), (RESOURCE, by_resource)]),
        })
    }

    fn caller(&self) -> Caller<'_> {
        let account =
            self.caller.split(':').nth(4).and_then(|account| account.parse().ok()).unwrap_or(self.account);
        if self.caller.contains(":role/") {
            return Caller::Role(RoleSession::new(account, "", Some(self.caller)));
        }
        Caller::User { account, arn: self.caller, id: None }
    }
}

fn is_list(kind: ContextKeyType) -> bool {
    match kind {
        ContextKeyType::BinaryList
        | ContextKeyType::BooleanList
        | ContextKeyType::DateList
        | ContextKeyType::IpList
        | ContextKeyType::NumericList
        | ContextKeyType::StringList => true,
        ContextKeyType::Binary
        | ContextKeyType::Boolean
        | ContextKeyType::Date
        | ContextKeyType::Ip
        | ContextKeyType::Numeric
        | ContextKeyType::String => false,
    }
}
