//! The decision on a request, by all policies that bear on it.
//!
//! 1. Who is unknown is refused; so is a caller of another account where the operation is not open to him.
//! 2. A statement that denies, in any layer that binds the caller, settles it.
//! 3. Each level of service control policies, and the endpoint policy, must allow.
//! 4. The key policy comes first, and its strongest statement counts: one that names the caller himself is enough; one that
//!    names his role is cut by boundary and session policy; one that names his account leaves it to his own policies, cut by
//!    both. Without any of these, his own policies count for nothing. From another account, both sides must allow.
//! 5. Else a grant may give it.
//! 6. Else it is refused.
//!
//! What needs no key is decided by the caller's own policies; a root user may do it. So are the actions of other services,
//! unless their resource has a policy, as a role has its trust policy: that counts as a key policy does.
//! Sources: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>.

use keyreeve_domain::AccountId;

use crate::action::{Action, Subject};
use crate::arn::Resource;
use crate::caller::{Caller, Strength};
use crate::context::Context;
use crate::decision::{Cause, Decision, Grounds, Lack, Layer};
use crate::fuel::Fuel;
use crate::grant::{Grant, GrantLack, Use};
use crate::pattern::Scope;
use crate::policy::{Policy, Question, Verdict};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: Caller<'a>,
    /// To do what.
    pub action: &'a Action,
    /// With what.
    pub resource: Resource<'a>,
    /// The account that the resource belongs to.
    pub resource_account: AccountId,
    /// The condition keys and their values.
    pub context: &'a Context<'a>,
    /// The encryption context, for the constraints of grants.
    pub encryption_context: &'a [(&'a str, &'a str)],
}

/// All policies that bear on a request. What is not there does not limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policies<'p> {
    /// The policy of the key; for an action of another service that of its resource, such as the trust policy of a role.
    pub key: Option<&'p Policy>,
    /// The policies of the caller, his groups' or his role's among them.
    pub identity: &'p [&'p Policy],
    /// The permissions boundary of the user or the role.
    pub boundary: Option<&'p Policy>,
    /// The policies that were passed when the session began.
    pub session: Option<&'p [&'p Policy]>,
    /// The service control policies of the caller's account, by level, the root of the organization first.
    pub service_control: &'p [&'p [&'p Policy]],
    /// The resource control policies of the resource's account, by level. The one that allows everything is implied.
    pub resource_control: &'p [&'p [&'p Policy]],
    /// The policy of the VPC endpoint that the request came through.
    pub endpoint: Option<&'p Policy>,
    /// The grants on the key. Those that name others may be left out.
    pub grants: &'p [&'p Grant],
}

/// Decides. Total, and bounded: a decision that would take too much work is a refusal. What is not known of the request
/// does not allow, and does deny.
#[must_use]
pub fn decide<'p>(request: &Request<'_>, policies: &Policies<'p>) -> Decision<'p> {
    decide_hoping(request, policies, false)
}

/// Decides, where what is not known of the request is as the caller would have it, if he `hopes`.
pub(crate) fn decide_hoping<'p>(request: &Request<'_>, policies: &Policies<'p>, hopes: bool) -> Decision<'p> {
    let fuel = Fuel::full();
    let decision = Evaluation::new(request, policies, &fuel, hopes).run().unwrap_or_else(|settled| settled);
    if fuel.is_empty() && decision.is_allow() { Decision::ImplicitDeny(Lack::TooDear) } else { decision }
}

pub(crate) struct Evaluation<'e, 'p> {
    pub(crate) request: &'e Request<'e>,
    pub(crate) policies: &'e Policies<'p>,
    pub(crate) question: Question<'e>,
}

/// A statement that allows, and how strongly it names the caller.
#[derive(Clone, Copy)]
pub(crate) struct Allowance<'p> {
    cause: Cause<'p>,
    strength: Strength,
}

/// What each layer allows; nothing denies.
pub(crate) struct Allowances<'p> {
    key: Option<Allowance<'p>>,
    identity: Option<Allowance<'p>>,
    /// The layer that cuts, if one does.
    pub(crate) ceiling: Option<Layer>,
}

/// What is decided, or the decision that settles it at once.
pub(crate) type Settled<'p, T> = Result<T, Decision<'p>>;

impl<'e, 'p> Evaluation<'e, 'p> {
    pub(crate) fn new(
        request: &'e Request<'e>,
        policies: &'e Policies<'p>,
        fuel: &'e Fuel,
        hopes: bool,
    ) -> Self {
        let question = Question {
            caller: &request.caller,
            is_bounded: policies.boundary.is_some(),
            action: request.action,
            resource: &request.resource,
            scope: Scope { context: request.context, fuel },
            hopes,
        };
        Self { request, policies, question }
    }

