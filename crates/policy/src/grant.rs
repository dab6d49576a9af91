//! Grants: what they give, and to whom.
//!
//! A grant allows and never denies. Its constraints compare the encryption context, case and all; requests that have none
//! are not bound by them.
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>.

use alloc::string::String;
use alloc::vec::Vec;

use keyreeve_domain::AccountId;

use crate::action::{Action, Operations};
use crate::arn::Resource;
use crate::caller::{Caller, Named, Strength};
use crate::context::{Context, ContextValue, Found, KeyName};
use crate::decision::Layer;
use crate::key::{ContextKey, KeySet};
use crate::principal::AwsPrincipal;

/// A grant.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// The key: its ARN or its id.
    pub key: String,
    /// Whom it lets use the key.
    pub grantee: Option<GrantPrincipal>,
    /// Who may retire it.
    pub retiring: Option<GrantPrincipal>,
    /// The account that made it.
    pub issuing_account: Option<AccountId>,
    /// What it gives.
    pub operations: Operations,
    /// What it asks of a request.
    pub constraints: Constraints,
}

/// A principal of a grant. One that cannot exist matches nobody.
#[derive(Clone, Debug)]
pub struct GrantPrincipal(Party);

#[derive(Clone, Debug)]
enum Party {
    Aws(Named),
    Service(String),
}

/// What a grant asks of a request: all of it.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// The encryption context is this one.
    pub context_equals: Option<Vec<(String, String)>>,
    /// The encryption context has these pairs among others.
    pub context_subset: Option<Vec<(String, String)>>,
    /// The service acts for this resource.
    pub source_arn: Option<String>,
}

impl GrantPrincipal {
    /// The user, role, session or account root with this ARN.
    #[must_use]
    pub fn aws(arn: &str) -> Self {
        Self::bound(arn, None)
    }

    /// The same, where a user or a role is the one with this unique id, and not another that is made later under its name.
    #[must_use]
    pub fn bound(arn: &str, id: Option<&str>) -> Self {
        let named = |principal: AwsPrincipal| Named::new(&principal, &|_| id);
        let named = arn.parse().map_or(Named::Nobody, named);
        Self(Party::Aws(if matches!(named, Named::Anyone) { Named::Nobody } else { named }))
    }

    /// The service of this name.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self(Party::Service(name.into()))
    }

    /// How strongly it names `caller`. A role covers its sessions; an account is its root alone.
    fn strength(&self, caller: &Caller<'_>) -> Option<Strength> {
        match (&self.0, caller) {
            (Party::Aws(Named::Id(_) | Named::User { .. }), Caller::FederatedUser { .. }) => None,
            (Party::Aws(named), _) => named.strength(caller).filter(|strength| *strength > Strength::Account),
            (Party::Service(service), Caller::Service { name }) => {
                (service == name).then_some(Strength::Direct)
            }
            (
                Party::Service(_),
                Caller::Anonymous
                | Caller::FederatedUser { .. }
                | Caller::Role(_)
                | Caller::Root { .. }
                | Caller::User { .. }
                | Caller::WebIdentity { .. },
            ) => None,
        }
    }

    fn account(&self) -> Option<AccountId> {
        match &self.0 {
            Party::Aws(Named::Account(account)) => Some(*account),
            Party::Aws(_) | Party::Service(_) => None,
        }
    }
}

/// Why a grant does not give what is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GrantLack {
    /// It names the role of the caller's session, and the layer that is named does not allow it.
    Ceiling(Layer),
    /// The grant that is to be made would give more than this one.
    Child,
    /// A constraint does not hold.
    Constraint,
    /// It is for somebody else.
    Grantee,
    /// It is on another key.
    Key,
    /// It is for other operations.
    Operation,
    /// The caller may not retire it.
    Retiring,
}

/// What grants are asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use<'q> {
    pub(crate) caller: &'q Caller<'q>,
    pub(crate) action: &'q Action,
    pub(crate) resource: &'q Resource<'q>,
    pub(crate) encryption_context: &'q [(&'q str, &'q str)],
    pub(crate) context: &'q Context<'q>,
    /// Whether what is not known of the request is taken to be as the caller would have it.
    pub(crate) hopes: bool,
}

impl Grant {
    /// The condition keys that its constraints look at.
    #[must_use]
    pub fn mentions(&self) -> KeySet {
        let mut set = KeySet::EMPTY;
        if self.constraints.source_arn.is_some() {
            set = set.with(ContextKey::AwsSourceArn);
        }
        if self.operations.contain_name("CreateGrant") {
            set = set.with(ContextKey::KmsGrantOperations).with(ContextKey::KmsGrantConstraintType);
        }
        set
    }

