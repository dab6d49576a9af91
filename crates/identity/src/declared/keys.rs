//! The access keys of declared users and services.

use std::collections::BTreeSet;

use keyreeve_core::identity::space::Declared;
use keyreeve_core::record::CredentialRecord;
use keyreeve_domain::AccountId;
use zeroize::Zeroizing;

use super::declaration::{self, AccessKey, Declaration};
use super::entities::{About, Work};
use super::state::After;
use super::{Fault, check};
use crate::access_keys::KEYS_MOST;
use crate::entity::same_name;

/// The ids of access keys are unique in the whole installation.
fn once_anywhere(seen: &mut BTreeSet<String>, about: About<'_>) -> Result<(), Fault> {
    if seen.insert(about.name.to_owned()) { Ok(()) } else { Err(about.fault("it is declared twice")) }
}

impl Work<'_> {
    /// The access keys of all users.
    pub(super) fn keys_of_users(&mut self, declaration: &Declaration, seen: &mut BTreeSet<String>) {
        for account in &declaration.accounts {
            for user in &account.users {
                for key in &user.access_keys {
                    let about = About {
                        account: account.id,
                        kind: Declared::AccessKey,
                        name: &key.id,
                        line: key.line,
                    };
                    let outcome = once_anywhere(seen, about)
                        .and_then(|()| self.access_key(about, key, Some(&user.name), None));
                    self.note(outcome);
                }
            }
        }
        for account in &declaration.accounts {
            for user in &account.users {
                let about =
                    About { account: account.id, kind: Declared::User, name: &user.name, line: user.line };
                let Some(mut record) = self.state.users.now(account.id, &user.name).cloned() else {
                    continue;
                };
                for key in &user.access_keys {
                    if !record.access_keys.contains(&key.id) {
                        record.access_keys.push(key.id.clone());
                    }
                }
                self.state.users.slot(account.id, &user.name).set(record);
                self.let_go_of_keys(account.id, &user.name);
                let count =
                    self.state.users.now(account.id, &user.name).map_or(0, |user| user.access_keys.len());
                if count > KEYS_MOST {
                    let text = format!("it would have {count} access keys, and {KEYS_MOST} are the most");
                    self.faults.push(about.fault(text));
                }
            }
        }
        // A key that has left a user who is not declared.
        let others: Vec<_> = self.state.users.0.keys().cloned().collect();
        for (account, name) in others {
            self.let_go_of_keys(account, &name);
        }
    }

    /// Takes access keys from a user that are gone or somebody else's.
    fn let_go_of_keys(&mut self, account: AccountId, name: &str) {
        let Some(mut record) = self.state.users.now(account, name).cloned() else { return };
        let (state, user) = (&*self.state, record.name.clone());
        let is_own = |id: &String| match state.credentials.get(id) {
            // One that was not looked at is not the file's.
            None => true,
            Some(slot) => {
                let holder = slot.now().and_then(|key| key.user.as_ref());
                holder.is_some_and(|holder| same_name(holder, &user))
            }
        };
        record.access_keys.retain(is_own);
        self.state.users.slot(account, name).set(record);
    }

    pub(super) fn service(
        &mut self,
        service: &declaration::Service,
        seen: &mut BTreeSet<String>,
    ) -> Result<(), Fault> {
        let (name, account) = (&service.name, service.account);
        if !check::is_service(name) {
            let text = format!("service `{name}`: the name of a service is such as s3.amazonaws.com");
            return Err(Fault::at(service.line, text));
        }
        if self.state.accounts.now(account, "").is_none() {
            return Err(Fault::at(service.line, format!("service `{name}`: there is no account {account}")));
        }
        for key in &service.access_keys {
            let about = About { account, kind: Declared::AccessKey, name: &key.id, line: key.line };
            once_anywhere(seen, about)?;
            self.access_key(about, key, None, Some(name))?;
        }
        Ok(())
    }

    fn access_key(
        &mut self,
        about: About<'_>,
        key: &AccessKey,
        user: Option<&str>,
        service: Option<&str>,
    ) -> Result<(), Fault> {
        check::access_key(&key.id, &key.secret).map_err(|text| about.fault(text))?;
        let held = self.state.credential(&key.id);
        let (created, inactive) = match held {
            None => (self.now, None),
            Some(held) => {
                let id = held.created.millis().to_string();
                let is_made = self.state.is_made(about.account, Declared::AccessKey, &key.id, &id);
                if held.account != about.account || !is_made {
                    return Err(about.not_ours());
                }
                let is_same = *held.secret == *key.secret
                    && held.user.as_deref() == user
                    && held.service.as_deref() == service;
                if is_same {
                    return Ok(());
                }
                // Who switched it off through the API had a reason.
                (held.created, held.inactive)
            }
        };
        let record = CredentialRecord {
            account: about.account,
            secret: Zeroizing::new((*key.secret).clone()),
            created,
            user: user.map(str::to_owned),
            inactive,
            service: service.map(str::to_owned),
        };
        self.state.mark(about.account, Declared::AccessKey, &key.id, &created.millis().to_string());
        self.state.credentials.entry(key.id.clone()).or_default().after = After::Put(record);
        Ok(())
    }
}