    /// Whether the policies of a layer have a say in this request.
    pub(crate) fn binds(&self, layer: Layer) -> bool {
        let caller = &self.request.caller;
        match layer {
            Layer::Endpoint => true,
            Layer::Identity | Layer::PermissionsBoundary | Layer::Session => caller.has_own_policies(),
            Layer::Key => !self.needs_no_key(),
            // Documented: `kms:RetireGrant` is not effective in a resource control policy.
            Layer::ResourceControl => !caller.is_service_linked() && !self.request.action.is("RetireGrant"),
            Layer::ServiceControl => {
                !caller.is_service_linked()
                    && !matches!(caller, Caller::Service { .. } | Caller::WebIdentity { .. })
            }
        }
    }

    fn run(&self) -> Settled<'p, Decision<'p>> {
        let caller = &self.request.caller;
        let is_foreign = caller.account().is_some_and(|account| account != self.request.resource_account);
        let subject = self.request.action.subject();
        let across_accounts = match subject {
            Subject::AliasAndKey | Subject::Key | Subject::Nothing => self.request.action.across_accounts(),
            Subject::Other => self.policies.key.is_some(),
        };
        if is_foreign && !across_accounts {
            return Ok(Decision::ImplicitDeny(Lack::CrossAccount));
        }
        let allowances = self.ask_all()?;
        if matches!(caller, Caller::Anonymous) {
            return Ok(Decision::ImplicitDeny(Lack::Anonymous));
        }
        if self.needs_no_key() {
            return Ok(self.without_key(&allowances));
        }
        if subject != Subject::Other && self.is_alias() {
            return Ok(Decision::ImplicitDeny(Lack::WrongResource));
        }
        if self.request.action.is("RetireGrant") {
            return Ok(self.retire_grant(&allowances));
        }
        let by_policy = if is_foreign { self.foreign(&allowances) } else { self.local(&allowances) };
        if by_policy.is_allow() {
            return Ok(by_policy);
        }
        Ok(self.by_grant(&allowances).unwrap_or(by_policy))
    }

    /// Asks every layer. A denial settles it, and so does a layer without which nothing can be allowed.
    pub(crate) fn ask_all(&self) -> Settled<'p, Allowances<'p>> {
        let policies = self.policies;
        let mut lacking = None;
        if self.binds(Layer::ServiceControl) {
            for (level, of_level) in policies.service_control.iter().enumerate() {
                if self.ask(Layer::ServiceControl, Some(level), of_level)?.is_none() {
                    lacking = lacking.or(Some(Layer::ServiceControl));
                }
            }
        }
        if self.binds(Layer::ResourceControl) {
            for (level, of_level) in policies.resource_control.iter().enumerate() {
                self.ask(Layer::ResourceControl, Some(level), of_level)?;
            }
        }
        let key = match &policies.key {
            Some(key) if self.binds(Layer::Key) => self.ask(Layer::Key, None, core::slice::from_ref(key))?,
            Some(_) | None => None,
        };
        let (mut identity, mut ceiling) = (None, None);
        if self.binds(Layer::Identity) {
            identity = self.ask(Layer::Identity, None, policies.identity)?;
            if let Some(boundary) = &policies.boundary
                && self.ask(Layer::PermissionsBoundary, None, core::slice::from_ref(boundary))?.is_none()
            {
                ceiling = Some(Layer::PermissionsBoundary);
            }
            if let Some(session) = policies.session
                && self.ask(Layer::Session, None, session)?.is_none()
            {
                ceiling = ceiling.or(Some(Layer::Session));
            }
        }
        if let Some(endpoint) = &policies.endpoint
            && self.ask(Layer::Endpoint, None, core::slice::from_ref(endpoint))?.is_none()
        {
            lacking = lacking.or(Some(Layer::Endpoint));
        }
        match lacking {
            Some(layer) => Err(Decision::ImplicitDeny(Lack::Layer(layer))),
            None => Ok(Allowances { key, identity, ceiling }),
        }
    }

