//! A case of `keyreeve policy decide` and its like: a request and the policies that bear on it, as one JSON object.
//!
//! docs/policy.md describes the members. Members that are not described there are passed over.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use keyreeve_domain::AccountId;
use keyreeve_policy::{
    Caller, Constraints, ContextValue, Grant, GrantPrincipal, Operations, Resource, RoleSession,
};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A case as it is written.
#[derive(Deserialize)]
pub(crate) struct Case<'c> {
    #[serde(borrow)]
    id: Option<&'c RawValue>,
    principal: Principal,
    pub(crate) action: String,
    pub(crate) resource: String,
    resource_account: Option<String>,
    #[serde(borrow)]
    pub(crate) key_policy: Option<&'c RawValue>,
    #[serde(borrow)]
    pub(crate) trust_policy: Option<&'c RawValue>,
    #[serde(borrow)]
    pub(crate) identity_policies: Option<&'c RawValue>,
    #[serde(borrow)]
    pub(crate) permissions_boundary: Option<&'c RawValue>,
    #[serde(borrow)]
    pub(crate) session_policy: Option<&'c RawValue>,
    #[serde(borrow)]
    pub(crate) scps: Option<Vec<&'c RawValue>>,
    #[serde(borrow)]
    pub(crate) rcps: Option<Vec<&'c RawValue>>,
    #[serde(borrow)]
    pub(crate) vpce_policy: Option<&'c RawValue>,
    grants: Option<Vec<GrantMembers>>,
    encryption_context: Option<Pairs<String>>,
    context: Option<Pairs<Value>>,
    /// The unique ids of users and roles when the policies that name them were put, by ARN.
    bound_ids: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct Principal {
    r#type: String,
    account: Option<String>,
    arn: Option<String>,
    name: Option<String>,
    role_arn: Option<String>,
    user_arn: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GrantMembers {
    grant_id: Option<String>,
    key_id: Option<String>,
    grantee_principal: Option<String>,
    grantee_service_principal: Option<String>,
    retiring_principal: Option<String>,
    retiring_service_principal: Option<String>,
    issuing_account: Option<String>,
    operations: Option<Vec<String>>,
    constraints: Option<ConstraintMembers>,
}

/// A constraint that is not known could not be held, so it is an error.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ConstraintMembers {
    encryption_context_equals: Option<Pairs<String>>,
    encryption_context_subset: Option<Pairs<String>>,
    source_arn: Option<String>,
}

/// The members of an object, in their order, and twice where they are there twice.
pub(crate) struct Pairs<V>(pub(crate) Vec<(String, V)>);

