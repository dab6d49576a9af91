//! What a simulation answers: one result for each action, whatever the number of resources.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html>.

use std::collections::BTreeMap;

use keyreeve_policy::Span;
use keyreeve_wire::iam::{
    EvaluationDecision, EvaluationResult, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
    Position, ResourceSpecificResult, Statement,
};

/// How the service names a policy of the caller, whatever the model lists.
pub(crate) const IDENTITY: &str = "IAM Policy";
/// How it names the policy of a resource.
// AWS: unverified.
pub(crate) const RESOURCE: &str = "Resource Policy";

/// A statement that decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Matched {
    /// What the policy is called.
    pub(crate) policy: String,
    /// Whose it is.
    pub(crate) kind: &'static str,
    /// Where the statement stands in it.
    pub(crate) span: Option<Span>,
}

/// What an action with one resource comes to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The decision.
    pub(crate) decision: EvaluationDecision,
    /// The statements that decided.
    pub(crate) matched: Vec<Matched>,
    /// Whether the service control policies allow it, where there are some.
    pub(crate) by_organization: Option<bool>,
    /// Whether the permissions boundary allows it, where there is one.
    pub(crate) by_boundary: Option<bool>,
    /// What each side says, where the resource is of another account than the caller.
    pub(crate) across_accounts: Option<[(&'static str, EvaluationDecision); 2]>,
}

/// What an action with all resources comes to: the most restrictive of what it comes to with each.
pub(crate) fn result(
    action: &str,
    resources: &[String],
    outcomes: &[Outcome],
    missing: &[String],
) -> EvaluationResult {
    let decision = strictest(outcomes.iter().map(|outcome| outcome.decision));
    let mut matched: Vec<&Matched> = Vec::new();
    // Also what decides of other resources than those that make it the most restrictive.
    for outcome in outcomes {
        for one in &outcome.matched {
            if !matched.contains(&one) {
                matched.push(one);
            }
        }
    }
    let is_of_any = resources.iter().all(|resource| resource == "*");
    EvaluationResult {
        eval_action_name: action.to_owned(),
        eval_resource_name: match resources {
            [one] => one.as_str(),
            _ if is_of_any => "*",
            _ => template(action),
        }
        .to_owned(),
        eval_decision: decision,
        matched_statements: matched.into_iter().map(statement).collect(),
        missing_context_values: missing.to_vec(),
        organizations_decision_detail: every(outcomes, |outcome| outcome.by_organization)
            .map(|allowed| OrganizationsDecisionDetail { allowed_by_organizations: allowed }),
        permissions_boundary_decision_detail: every(outcomes, |outcome| outcome.by_boundary).map(boundary),
        eval_decision_details: (!is_of_any).then(|| details(outcomes)),
        resource_specific_results: (!is_of_any).then(|| {
            let each = resources.iter().zip(outcomes);
            each.map(|(resource, outcome)| of_resource(resource, outcome, missing)).collect()
        }),
    }
}

fn of_resource(resource: &str, outcome: &Outcome, missing: &[String]) -> ResourceSpecificResult {
    let matched = &outcome.matched;
    ResourceSpecificResult {
        eval_resource_name: resource.to_owned(),
        eval_resource_decision: outcome.decision,
        matched_statements: (!matched.is_empty()).then(|| matched.iter().map(statement).collect()),
        missing_context_values: (!missing.is_empty()).then(|| missing.to_vec()),
        eval_decision_details: outcome.across_accounts.map(|_| details(core::slice::from_ref(outcome))),
        permissions_boundary_decision_detail: outcome.by_boundary.map(boundary),
    }
}

fn statement(matched: &Matched) -> Statement {
    let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let shown = |position: keyreeve_policy::Position| Position {
        line: number(position.line),
        column: number(position.column),
    };
    Statement {
        source_policy_id: matched.policy.clone(),
        source_policy_type: matched.kind.to_owned(),
        start_position: matched.span.map(|span| shown(span.start)),
        end_position: matched.span.map(|span| shown(span.end)),
    }
}

fn boundary(allowed: bool) -> PermissionsBoundaryDecisionDetail {
    PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: allowed }
}

/// Whether all allow it that say something at all.
fn every(outcomes: &[Outcome], of: fn(&Outcome) -> Option<bool>) -> Option<bool> {
    outcomes.iter().filter_map(of).reduce(|all, one| all && one)
}

/// What each side says across accounts, the most restrictive of each; nothing within an account.
fn details(outcomes: &[Outcome]) -> BTreeMap<String, EvaluationDecision> {
    let mut details = BTreeMap::new();
    for (name, decision) in outcomes.iter().filter_map(|outcome| outcome.across_accounts).flatten() {
        let known = details.entry(name.to_owned()).or_insert(decision);
        *known = strictest([*known, decision].into_iter());
    }
    details
}

/// The most restrictive of decisions.
fn strictest(decisions: impl Iterator<Item = EvaluationDecision>) -> EvaluationDecision {
    let rank = |decision: &EvaluationDecision| match decision {
        EvaluationDecision::Allowed => 0,
        EvaluationDecision::ImplicitDeny => 1,
        EvaluationDecision::ExplicitDeny => 2,
    };
    decisions.max_by_key(rank).unwrap_or(EvaluationDecision::ImplicitDeny)
}

/// The form of the ARNs that an action is about.
fn template(action: &str) -> &'static str {
    let (service, name) = action.split_once(':').unwrap_or_default();
    let is_on_account = ON_ACCOUNT.iter().any(|known| known.eq_ignore_ascii_case(name));
    // AWS: unverified where an action is about a key and an alias, and for services beside KMS.
    if service.eq_ignore_ascii_case("kms") && !is_on_account {
        "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}"
    } else {
        "*"
    }
}

/// The actions of KMS that are about no key.
const ON_ACCOUNT: [&str; 11] = [
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "CreateKey",
    "DeleteCustomKeyStore",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "GenerateRandom",
    "ListAliases",
    "ListKeys",
    "ListRetirableGrants",
    "UpdateCustomKeyStore",
];