    /// The statement of a layer that allows: the first policy's that does, its strongest. One that denies settles it.
    fn ask(
        &self,
        layer: Layer,
        level: Option<usize>,
        policies: &[&'p Policy],
    ) -> Settled<'p, Option<Allowance<'p>>> {
        let mut allowance = None;
        for (index, policy) in policies.iter().enumerate() {
            let cause =
                |statement| Cause { layer, level, policy: index, statement, sid: policy.sid(statement) };
            match policy.ask(&self.question) {
                Verdict::Deny(statement) => return Err(Decision::ExplicitDeny(cause(statement))),
                Verdict::Allow(statement, strength) => {
                    allowance = allowance.or(Some(Allowance { cause: cause(statement), strength }));
                }
                Verdict::Silence => {}
            }
        }
        Ok(allowance)
    }

    /// In the account of the key.
    fn local(&self, allowances: &Allowances<'p>) -> Decision<'p> {
        let Some(key) = allowances.key else { return lacks(Layer::Key) };
        match (key.strength, allowances.identity, allowances.ceiling) {
            (Strength::Direct, ..) | (Strength::Identity, _, None) => allows(key.cause),
            (Strength::Account, Some(identity), None) => allows(identity.cause),
            (Strength::Account, None, _) => lacks(Layer::Identity),
            (Strength::Account | Strength::Identity, _, Some(ceiling)) => lacks(ceiling),
        }
    }

    /// From another account: the key policy and the caller's own side must both allow, however he is named.
    fn foreign(&self, allowances: &Allowances<'p>) -> Decision<'p> {
        let Some(key) = allowances.key else { return lacks(Layer::Key) };
        if self.request.caller.is_root() {
            return allows(key.cause);
        }
        match (allowances.identity, allowances.ceiling) {
            (Some(_), None) => allows(key.cause),
            (None, _) => lacks(Layer::Identity),
            (Some(_), Some(ceiling)) => lacks(ceiling),
        }
    }

    fn needs_no_key(&self) -> bool {
        let no_key = self.request.resource.text() == "*";
        match self.request.action.subject() {
            Subject::Nothing => true,
            Subject::AliasAndKey => self.is_alias(),
            // The tags of a key that is being made.
            Subject::Key => no_key && self.request.action.is("TagResource"),
            Subject::Other => self.policies.key.is_none(),
        }
    }

    fn is_alias(&self) -> bool {
        self.request.resource.name().starts_with("alias/")
    }

    /// What no key policy is asked about: the caller's own policies decide.
    fn without_key(&self, allowances: &Allowances<'p>) -> Decision<'p> {
        if self.request.caller.is_root() {
            return Decision::Allow(Grounds::Root);
        }
        match (allowances.identity, allowances.ceiling) {
            (Some(identity), None) => allows(identity.cause),
            (None, _) => lacks(Layer::Identity),
            (Some(_), Some(ceiling)) => lacks(ceiling),
        }
    }

    /// What the grants decide; nothing where none of them is about this.
    fn by_grant(&self, allowances: &Allowances<'p>) -> Option<Decision<'p>> {
        let request = self.grant_use();
        let mut cut = None;
        for grant in self.policies.grants {
            match (grant.gives(&request), allowances.ceiling) {
                (Some(strength), Some(ceiling)) if is_cut(strength) => cut = cut.or(Some(lacks(ceiling))),
                (Some(_), _) => return Some(Decision::Allow(Grounds::Grant(&grant.id))),
                (None, _) => {}
            }
        }
        // Recorded: what was all but given is what the refusal speaks of.
        cut
    }

    /// Policies can deny it, but only the grant itself gives it, or an account that the grant names.
    fn retire_grant(&self, allowances: &Allowances<'p>) -> Decision<'p> {
        let mut grants = self.policies.grants.iter();
        let grant = grants.find(|grant| self.lets_retire(grant, allowances));
        grant.map_or(lacks(Layer::Key), |grant| Decision::Allow(Grounds::Grant(&grant.id)))
    }

    fn lets_retire(&self, grant: &Grant, allowances: &Allowances<'p>) -> bool {
        let request = self.grant_use();
        let delegated = allowances.identity.is_some() && allowances.ceiling.is_none();
        grant.lets_retire(&request)
            || grant.lets_account_retire(&request) && (self.request.caller.is_root() || delegated)
    }

    /// Why a grant does not give what is asked, where no policy denies it.
    pub(crate) fn lack_of_grant(&self, grant: &Grant, allowances: &Allowances<'p>) -> Option<GrantLack> {
        if self.request.action.is("RetireGrant") {
            return (!self.lets_retire(grant, allowances)).then_some(GrantLack::Retiring);
        }
        let request = self.grant_use();
        grant.lacks(&request).or_else(|| {
            let is_cut = grant.strength(&request).is_some_and(is_cut);
            allowances.ceiling.filter(|_| is_cut).map(GrantLack::Ceiling)
        })
    }

    pub(crate) fn grant_use(&self) -> Use<'_> {
        Use {
            caller: &self.request.caller,
            action: self.request.action,
            resource: &self.request.resource,
            encryption_context: self.request.encryption_context,
            context: self.request.context,
            hopes: self.question.hopes,
        }
    }
}

/// Whether boundary and session policy cut a grant that names the caller so.
// Recorded: they cut one to a role, as they cut a key policy that names the role, and none to the session itself.
fn is_cut(strength: Strength) -> bool {
    strength < Strength::Direct
}

fn allows(cause: Cause<'_>) -> Decision<'_> {
    Decision::Allow(Grounds::Statement(cause))
}

fn lacks<'p>(layer: Layer) -> Decision<'p> {
    Decision::ImplicitDeny(Lack::Layer(layer))
}
