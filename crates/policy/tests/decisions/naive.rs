//! The same language, interpreted as naively as it can be read in its documentation.
//!
//! It walks the JSON of the policies; nothing is compiled, nothing is shared with the engine. An answer of none means that the
//! documentation does not say, and the engine's rule for that is applied: such a statement does not allow, and does deny.

mod conditions;
mod text;
mod values;

use serde_json::Value;

use self::text::{any_of, list};

const NO_KEY: [&str; 11] = [
    "connectcustomkeystore",
    "createcustomkeystore",
    "createkey",
    "deletecustomkeystore",
    "describecustomkeystores",
    "disconnectcustomkeystore",
    "generaterandom",
    "listaliases",
    "listkeys",
    "listretirablegrants",
    "updatecustomkeystore",
];
const ACROSS_ACCOUNTS: [&str; 22] = [
    "creategrant",
    "decapsulate",
    "decrypt",
    "derivesharedsecret",
    "describekey",
    "encapsulate",
    "encrypt",
    "generatedatakey",
    "generatedatakeypair",
    "generatedatakeypairwithoutplaintext",
    "generatedatakeywithoutplaintext",
    "generatemac",
    "getkeyrotationstatus",
    "getpublickey",
    "listgrants",
    "reencryptfrom",
    "reencryptto",
    "retiregrant",
    "revokegrant",
    "sign",
    "verify",
    "verifymac",
];
const GRANTABLE: [&str; 17] = [
    "creategrant",
    "decrypt",
    "derivesharedsecret",
    "describekey",
    "encrypt",
    "generatedatakey",
    "generatedatakeypair",
    "generatedatakeypairwithoutplaintext",
    "generatedatakeywithoutplaintext",
    "generatemac",
    "getpublickey",
    "reencryptfrom",
    "reencryptto",
    "retiregrant",
    "sign",
    "verify",
    "verifymac",
];
const WITH_CONTEXT: [&str; 9] = [
    "creategrant",
    "decrypt",
    "encrypt",
    "generatedatakey",
    "generatedatakeypair",
    "generatedatakeypairwithoutplaintext",
    "generatedatakeywithoutplaintext",
    "reencryptfrom",
    "reencryptto",
];

/// The word for the decision on `case`.
pub(crate) fn decision(case: &Value) -> &'static str {
    Naive { case, operation: operation(case) }.decide()
}

fn operation(case: &Value) -> String {
    let action = case["action"].as_str().unwrap().to_lowercase();
    action.strip_prefix("kms:").unwrap_or("").to_owned()
}

struct Naive<'c> {
    case: &'c Value,
    operation: String,
}

/// How a policy names the caller, weakest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Naming {
    Not,
    ByAccount,
    ByRoleOrUserOfSession,
    Himself,
}