    /// How strongly this grant names the caller, if it gives what is asked.
    pub(crate) fn gives(&self, request: &Use<'_>) -> Option<Strength> {
        self.lacks(request).is_none().then(|| self.strength(request)).flatten()
    }

    /// What of this grant is not as the request has it, first.
    pub(crate) fn lacks(&self, request: &Use<'_>) -> Option<GrantLack> {
        if self.strength(request).is_none() {
            Some(GrantLack::Grantee)
        } else if !self.is_on(request.resource) {
            Some(GrantLack::Key)
        } else if !self.operations.contain(request.action) {
            Some(GrantLack::Operation)
        } else if !self.constraints.hold(request) {
            Some(GrantLack::Constraint)
        } else if request.action.is("CreateGrant") && !self.covers_child(request) {
            Some(GrantLack::Child)
        } else {
            None
        }
    }

    /// How strongly this grant names the caller as its grantee, if it does.
    pub(crate) fn strength(&self, request: &Use<'_>) -> Option<Strength> {
        self.grantee.as_ref()?.strength(request.caller)
    }

    /// Whether the caller may retire this grant by himself.
    pub(crate) fn lets_retire(&self, request: &Use<'_>) -> bool {
        let retires = |principal: &GrantPrincipal| principal.strength(request.caller).is_some();
        let by_operation = self.operations.contain_name("RetireGrant")
            && self.grantee.as_ref().is_some_and(retires)
            && self.constraints.hold_source(request);
        self.is_on(request.resource) && (by_operation || self.retiring.as_ref().is_some_and(retires))
    }

    /// Whether the account of the caller may retire this grant: as the one that made it, or that is to retire it.
    pub(crate) fn lets_account_retire(&self, request: &Use<'_>) -> bool {
        let account = request.caller.account();
        let retiring = self.retiring.as_ref().and_then(GrantPrincipal::account);
        self.is_on(request.resource)
            && account.is_some()
            && (account == self.issuing_account || account == retiring)
    }

    fn is_on(&self, resource: &Resource<'_>) -> bool {
        self.key == resource.text() || resource.name().strip_prefix("key/") == Some(&*self.key)
    }

    /// Whether the grant that is to be made gives no more than this one.
    fn covers_child(&self, request: &Use<'_>) -> bool {
        match request.context.find(&KeyName::new("kms:GrantOperations")) {
            Found::Absent => true,
            Found::Ambiguous => false,
            Found::Open => request.hopes,
            Found::Value(ContextValue::One(one)) => self.operations.contain_name(one),
            Found::Value(ContextValue::Many(names)) => {
                names.iter().all(|name| self.operations.contain_name(name))
            }
        }
    }
}

impl Constraints {
    fn hold(&self, request: &Use<'_>) -> bool {
        let is_bound = request.action.has_context() || request.action.is("CreateGrant");
        (!is_bound || self.hold_context(request)) && self.hold_source(request)
    }

    fn hold_context(&self, request: &Use<'_>) -> bool {
        // Of a request of which not all is known, the pairs are not either.
        if request.context.is_open() {
            return request.hopes || self.context_equals.is_none() && self.context_subset.is_none();
        }
        let pairs = request.encryption_context;
        let has = |wanted: &[(String, String)]| {
            wanted.iter().all(|(key, value)| pairs.contains(&(key.as_str(), value.as_str())))
        };
        // Of a grant that is to be made, the pairs are those of its own constraint, which must be as strict.
        let kind = KeyName::new("kms:GrantConstraintType");
        let looser = request.action.is("CreateGrant")
            && match request.context.find(&kind) {
                Found::Ambiguous | Found::Value(ContextValue::One("EncryptionContextSubset")) => true,
                // Without any constraint there are no pairs, and it takes every encryption context.
                Found::Absent => pairs.is_empty(),
                Found::Open | Found::Value(_) => false,
            };
        let equals = |wanted: &[(String, String)]| !looser && wanted.len() == pairs.len() && has(wanted);
        self.context_equals.as_deref().is_none_or(equals) && self.context_subset.as_deref().is_none_or(has)
    }

    fn hold_source(&self, request: &Use<'_>) -> bool {
        // AWS: unverified. Whether the ARN may have wildcards is not documented: it is compared as it is.
        self.source_arn.as_deref().is_none_or(|wanted| {
            match request.context.find(&KeyName::new("aws:SourceArn")) {
                Found::Value(ContextValue::One(source)) => source == wanted,
                Found::Open => request.hopes,
                Found::Absent | Found::Ambiguous | Found::Value(ContextValue::Many(_)) => false,
            }
        })
    }
}