/// A line is no case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaseError {
    #[error("{0}")]
    Json(String),
    #[error("`{member}` is missing")]
    Missing { member: &'static str },
    #[error("`{value}` is no {what}")]
    Value { what: &'static str, value: String },
}

/// The value of a condition key: one text, or a list of texts.
pub(crate) enum OwnedValue {
    Many(Vec<String>),
    One(String),
}

impl<'c> Case<'c> {
    pub(crate) fn parse(line: &'c str) -> Result<Self, CaseError> {
        if !line.trim_start().starts_with('{') {
            return Err(CaseError::Json("the line is no JSON object".to_owned()));
        }
        serde_json::from_str(line).map_err(|error| CaseError::Json(without_line(&error)))
    }

    /// What it is called.
    pub(crate) fn id(&self) -> Result<Option<Value>, CaseError> {
        let id = self.id.map(|id| serde_json::from_str(id.get())).transpose();
        id.map_err(|error| CaseError::Json(error.to_string()))
    }

    pub(crate) fn caller(&self) -> Result<Caller<'_>, CaseError> {
        let Principal { r#type, arn, name, role_arn, user_arn, id, .. } = &self.principal;
        let id = id.as_deref();
        let arn = || arn.as_deref().ok_or(CaseError::Missing { member: "principal.arn" });
        Ok(match r#type.as_str() {
            "anonymous" => Caller::Anonymous,
            "assumed-role" => {
                let session = RoleSession::new(self.caller_account()?, arn()?, role_arn.as_deref());
                Caller::Role(session.with_id(id))
            }
            "federated-user" => Caller::FederatedUser {
                account: self.caller_account()?,
                session: arn()?,
                user: user_arn.as_deref(),
                user_id: id,
            },
            "root" => Caller::Root { account: self.caller_account()? },
            "service" => Caller::Service { name: arn().or_else(|missing| name.as_deref().ok_or(missing))? },
            "user" => Caller::User { account: self.caller_account()?, arn: arn()?, id },
            "web-identity" => Caller::WebIdentity { provider: arn()? },
            other => {
                return Err(CaseError::Value { what: "type of principal", value: other.to_owned() });
            }
        })
    }

    fn caller_account(&self) -> Result<AccountId, CaseError> {
        let of_arn = || Resource::new(self.principal.arn.as_deref()?).account();
        let text = self.principal.account.as_deref().or_else(of_arn);
        account(text.ok_or(CaseError::Missing { member: "principal.account" })?)
    }

    pub(crate) fn resource_account(&self) -> Result<AccountId, CaseError> {
        match self.resource_account.as_deref().or_else(|| Resource::new(&self.resource).account()) {
            Some(text) => account(text),
            None => self.caller_account().or(Err(CaseError::Missing { member: "resource_account" })),
        }
    }

    pub(crate) fn context(&self) -> Result<Vec<(&str, OwnedValue)>, CaseError> {
        let pairs = self.context.iter().flat_map(|pairs| &pairs.0);
        pairs.map(|(key, value)| Ok((key.as_str(), OwnedValue::of(key, value)?))).collect()
    }

    pub(crate) fn encryption_context(&self) -> Vec<(&str, &str)> {
        let pairs = self.encryption_context.iter().flat_map(|pairs| &pairs.0);
        pairs.map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    pub(crate) fn grants(&self) -> Result<Vec<Grant>, CaseError> {
        self.grants.iter().flatten().map(|grant| grant.grant(&|arn| self.bound_id(arn))).collect()
    }

    /// The unique id that the user or the role `arn` had when a policy or a grant that names it was made.
    pub(crate) fn bound_id(&self, arn: &str) -> Option<&str> {
        self.bound_ids.as_ref()?.get(arn).map(String::as_str)
    }
}

impl GrantMembers {
    fn grant<'i>(&self, bound_id: &dyn Fn(&str) -> Option<&'i str>) -> Result<Grant, CaseError> {
        let principal = |arn: &Option<String>, service: &Option<String>| {
            let arn = arn.as_deref().map(|arn| GrantPrincipal::bound(arn, bound_id(arn)));
            arn.or_else(|| service.as_deref().map(GrantPrincipal::service))
        };
        // An account id, or an ARN of the account.
        let of_arn = |text| Resource::new(text).account().unwrap_or(text);
        let issuing_account =
            self.issuing_account.as_deref().map(|text| account(of_arn(text))).transpose()?;
        Ok(Grant {
            id: self.grant_id.clone().unwrap_or_default(),
            key: self.key_id.clone().unwrap_or_default(),
            grantee: principal(&self.grantee_principal, &self.grantee_service_principal),
            retiring: principal(&self.retiring_principal, &self.retiring_service_principal),
            issuing_account,
            operations: Operations::new(self.operations.iter().flatten().map(String::as_str)),
            constraints: self.constraints.as_ref().map(ConstraintMembers::constraints).unwrap_or_default(),
        })
    }
}

impl ConstraintMembers {
    fn constraints(&self) -> Constraints {
        let pairs = |pairs: &Option<Pairs<String>>| pairs.as_ref().map(|pairs| pairs.0.clone());
        Constraints {
            context_equals: pairs(&self.encryption_context_equals),
            context_subset: pairs(&self.encryption_context_subset),
            source_arn: self.source_arn.clone(),
        }
    }
}

impl OwnedValue {
    fn of(key: &str, value: &Value) -> Result<Self, CaseError> {
        let wrong = || CaseError::Value { what: "value of a condition key", value: key.to_owned() };
        match value {
            Value::Array(values) => {
                Ok(Self::Many(values.iter().map(scalar).collect::<Option<_>>().ok_or_else(wrong)?))
            }
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) | Value::String(_) => {
                scalar(value).map(Self::One).ok_or_else(wrong)
            }
        }
    }

    /// The values, as texts to borrow.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Many(values) => values.iter().map(String::as_str).collect(),
            Self::One(value) => vec![value],
        }
    }

    /// This value, where `texts` are its texts.
    pub(crate) fn borrow<'v>(&'v self, texts: &'v [&'v str]) -> ContextValue<'v> {
        match self {
            Self::Many(_) => ContextValue::Many(texts),
            Self::One(value) => ContextValue::One(value),
        }
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = members.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

fn account(text: &str) -> Result<AccountId, CaseError> {
    text.parse().ok().ok_or_else(|| CaseError::Value { what: "account", value: text.to_owned() })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Array(_) | Value::Null | Value::Object(_) => None,
    }
}

/// What JSON says, with the column alone: the line is that of the file.
pub(crate) fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("{what} at column {}", error.column())
}