impl Naive<'_> {
    fn decide(&self) -> &'static str {
        let case = self.case;
        let caller_account = self.caller_account();
        let is_foreign = caller_account.is_some_and(|account| account != self.resource_account());
        let across = if self.is_of_another_service() {
            present(self.resource_policy()).next().is_some()
        } else {
            ACROSS_ACCOUNTS.contains(&self.operation.as_str())
        };
        if is_foreign && !across {
            return "implicit_deny";
        }
        let kind = case["principal"]["type"].as_str().unwrap();
        let has_identity = !["service", "anonymous", "web-identity"].contains(&kind);
        let is_limited = kind != "service" && kind != "web-identity";
        let service_linked =
            case["principal"]["role_arn"].as_str().is_some_and(|arn| arn.contains(":role/aws-service-role/"));
        let asks_key = !self.is_without_key();

        // Every policy that can deny.
        let mut policies: Vec<&Value> = Vec::new();
        if is_limited && !service_linked {
            policies.extend(list(&case["scps"]).iter().flat_map(list));
        }
        if !service_linked && self.operation != "retiregrant" {
            policies.extend(list(&case["rcps"]).iter().flat_map(list));
        }
        if asks_key {
            policies.extend(present(self.resource_policy()));
        }
        if has_identity {
            policies.extend(list(&case["identity_policies"]));
            policies.extend(present(&case["permissions_boundary"]));
            policies.extend(present(&case["session_policy"]));
        }
        policies.extend(present(&case["vpce_policy"]));
        if policies.iter().any(|policy| self.denies(policy)) {
            return "explicit_deny";
        }

        // Every ceiling for all.
        if kind == "anonymous" {
            return "implicit_deny";
        }
        if is_limited && !service_linked {
            for level in list(&case["scps"]) {
                if !list(level).iter().any(|policy| self.allows(policy) > Naming::Not) {
                    return "implicit_deny";
                }
            }
        }
        if present(&case["vpce_policy"]).any(|policy| self.allows(policy) == Naming::Not) {
            return "implicit_deny";
        }

        let allowed = |policies: &[Value]| policies.iter().any(|policy| self.allows(policy) > Naming::Not);
        let identity = has_identity && allowed(list(&case["identity_policies"]));
        let ceilings = ["permissions_boundary", "session_policy"]
            .iter()
            .all(|name| present(&case[*name]).all(|policy| self.allows(policy) > Naming::Not));
        let root = kind == "root";
        if !asks_key {
            return word(root || identity && ceilings);
        }
        if !self.is_of_another_service() && self.resource().contains(":alias/") {
            return "implicit_deny";
        }
        if self.operation == "retiregrant" {
            return word(self.may_retire(identity && ceilings || root));
        }
        let key =
            present(self.resource_policy()).map(|policy| self.allows(policy)).max().unwrap_or(Naming::Not);
        let by_policy = match key {
            Naming::Not => false,
            _ if is_foreign => root || identity && ceilings,
            Naming::Himself => true,
            Naming::ByRoleOrUserOfSession => ceilings,
            Naming::ByAccount => identity && ceilings,
        };
        word(by_policy || self.granted(ceilings))
    }

    fn is_of_another_service(&self) -> bool {
        let action = self.case["action"].as_str().unwrap().to_lowercase();
        action.contains(':') && !action.starts_with("kms:")
    }

    /// The key policy, or the trust policy of a role.
    fn resource_policy(&self) -> &Value {
        let key = &self.case["key_policy"];
        if key.is_null() { &self.case["trust_policy"] } else { key }
    }

    fn is_without_key(&self) -> bool {
        if self.is_of_another_service() {
            return self.resource_policy().is_null();
        }
        NO_KEY.contains(&self.operation.as_str())
            || self.operation == "tagresource" && self.resource() == "*"
            || ["createalias", "deletealias", "updatealias"].contains(&self.operation.as_str())
                && self.resource().contains(":alias/")
    }

    fn resource(&self) -> &str {
        self.case["resource"].as_str().unwrap()
    }

    fn resource_account(&self) -> String {
        let named = self.case["resource_account"].as_str().map(str::to_owned);
        named
            .or_else(|| self.resource().split(':').nth(4).map(str::to_owned))
            .or(self.caller_account())
            .unwrap()
    }

    fn caller_account(&self) -> Option<String> {
        let principal = &self.case["principal"];
        let kind = principal["type"].as_str().unwrap();
        if ["service", "anonymous", "web-identity"].contains(&kind) {
            return None;
        }
        let of_arn = || principal["arn"].as_str()?.split(':').nth(4).map(str::to_owned);
        principal["account"].as_str().map(str::to_owned).or_else(of_arn)
    }

    fn denies(&self, policy: &Value) -> bool {
        statements(policy).any(|statement| {
            statement["Effect"] == "Deny"
                && self.naming(statement) > Naming::Not
                && self.is_about(policy, statement) != Some(false)
        })
    }

    /// The strongest way in which a statement that allows names the caller.
    fn allows(&self, policy: &Value) -> Naming {
        let applies = |statement: &&Value| {
            statement["Effect"] == "Allow" && self.is_about(policy, statement) == Some(true)
        };
        statements(policy)
            .filter(applies)
            .map(|statement| self.naming(statement))
            .max()
            .unwrap_or(Naming::Not)
    }

    /// Whether action, resource and conditions of a statement are those of the request.
    fn is_about(&self, policy: &Value, statement: &Value) -> Option<bool> {
        let variables = policy["Version"] == "2012-10-17";
        if !self.is_about_action(statement) || !self.is_about_resource(statement, variables) {
            return Some(false);
        }
        let mut outcome = Some(true);
        for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
            for (key, values) in keys.as_object().unwrap() {
                match conditions::holds(operator, key, list(values), &self.case["context"], variables) {
                    Some(false) => return Some(false),
                    None => outcome = None,
                    Some(true) => {}
                }
            }
        }
        outcome
    }

    fn is_about_action(&self, statement: &Value) -> bool {
        let action = self.case["action"].as_str().unwrap().to_lowercase();
        let named = |patterns: &[Value]| {
            any_of(patterns, |pattern| text::glob(&text::tokens(&pattern.to_lowercase(), true), &action))
        };
        match (&statement["Action"], &statement["NotAction"]) {
            (Value::Null, Value::Null) => false,
            (Value::Null, except) if list(except).is_empty() => statement["Effect"] == "Deny",
            (Value::Null, except) => !named(list(except)),
            (actions, _) => named(list(actions)),
        }
    }

    fn is_about_resource(&self, statement: &Value, variables: bool) -> bool {
        let denies = statement["Effect"] == "Deny";
        let named = |patterns: &[Value], beyond_colons: bool| {
            any_of(patterns, |pattern| self.names_resource(pattern, variables, beyond_colons))
        };
        match (&statement["Resource"], &statement["NotResource"]) {
            // Trust policies have no resource; what else has none has no effect.
            (Value::Null, Value::Null) => self.is_in_trust_policy(statement),
            (Value::Null, except) if list(except).is_empty() => denies,
            (Value::Null, except) => !named(list(except), !denies),
            (resources, _) => named(list(resources), denies),
        }
    }

    fn names_resource(&self, pattern: &str, variables: bool, beyond_colons: bool) -> bool {
        let context = &self.case["context"];
        let resource = self.resource();
        if pattern == "*" {
            return true;
        }
        let matches = |pattern: &str, variables: bool, text: &str| {
            text::glob(&text::substituted(pattern, true, variables, context), text)
        };
        if beyond_colons && matches(pattern, variables, resource) {
            return true;
        }
        let mut wanted: Vec<&str> = pattern.splitn(6, ':').collect();
        wanted.resize(6, "*");
        let parts: Vec<&str> = resource.splitn(6, ':').collect();
        parts.len() == 6 && (0..6).all(|index| matches(wanted[index], variables && index == 5, parts[index]))
    }

    fn is_in_trust_policy(&self, statement: &Value) -> bool {
        statements(&self.case["trust_policy"]).any(|one| one == statement)
    }

    fn naming(&self, statement: &Value) -> Naming {
        if self.case["principal"]["type"] == "web-identity" && statement["Effect"] == "Allow" {
            let providers = list(&statement["Principal"]["Federated"]);
            return match &statement["Principal"] {
                Value::Null if statement["NotPrincipal"].is_null() => Naming::Himself,
                _ if providers.contains(&self.case["principal"]["arn"]) => Naming::Himself,
                _ => Naming::Not,
            };
        }
        match (&statement["Principal"], &statement["NotPrincipal"]) {
            (Value::Null, Value::Null) => Naming::Himself,
            (Value::Null, except) => {
                let bounded = !self.case["permissions_boundary"].is_null();
                let trap = statement["Effect"] == "Deny" && bounded;
                if trap || self.named(except) == Naming::Not { Naming::Himself } else { Naming::Not }
            }
            (principals, _) => self.named(principals),
        }
    }

    fn named(&self, principals: &Value) -> Naming {
        if principals == "*" {
            return Naming::Himself;
        }
        let arn = self.case["principal"]["arn"].as_str().unwrap_or_default();
        let is_service = self.case["principal"]["type"] == "service";
        let service =
            is_service && any_of(list(&principals["Service"]), |service| service == arn || service == "*");
        let is_web = self.case["principal"]["type"] == "web-identity";
        if is_web && any_of(list(&principals["Federated"]), |provider| provider == arn || provider == "*") {
            return Naming::Himself;
        }
        let aws = list(&principals["AWS"]).iter().map(|one| self.named_by(one.as_str().unwrap())).max();
        if service { Naming::Himself } else { aws.unwrap_or(Naming::Not) }
    }

    fn named_by(&self, principal: &str) -> Naming {
        let caller = &self.case["principal"];
        let kind = caller["type"].as_str().unwrap();
        let arn = caller["arn"].as_str().unwrap_or_default();
        if principal == "*" {
            return Naming::Himself;
        }
        if ["service", "anonymous", "web-identity"].contains(&kind) {
            return Naming::Not;
        }
        let account = self.caller_account().unwrap();
        let own_id = &caller["id"];
        let by_id = match kind {
            "user" => Naming::Himself,
            "root" => Naming::Not,
            _ => Naming::ByRoleOrUserOfSession,
        };
        if !own_id.is_null() && principal == own_id {
            return by_id;
        }
        // Bound users and roles are known by their ids.
        let bound = &self.case["bound_ids"][principal];
        let is_user = principal.contains(":user/");
        let is_role = principal.contains(":role/");
        if !bound.is_null() && !own_id.is_null() && (is_user || is_role) {
            let fits = if is_user { kind != "assumed-role" } else { kind == "assumed-role" };
            return if fits && bound == own_id { by_id } else { Naming::Not };
        }
        if principal == account || principal == format!("arn:aws:iam::{account}:root") {
            return if kind == "root" { Naming::Himself } else { Naming::ByAccount };
        }
        if principal == arn && kind != "root" {
            return Naming::Himself;
        }
        let role = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
        let is_role = principal.starts_with(&format!("arn:aws:iam::{account}:role/"));
        let of_session = arn.split('/').nth(1).unwrap_or_default().to_owned();
        let own_role = caller["role_arn"].as_str().map_or(of_session, role);
        if kind == "assumed-role" && is_role && role(principal) == own_role
            || kind == "federated-user" && caller["user_arn"] == principal
        {
            return Naming::ByRoleOrUserOfSession;
        }
        Naming::Not
    }

    fn granted(&self, ceilings: bool) -> bool {
        list(&self.case["grants"]).iter().any(|grant| {
            let operations = list(&grant["Operations"]);
            let given = any_of(operations, |name| name.to_lowercase() == self.operation)
                && GRANTABLE.contains(&self.operation.as_str());
            let children = match text::lookup(&self.case["context"], "kms:GrantOperations") {
                _ if self.operation != "creategrant" => true,
                Some(wanted) => {
                    list(wanted.unwrap_or(&Value::Null)).iter().all(|name| operations.contains(name))
                }
                None => false,
            };
            let constrained =
                !WITH_CONTEXT.contains(&self.operation.as_str()) || self.constraint_holds(grant);
            let naming = self.grantee(&grant["GranteePrincipal"], &grant["GranteeServicePrincipal"]);
            let named = naming == Naming::Himself || naming == Naming::ByRoleOrUserOfSession && ceilings;
            self.is_on_key(grant) && given && children && constrained && self.source_holds(grant) && named
        })
    }

    fn may_retire(&self, by_account: bool) -> bool {
        list(&self.case["grants"]).iter().any(|grant| {
            let retires = |arn: &str, service: &str| self.grantee(&grant[arn], &grant[service]) > Naming::Not;
            let listed = list(&grant["Operations"]).contains(&"RetireGrant".into());
            let account = self.caller_account();
            let is_account = |value: &Value| {
                let account = account.as_deref().unwrap_or("nobody");
                value == account || *value == format!("arn:aws:iam::{account}:root")
            };
            self.is_on_key(grant)
                && (retires("RetiringPrincipal", "RetiringServicePrincipal")
                    || listed
                        && self.source_holds(grant)
                        && retires("GranteePrincipal", "GranteeServicePrincipal")
                    || by_account
                        && (is_account(&grant["IssuingAccount"]) || is_account(&grant["RetiringPrincipal"])))
        })
    }

    fn is_on_key(&self, grant: &Value) -> bool {
        let key = grant["KeyId"].as_str().unwrap_or_default();
        key == self.resource() || self.resource().ends_with(&format!(":key/{key}"))
    }

    fn grantee(&self, arn: &Value, service: &Value) -> Naming {
        let caller = &self.case["principal"];
        match (arn.as_str(), service.as_str()) {
            (Some("*"), _) | (None, None) => Naming::Not,
            (Some(arn), _) => match self.named_by(arn) {
                Naming::ByAccount => Naming::Not,
                Naming::ByRoleOrUserOfSession if caller["type"] == "federated-user" => Naming::Not,
                naming => naming,
            },
            (None, Some(service)) if caller["type"] == "service" && caller["arn"] == service => {
                Naming::Himself
            }
            (None, Some(_)) => Naming::Not,
        }
    }

    fn constraint_holds(&self, grant: &Value) -> bool {
        let empty = serde_json::Map::new();
        let sent = self.case["encryption_context"].as_object().unwrap_or(&empty);
        let constraints = &grant["Constraints"];
        let contained = |wanted: &serde_json::Map<String, Value>| {
            wanted.iter().all(|(key, value)| sent.get(key) == Some(value))
        };
        let subset = constraints["EncryptionContextSubset"].as_object().is_none_or(contained);
        let looser = self.operation == "creategrant"
            && match text::lookup(&self.case["context"], "kms:GrantConstraintType") {
                // Without a constraint of its own it is for every encryption context.
                Some(None) => sent.is_empty(),
                Some(kind) => kind == Some(&"EncryptionContextSubset".into()),
                None => true,
            };
        let equal = constraints["EncryptionContextEquals"]
            .as_object()
            .is_none_or(|wanted| contained(wanted) && wanted.len() == sent.len() && !looser);
        subset && equal
    }

    fn source_holds(&self, grant: &Value) -> bool {
        match &grant["Constraints"]["SourceArn"] {
            Value::Null => true,
            wanted => text::lookup(&self.case["context"], "aws:SourceArn") == Some(Some(wanted)),
        }
    }
}

fn word(allowed: bool) -> &'static str {
    if allowed { "allow" } else { "implicit_deny" }
}

fn present(value: &Value) -> impl Iterator<Item = &Value> {
    Some(value).filter(|value| !value.is_null()).into_iter()
}

fn statements(policy: &Value) -> impl Iterator<Item = &Value> {
    list(&policy["Statement"]).iter()
}
