//! Simulations: what policies would decide of a request, asked for by itself, as `SimulateCustomPolicy` and
//! `SimulatePrincipalPolicy` have it.
//!
//! Without a resource policy, the policies of the caller alone are asked, also about keys. Grants are not.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html> and
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html>.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::context::{Found, KeyName};
use crate::decide::{Policies, Request, decide};
use crate::decision::{Cause, Decision, Layer};
use crate::document::Effect;
use crate::explain::{ExplainedPolicy, Explanation, explain};
use crate::policy::Policy;
use crate::requirement::Truth;

/// What a simulation decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Simulated {
    /// `allowed`.
    Allowed,
    /// `explicitDeny`.
    ExplicitDeny,
    /// `implicitDeny`.
    ImplicitDeny,
}

/// What a simulation says.
#[derive(Clone, Debug)]
pub struct Simulation<'p> {
    /// What it decides.
    pub decision: Simulated,
    /// The statements that decided: all that deny; or, where none does and it is allowed, all that allow it.
    pub matched: Vec<Cause<'p>>,
    /// The condition keys that the policies ask for and that the request does not have, as they write them.
    pub missing: Vec<&'p str>,
    /// What the policies of the caller decide by themselves.
    pub by_identity: Simulated,
    /// What the resource policy decides by itself; none if there is none.
    pub by_resource: Option<Simulated>,
    /// Whether the permissions boundary allows it; none if there is none.
    pub allowed_by_boundary: Option<bool>,
    /// Whether each level of service control policies allows it; none if there are none.
    pub allowed_by_organization: Option<bool>,
}

impl Simulated {
    /// As the API has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicitDeny",
            Self::ImplicitDeny => "implicitDeny",
        }
    }
}

/// Simulates a request.
#[must_use]
pub fn simulate<'p>(request: &Request<'_>, policies: &Policies<'p>) -> Simulation<'p> {
    let policies = Policies { grants: &[], ..*policies };
    let explanation = explain(request, &policies);
    let (has_boundary, has_levels) = (policies.boundary.is_some(), !policies.service_control.is_empty());
    let boundary = has_boundary.then(|| allows(&explanation, Layer::PermissionsBoundary, None));
    let levels = 0..policies.service_control.len();
    let organization = has_levels
        .then(|| levels.into_iter().all(|level| allows(&explanation, Layer::ServiceControl, Some(level))));
    let by_identity = of_layer(&explanation, Layer::Identity);
    let decision = if policies.key.is_some() {
        match decide(request, &policies) {
            Decision::Allow(_) => Simulated::Allowed,
            Decision::ExplicitDeny(_) => Simulated::ExplicitDeny,
            Decision::ImplicitDeny(_) => Simulated::ImplicitDeny,
        }
    } else if !statements(&explanation, Effect::Deny).is_empty() {
        Simulated::ExplicitDeny
    } else {
        let session = policies.session.is_none() || allows(&explanation, Layer::Session, None);
        let endpoint = policies.endpoint.is_none() || allows(&explanation, Layer::Endpoint, None);
        let is_cut = boundary == Some(false) || organization == Some(false) || !session || !endpoint;
        if by_identity == Simulated::Allowed && !is_cut {
            Simulated::Allowed
        } else {
            Simulated::ImplicitDeny
        }
    };
    let matched = match decision {
        Simulated::Allowed => statements(&explanation, Effect::Allow)
            .into_iter()
            .filter(|cause| matches!(cause.layer, Layer::Identity | Layer::Key))
            .collect(),
        Simulated::ExplicitDeny => statements(&explanation, Effect::Deny),
        Simulated::ImplicitDeny => Vec::new(),
    };
    Simulation {
        decision,
        matched,
        missing: missing(request, &policies),
        by_identity,
        by_resource: policies.key.map(|_| of_layer(&explanation, Layer::Key)),
        allowed_by_boundary: boundary,
        allowed_by_organization: organization,
    }
}

/// The names of the condition keys that `policies` ask for, each once, as it is written first.
#[must_use]
pub fn context_keys<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Vec<&'p str> {
    let mut known = BTreeSet::new();
    let names = policies.into_iter().flat_map(Policy::context_keys);
    names.filter(|name| known.insert(name.to_ascii_lowercase())).collect()
}

fn missing<'p>(request: &Request<'_>, policies: &Policies<'p>) -> Vec<&'p str> {
    let all = policies.identity.iter().chain(policies.session.unwrap_or_default());
    let all = all.copied().chain(policies.boundary).chain(policies.key).chain(policies.endpoint);
    let levels = policies.service_control.iter().chain(policies.resource_control).copied();
    let mut names = context_keys(all.chain(levels.flatten().copied()));
    names.retain(|name| matches!(request.context.find(&KeyName::new(name)), Found::Absent));
    names
}

/// The statements with this effect that apply, of the layers that bind.
fn statements<'p>(explanation: &Explanation<'p, '_>, effect: Effect) -> Vec<Cause<'p>> {
    let mut causes = Vec::new();
    for policy in explanation.policies.iter().filter(|policy| policy.binds) {
        for (statement, one) in policy.statements.iter().enumerate() {
            if one.effect == effect && one.applies == Truth::Yes {
                let (layer, level, index) = (policy.layer, policy.level, policy.index);
                causes.push(Cause { layer, level, policy: index, statement, sid: one.sid });
            }
        }
    }
    causes
}

/// Whether a statement of a layer or level allows.
fn allows(explanation: &Explanation<'_, '_>, layer: Layer, level: Option<usize>) -> bool {
    let is_of = |policy: &&ExplainedPolicy<'_, '_>| policy.layer == layer && policy.level == level;
    let mut policies = explanation.policies.iter().filter(is_of);
    let binds = policies.clone().all(|policy| policy.binds);
    // A layer that does not bind does not limit.
    !binds
        || policies.any(|policy| {
            policy.statements.iter().any(|one| one.effect == Effect::Allow && one.applies == Truth::Yes)
        })
}

/// What a layer decides by itself.
fn of_layer(explanation: &Explanation<'_, '_>, layer: Layer) -> Simulated {
    let has = |effect| statements(explanation, effect).iter().any(|cause| cause.layer == layer);
    match (has(Effect::Deny), has(Effect::Allow)) {
        (true, _) => Simulated::ExplicitDeny,
        (false, true) => Simulated::Allowed,
        (false, false) => Simulated::ImplicitDeny,
    }
}
