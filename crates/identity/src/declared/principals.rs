//! Whom the trust policies of declared roles name, and the organization's accounts.

use keyreeve_core::identity::record::{OrganizationRecord, RoleRecord, UserRecord};
use keyreeve_core::identity::space::Declared;
use keyreeve_core::record::BoundPrincipal;
use keyreeve_domain::AccountId;
use keyreeve_policy::{AwsPrincipal, invalid_principal};

use super::Fault;
use super::declaration::Declaration;
use super::entities::{About, Work};
use super::state::{Slot, State};
use super::{check, declaration};
use crate::entity::Entity;
use crate::policy_check;

/// A user or a role that an ARN names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Named<'a> {
    pub(super) account: AccountId,
    pub(super) is_role: bool,
    pub(super) name: &'a str,
}

/// The user or role with this ARN; none of a session, and an error for anything else.
pub(super) fn named(arn: &str) -> Result<Option<Named<'_>>, ()> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (Some(service), Some(account), Some(resource)) = (parts.next(), parts.nth(1), parts.next()) else {
        return Err(());
    };
    let account = account.parse().or(Err(()))?;
    let (kind, path) = resource.split_once('/').ok_or(())?;
    let name = path.rsplit('/').next().unwrap_or_default();
    match (service, kind) {
        ("iam", "user") => Ok(Some(Named { account, is_role: false, name })),
        ("iam", "role") => Ok(Some(Named { account, is_role: true, name })),
        ("sts", "assumed-role" | "federated-user") => Ok(None),
        _ => Err(()),
    }
}

fn without_partition(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split_once(':').map(|(_, rest)| rest)
}

/// The unique id of a principal; none of one that has none.
fn unique_id(state: &State, principal: &AwsPrincipal) -> Result<Option<BoundPrincipal>, String> {
    let arn = match principal {
        AwsPrincipal::Anyone => return Ok(None),
        AwsPrincipal::UniqueId(id) => {
            return if is_somebodys(state, id) { Ok(None) } else { Err(id.clone()) };
        }
        AwsPrincipal::Account(account) => {
            let is_there = state.accounts.now(*account, "").is_some();
            return if is_there { Ok(None) } else { Err(account.to_string()) };
        }
        AwsPrincipal::Identity(arn) => arn,
    };
    let unknown = || arn.clone();
    let Some(Named { account, is_role, name }) = named(arn).map_err(|()| unknown())? else { return Ok(None) };
    let found = if is_role {
        state.roles.now(account, name).map(|role| (role.arn(account), &role.id))
    } else {
        state.users.now(account, name).map(|user| (user.arn(account), &user.id))
    };
    let same = found.filter(|(found, _)| without_partition(found) == without_partition(arn));
    let (_, id) = same.ok_or_else(unknown)?;
    Ok(Some(BoundPrincipal { arn: arn.clone(), id: id.clone() }))
}

/// Whether a user or a role has this unique id, and keeps it.
fn is_somebodys(state: &State, id: &str) -> bool {
    let leaving =
        |before: Option<&String>, now: Option<&String>| now.is_none() && before.is_some_and(|own| own == id);
    let user = |slot: &Slot<UserRecord>| {
        leaving(slot.before.as_ref().map(|user| &user.id), slot.now().map(|user| &user.id))
    };
    let role = |slot: &Slot<RoleRecord>| {
        leaving(slot.before.as_ref().map(|role| &role.id), slot.now().map(|role| &role.id))
    };
    state.ids.contains(id) && !state.users.0.values().any(user) && !state.roles.0.values().any(role)
}

impl Work<'_> {
    /// Binds the trust policies of all roles to those whom they name.
    pub(super) fn bind_all(&mut self, declaration: &Declaration) {
        for account in &declaration.accounts {
            for role in &account.roles {
                let outcome = self.bind(account.id, role);
                self.note(outcome);
            }
        }
    }

    fn bind(&mut self, account: AccountId, role: &declaration::Role) -> Result<(), Fault> {
        let about = About { account, kind: Declared::Role, name: &role.name, line: role.line };
        // One that was refused is not there.
        let Some(mut record) = self.state.roles.now(account, &role.name).cloned() else { return Ok(()) };
        let document = policy_check::trust_document(&role.trust)
            .map_err(|refusal| about.fault(format!("trust policy: {}", refusal.0.message)))?;
        let mut bound: Vec<BoundPrincipal> = Vec::new();
        for principal in document.principals() {
            match unique_id(self.state, principal) {
                Ok(Some(found)) if !bound.contains(&found) => bound.push(found),
                Ok(_) => {}
                Err(unknown) => {
                    let text = invalid_principal("AWS", &unknown);
                    return Err(about.fault(format!("trust policy: {text}")));
                }
            }
        }
        record.bound = Some(bound);
        self.state.roles.slot(account, &role.name).set(record);
        Ok(())
    }

    /// Lets the organization be as it is declared.
    pub(super) fn organization(&mut self, declared: Option<&declaration::Organization>) {
        let Some(declaration::Organization { line, record }) = declared else {
            self.state.organization.remove();
            return;
        };
        let outcome = check::organization(record)
            .and_then(|()| members(self.state, record))
            .map_err(|text| Fault::at(*line, format!("organization: {text}")));
        if outcome.is_ok() {
            self.state.organization.set(record.clone());
        }
        self.note(outcome);
    }
}

/// Refuses accounts that are not there, or twice.
fn members(state: &State, record: &OrganizationRecord) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for member in record.units.iter().flat_map(|unit| &unit.accounts) {
        if state.accounts.now(member.account, "").is_none() {
            return Err(format!("there is no account {}", member.account));
        }
        if !seen.insert(member.account) {
            return Err(format!("account {} is in two places", member.account));
        }
    }
    if !seen.contains(&record.management_account) {
        return Err(format!("the management account {} is not in it", record.management_account));
    }
    Ok(())
}
