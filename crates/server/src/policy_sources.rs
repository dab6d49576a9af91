//! The policies of a case, compiled, with the documents that they were compiled from, and the request that they bear on.

use keyreeve_policy::{
    Action, Cause, Context, Document, Kind, LONGEST_POLICY, Layer, Policies, Policy, Request, Resource,
    Statement,
};
use serde_json::value::RawValue;

use crate::policy_case::{Case, CaseError};

/// The policies of a case.
#[derive(Default)]
pub(crate) struct Sources {
    key: Option<Source>,
    identity: Vec<Source>,
    boundary: Option<Source>,
    session: Option<Vec<Source>>,
    service_control: Vec<Vec<Source>>,
    resource_control: Vec<Vec<Source>>,
    endpoint: Option<Source>,
    /// The member that holds a text that is no policy, and why it is none.
    pub(crate) malformed: Option<(&'static str, String)>,
}

struct Source {
    document: Document,
    policy: Policy,
}

impl Sources {
    fn of(case: &Case<'_>) -> Self {
        let mut malformed = None;
        let mut one = |member: &'static str, kind, raw: Option<&RawValue>| {
            raw.and_then(|raw| match Source::compile(kind, raw.get(), case) {
                Ok(source) => Some(source),
                Err(why) => {
                    malformed.get_or_insert((member, why));
                    None
                }
            })
        };
        let key = one("key_policy", Kind::Resource, case.key_policy);
        let trust = one("trust_policy", Kind::Trust, case.trust_policy);
        let boundary = one("permissions_boundary", Kind::Identity, case.permissions_boundary);
        let endpoint = one("vpce_policy", Kind::Resource, case.vpce_policy);
        let mut many = |member: &'static str, kind, raw: &RawValue| -> Vec<Source> {
            match items(raw) {
                Ok(items) => items.into_iter().filter_map(|raw| one(member, kind, Some(raw))).collect(),
                Err(_) => one(member, kind, Some(raw)).into_iter().collect(),
            }
        };
        let identity = case
            .identity_policies
            .map(|raw| many("identity_policies", Kind::Identity, raw))
            .unwrap_or_default();
        let session = case.session_policy.map(|raw| many("session_policy", Kind::Identity, raw));
        let levels =
            |member, kind, levels: &Option<Vec<&RawValue>>, many: &mut dyn FnMut(_, _, &RawValue) -> _| {
                levels.iter().flatten().map(|raw| many(member, kind, raw)).collect()
            };
        let service_control = levels("scps", Kind::Identity, &case.scps, &mut many);
        let resource_control = levels("rcps", Kind::Resource, &case.rcps, &mut many);
        Self {
            key: key.or(trust),
            identity,
            boundary,
            session,
            service_control,
            resource_control,
            endpoint,
            malformed,
        }
    }

    /// The statement that a cause names, as it is written.
    pub(crate) fn statement(&self, cause: &Cause<'_>) -> Option<&Statement> {
        let source = match cause.layer {
            Layer::Endpoint => self.endpoint.as_ref(),
            Layer::Identity => self.identity.get(cause.policy),
            Layer::Key => self.key.as_ref(),
            Layer::PermissionsBoundary => self.boundary.as_ref(),
            Layer::ResourceControl => self.resource_control.get(cause.level?)?.get(cause.policy),
            Layer::ServiceControl => self.service_control.get(cause.level?)?.get(cause.policy),
            Layer::Session => self.session.as_ref()?.get(cause.policy),
        };
        source?.document.statements.get(cause.statement)
    }
}

impl Source {
    /// A policy is an object, or a string that holds one, as the API has it.
    fn compile(kind: Kind, json: &str, case: &Case<'_>) -> Result<Self, String> {
        let text = serde_json::from_str::<String>(json);
        let text = text.as_deref().unwrap_or(json);
        if text.len() > LONGEST_POLICY {
            return Err("the policy is not well formed: it is too long".to_owned());
        }
        let document = Document::parse_as(kind, text).map_err(|error| error.to_string())?;
        let policy = Policy::bound(&document, &|arn| case.bound_id(arn));
        Ok(Self { document, policy })
    }
}

impl Case<'_> {
    /// What `look` sees in the request and the policies that bear on it.
    pub(crate) fn ask<T>(
        &self,
        look: impl FnOnce(&Request<'_>, &Policies<'_>, &Sources) -> T,
    ) -> Result<T, CaseError> {
        let sources = Sources::of(self);
        let grants = self.grants()?;
        let values = self.context()?;
        let texts: Vec<_> = values.iter().map(|(_, value)| value.texts()).collect();
        let context: Context<'_> =
            values.iter().zip(&texts).map(|((key, value), texts)| (*key, value.borrow(texts))).collect();
        let action = Action::new(&self.action);
        let request = Request {
            caller: self.caller()?,
            action: &action,
            resource: Resource::new(&self.resource),
            resource_account: self.resource_account()?,
            context: &context,
            encryption_context: &self.encryption_context(),
        };
        let identity = policies(&sources.identity);
        let session = sources.session.as_deref().map(policies);
        let service_control: Vec<_> = sources.service_control.iter().map(|level| policies(level)).collect();
        let resource_control: Vec<_> = sources.resource_control.iter().map(|level| policies(level)).collect();
        let policies = Policies {
            key: policy(&sources.key),
            identity: &identity,
            boundary: policy(&sources.boundary),
            session: session.as_deref(),
            service_control: &service_control.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            resource_control: &resource_control.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            endpoint: policy(&sources.endpoint),
            grants: &grants.iter().collect::<Vec<_>>(),
        };
        Ok(look(&request, &policies, &sources))
    }
}

fn policy(source: &Option<Source>) -> Option<&Policy> {
    source.as_ref().map(|source| &source.policy)
}

fn policies(sources: &[Source]) -> Vec<&Policy> {
    sources.iter().map(|source| &source.policy).collect()
}

fn items(raw: &RawValue) -> Result<Vec<&RawValue>, serde_json::Error> {
    serde_json::from_str(raw.get())
}
