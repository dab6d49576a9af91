//! Whom a grant names: by ARN or by unique id, and bound to whoever that is when it is named.
//!
//! INVARIANT: a session is its role's. Who makes a role of the same name later has no grants of the one before.

use keyreeve_domain::{AccountId, Region};
use keyreeve_policy::AwsPrincipal;
use keyreeve_store::Snapshot;

use crate::caller::User;
use crate::cx::Service;
use crate::grants::GrantParty;
use crate::identity;
use crate::identity::record::{RoleRecord, UniqueRecord, UserRecord};
use crate::key_policy::PrincipalError;
use crate::vault::VaultError;

/// A text names no principal of a grant.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PartyError {
    /// A unique id that nobody has any more, or ever had.
    #[error("nobody has the unique id")]
    Gone,
    /// An ARN that is none of a principal's form.
    #[error("not the ARN of a principal")]
    Malformed,
    /// An ARN of somebody who is not there.
    #[error("no such principal")]
    Unknown,
    /// The store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<PrincipalError> for PartyError {
    fn from(error: PrincipalError) -> Self {
        match error {
            PrincipalError::Unknown(_) => Self::Unknown,
            PrincipalError::Vault(error) => Self::Vault(error),
        }
    }
}

impl Service {
    /// The principal that `text` names in a request to `region`: an account, a user, a role, or a session, of a role or a
    /// federated user; by ARN, an account by its number too, the others by unique id too (`AROA…:name` of a session).
    ///
    /// # Errors
    /// Where nobody is named so.
    pub async fn grant_party(
        &self,
        snapshot: &dyn Snapshot,
        region: Region,
        text: &str,
    ) -> Result<GrantParty, PartyError> {
        let (unique, session) = match text.split_once(':') {
            Some((unique, session)) => (unique, Some(session)),
            None => (text, None),
        };
        if let Ok(AwsPrincipal::UniqueId(unique)) = unique.parse() {
            let arn = self.arn_of_unique_id(snapshot, region, &unique, session).await?;
            return Ok(GrantParty::Aws { arn: arn.ok_or(PartyError::Gone)?, id: Some(text.to_owned()) });
        }
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let arn = format!("arn:{}:iam::{text}:root", region.partition());
            self.grantee_id(snapshot, &arn).await?;
            return Ok(GrantParty::Aws { arn, id: None });
        }
        let id = match session_of_role(text)? {
            Some((account, role, session)) => {
                let role = self.role_named(snapshot, account, role).await?.ok_or(PartyError::Unknown)?;
                Some(format!("{}:{session}", role.id))
            }
            None => self.grantee_id(snapshot, text).await?,
        };
        Ok(GrantParty::Aws { arn: text.to_owned(), id })
    }

    /// Whether the role of the session `arn` is the one with the unique id `role`.
    pub(crate) async fn is_session_of(
        &self,
        snapshot: &dyn Snapshot,
        arn: &str,
        role: &str,
    ) -> Result<bool, VaultError> {
        let Ok(Some((account, name, _))) = session_of_role(arn) else { return Ok(false) };
        Ok(self.role_named(snapshot, account, name).await?.is_some_and(|found| found.id == role))
    }

    /// The ARN of whoever has a unique id; where a `session` is named, that of the session of a role.
    async fn arn_of_unique_id(
        &self,
        snapshot: &dyn Snapshot,
        region: Region,
        id: &str,
        session: Option<&str>,
    ) -> Result<Option<String>, VaultError> {
        let known = self.vault().read::<UniqueRecord>(snapshot, &identity::space::unique(id)?).await?;
        let Some(UniqueRecord { account, is_role, name }) = known.map(|known| known.record) else {
            return Ok(None);
        };
        let partition = region.partition();
        if is_role {
            let role = self.role_named(snapshot, account, &name).await?.filter(|role| role.id == id);
            return Ok(role.and_then(|role| match session {
                None => Some(format!("arn:{partition}:iam::{account}:role{}{name}", role.path)),
                Some(session) if is_name(session) => {
                    Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"))
                }
                Some(_) => None,
            }));
        }
        let user = self.vault().read::<UserRecord>(snapshot, &identity::space::user(account, &name)?).await?;
        let user = user.map(|user| user.record).filter(|user| user.id == id && session.is_none());
        Ok(user
            .map(|user| User::from(&user).arn(account).replacen("arn:aws:", &format!("arn:{partition}:"), 1)))
    }

    async fn role_named(
        &self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        name: &str,
    ) -> Result<Option<RoleRecord>, VaultError> {
        let read = self.vault().read::<RoleRecord>(snapshot, &identity::space::role(account, name)?).await?;
        Ok(read.map(|read| read.record))
    }
}

/// The account, the role and the name in the ARN of a role's session; nothing where it is another ARN. The path of the role is
/// no part of it.
fn session_of_role(arn: &str) -> Result<Option<(AccountId, &str, &str)>, PartyError> {
    let mut parts = arn.splitn(6, ':');
    let (Some("arn"), Some(_), Some("sts"), Some(_), Some(account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    let Some(session) = resource.strip_prefix("assumed-role/") else { return Ok(None) };
    let (role, name) = session.split_once('/').ok_or(PartyError::Malformed)?;
    if role.is_empty() || !is_name(name) {
        return Err(PartyError::Malformed);
    }
    let account = account.parse().or(Err(PartyError::Malformed))?;
    Ok(Some((account, role, name)))
}

/// Whether a session can be named so.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_a_session_has_a_role_and_a_name_and_no_path() {
        for (text, expected) in [
            ("arn:aws:sts::111122223333:assumed-role/r/s", Ok(Some(("r", "s")))),
            ("arn:aws:sts::111122223333:assumed-role/path/r/s", Err(PartyError::Malformed)),
            ("arn:aws:sts::111122223333:assumed-role/r", Err(PartyError::Malformed)),
            ("arn:aws:sts::111122223333:assumed-role/r/", Err(PartyError::Malformed)),
            ("arn:aws:sts::nobody:assumed-role/r/s", Err(PartyError::Malformed)),
            ("arn:aws:sts::111122223333:federated-user/f", Ok(None)),
            ("arn:aws:iam::111122223333:role/r", Ok(None)),
            ("", Ok(None)),
        ] {
            let found = session_of_role(text).map(|found| found.map(|(_, role, name)| (role, name)));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
