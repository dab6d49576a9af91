//! Access keys: who signs in with which secret.

use core::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyreeve_crypto::digest::sha256;
use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_locked_memory::LockedBytes;
use keyreeve_store::Snapshot;
use zeroize::Zeroizing;

use crate::caller::{Caller, FederatedUser, Principal, RoleSession, Session, User};
use crate::commit::Draft;
use crate::cx::Service;
use crate::identity;
use crate::identity::record::AccountRecord;
use crate::identity::session::{SessionHolder, SessionRecord};
use crate::identity::standing::{Identities, Standing};
use crate::last_use::Noted;
use crate::record::CredentialRecord;
use crate::space;
use crate::vault::VaultError;

/// An access key, opened.
pub struct Credential {
    caller: Caller,
    secret: LockedBytes,
    generation: u64,
    /// Of temporary credentials: the digest of the token that they came with.
    token: Option<[u8; 32]>,
    /// Of temporary credentials: what the token says, for the sessions that follow on it.
    session: Option<Arc<SessionRecord>>,
    noted: Noted,
}

/// Why an access key lets nobody in.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CredentialError {
    /// It is not known, switched off, or came with a token that is not its own.
    #[error("the access key is not known")]
    Unknown,
    /// It was temporary, and its time is over.
    #[error("the session has expired")]
    Expired,
    /// The store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Numbers what was opened, so that a signing key cached for one secret is never used for the next.
static GENERATION: AtomicU64 = AtomicU64::new(1);

impl Credential {
    fn new(caller: Caller, secret: &str) -> Result<Self, VaultError> {
        Ok(Self {
            caller,
            secret: LockedBytes::copy_of(secret.as_bytes())?,
            generation: GENERATION.fetch_add(1, Ordering::Relaxed),
            token: None,
            session: None,
            noted: Noted::default(),
        })
    }

    /// Who signs in with it.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What the token of temporary credentials says.
    #[must_use]
    pub fn session(&self) -> Option<&SessionRecord> {
        self.session.as_deref()
    }

    /// The secret access key. Each call says why in an `EXPOSE` comment.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        // EXPOSE: the caller says why.
        self.secret.expose()
    }

    /// Its last use.
    pub(crate) fn noted(&self) -> &Noted {
        &self.noted
    }

    /// Differs whenever the record may have changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        self.caller.session().is_some_and(|session| session.expires <= now)
    }
}

impl Service {
    /// The access key `id` that came with the session token `token`, or with none, at `now`; from the ring or the store.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub async fn credential(
        &self,
        id: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<Credential>, CredentialError> {
        let digest = token.map(|token| sha256(token.as_bytes()));
        let held = self.ring().credential(id).filter(|held| held.token == digest);
        let found = match (held, token) {
            (Some(held), _) => held,
            (None, None) => Box::pin(self.long_term(id)).await?,
            (None, Some(token)) => Box::pin(self.temporary(id, token, digest)).await?,
        };
        if found.has_expired(now) { Err(CredentialError::Expired) } else { Ok(found) }
    }

    async fn long_term(&self, id: &str) -> Result<Arc<Credential>, CredentialError> {
        let Ok(path) = space::credential(id) else { return Err(CredentialError::Unknown) };
        let snapshot = self.vault().snapshot().await?;
        let read = self.vault().read::<CredentialRecord>(&*snapshot, &path).await?;
        let record = read.ok_or(CredentialError::Unknown)?.record;
        if record.inactive.unwrap_or_default() {
            return Err(CredentialError::Unknown);
        }
        let identities = Identities { service: self, snapshot: &*snapshot, account: record.account };
        let (principal, standing) = if let Some(service) = &record.service {
            (Principal::Service(service.clone()), Standing::default())
        } else if let Some(name) = &record.user {
            let user = identities.user(name).await?.ok_or(CredentialError::Unknown)?;
            (Principal::User(User::from(&user)), identities.of_user(&user).await?)
        } else {
            (Principal::Root, identities.of_root().await?)
        };
        let caller = Caller::with(record.account, principal, id.to_owned(), None, Arc::new(standing));
        let credential = Arc::new(Credential::new(caller, &record.secret)?);
        self.ring().fill_credential(snapshot.revision(), id, &credential);
        Ok(credential)
    }

    async fn temporary(
        &self,
        id: &str,
        token: &str,
        digest: Option<[u8; 32]>,
    ) -> Result<Arc<Credential>, CredentialError> {
        let opened = self.vault().open_session(token).filter(|session| session.access_key_id == id);
        let session = opened.ok_or(CredentialError::Unknown)?;
        let snapshot = self.vault().snapshot().await?;
        let caller = self.session_caller(&*snapshot, &session).await?.ok_or(CredentialError::Unknown)?;
        let mut credential = Credential::new(caller, &session.secret)?;
        credential.token = digest;
        credential.session = Some(Arc::new(session));
        let credential = Arc::new(credential);
        self.ring().fill_credential(snapshot.revision(), id, &credential);
        Ok(credential)
    }

    /// The caller for whom a service calls: the holder of a session token that was made here, or the user, the role's session or
    /// the root user with this ARN. The service is trusted to have seen a request of theirs.
    ///
    /// # Errors
    /// Where nobody is known by that.
    pub async fn forwarded(&self, on_behalf_of: &str, now: Timestamp) -> Result<Caller, CredentialError> {
        let snapshot = self.vault().snapshot().await?;
        if let Some(session) = self.vault().open_session(on_behalf_of) {
            if session.expires <= now {
                return Err(CredentialError::Expired);
            }
            return self.session_caller(&*snapshot, &session).await?.ok_or(CredentialError::Unknown);
        }
        let named = || {
            let (account, resource) =
                on_behalf_of.strip_prefix("arn:aws:")?.split_once("::")?.1.split_once(':')?;
            Some((account.parse::<AccountId>().ok()?, resource))
        };
        let (account, resource) = named().ok_or(CredentialError::Unknown)?;
        let identities = Identities { service: self, snapshot: &*snapshot, account };
        let (principal, standing) = if resource == "root" {
            (Principal::Root, identities.of_root().await?)
        } else if let Some(path) = resource.strip_prefix("user/") {
            let name = path.rsplit('/').next().unwrap_or_default();
            let user = identities.user(name).await?.ok_or(CredentialError::Unknown)?;
            (Principal::User(User::from(&user)), identities.of_user(&user).await?)
        } else {
            let session = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/'));
            let (role, name) = session.ok_or(CredentialError::Unknown)?;
            let role = identities.role(role).await?.ok_or(CredentialError::Unknown)?;
            let standing = identities.of_role(&role).await?;
            let (path, id, name) = (role.path, role.id, name.to_owned());
            (Principal::Role(RoleSession { role: role.name, path, id, name }), standing)
        };
        let caller = Caller::with(account, principal, String::new(), None, Arc::new(standing));
        if caller.arn() == on_behalf_of { Ok(caller) } else { Err(CredentialError::Unknown) }
    }

    /// Who holds `session`; nobody where its user or role is gone.
    async fn session_caller(
        &self,
        snapshot: &dyn Snapshot,
        session: &SessionRecord,
    ) -> Result<Option<Caller>, VaultError> {
        let identities = Identities { service: self, snapshot, account: session.account };
        let (principal, standing) = match &session.holder {
            SessionHolder::Root => (Principal::Root, identities.of_root().await?),
            SessionHolder::User { user } => {
                let Some(user) = identities.same_user(user).await? else { return Ok(None) };
                (Principal::User(User::from(&user)), identities.of_user(&user).await?)
            }
            SessionHolder::Role { role, name } => {
                let Some(role) = identities.same_role(role).await? else { return Ok(None) };
                let standing = identities.of_role(&role).await?;
                let standing = identities.within(standing, session, false).await?;
                let (path, id, name) = (role.path, role.id, name.clone());
                (Principal::Role(RoleSession { role: role.name, path, id, name }), standing)
            }
            SessionHolder::Federated { name, user } => {
                let (user, standing) = match user {
                    None => (None, identities.of_root_federation().await?),
                    Some(user) => {
                        let Some(user) = identities.same_user(user).await? else { return Ok(None) };
                        (Some(User::from(&user)), identities.of_user(&user).await?)
                    }
                };
                let standing = identities.within(standing, session, true).await?;
                (Principal::FederatedUser(FederatedUser { name: name.clone(), user }), standing)
            }
        };
        let about = Session {
            issued: session.issued,
            expires: session.expires,
            mfa: session.mfa_millis.map(Timestamp::from_millis),
            source_identity: session.source_identity.clone(),
            transitive_tags: session.transitive_tags(),
            provider: session.provider.clone(),
        };
        let id = session.access_key_id.clone();
        Ok(Some(Caller::with(session.account, principal, id, Some(about), Arc::new(standing))))
    }

    /// Whether `id` with `secret` is an access key of the root user of `account`.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn has_root_credential(
        &self,
        account: AccountId,
        id: &str,
        secret: &str,
    ) -> Result<bool, VaultError> {
        let known = self.account(account).await?;
        if !known.is_some_and(|known| known.root_access_keys.iter().any(|key| key == id)) {
            return Ok(false);
        }
        let snapshot = self.vault().snapshot().await?;
        let held = self.vault().read::<CredentialRecord>(&*snapshot, &space::credential(id)?).await?;
        Ok(held.is_some_and(|held| {
            let record = &held.record;
            record.account == account && record.user.is_none() && *record.secret == secret
        }))
    }

    /// Makes `id` with `secret` an access key of the root user of `account`, which is made where there is none. Where the
    /// root user had not this one, every other is deleted: the operator has chosen anew.
    ///
    /// # Errors
    /// Where the store cannot be written to.
    pub async fn set_root_credential(
        &self,
        account: AccountId,
        id: &str,
        secret: Zeroizing<String>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let home = identity::space::account(account)?;
        let known = self.vault().read::<AccountRecord>(&*snapshot, &home).await?;
        let path = space::credential(id)?;
        let held = self.vault().read::<CredentialRecord>(&*snapshot, &path).await?;
        let is_held = held.as_ref().is_some_and(|held| {
            let record = &held.record;
            record.account == account && record.user.is_none() && *record.secret == *secret
        });
        let others = match &known {
            Some(known) => known.record.root_access_keys.clone(),
            None => self.root_keys_of_old(&*snapshot, account).await?,
        };
        let is_listed =
            known.as_ref().is_some_and(|known| known.record.root_access_keys.iter().any(|key| key == id));
        if is_held && is_listed {
            return Ok(());
        }
        let mut draft = Draft::new(self.vault());
        for other in others.iter().filter(|other| *other != id) {
            draft.unindex(&space::credential(other)?);
            draft.unindex(&space::access_key_use(other)?);
        }
        if !is_held {
            let seen = held.map(|held| held.version);
            let record =
                CredentialRecord { account, secret, created: now, user: None, inactive: None, service: None };
            draft.put(&path, seen, &record)?;
        }
        let seen = known.as_ref().map(|known| known.version);
        let record = known.map_or_else(
            || AccountRecord { name: String::new(), created: now, root_access_keys: Vec::new() },
            |known| known.record,
        );
        draft.put(&home, seen, &AccountRecord { root_access_keys: vec![id.to_owned()], ..record })?;
        self.commit(draft).await
    }

    /// The root access keys of a store that was made before accounts had records.
    async fn root_keys_of_old(
        &self,
        snapshot: &dyn Snapshot,
        account: AccountId,
    ) -> Result<Vec<String>, VaultError> {
        let prefix = space::CREDENTIAL_PREFIX;
        let (held, _) = self.vault().range::<CredentialRecord>(snapshot, prefix, None, AT_MOST).await?;
        let own = held.iter().filter(|(_, record)| record.account == account && record.user.is_none());
        Ok(own.filter_map(|(path, _)| space::last_part(prefix, path).map(str::to_owned)).collect())
    }
}

const AT_MOST: NonZeroUsize = NonZeroUsize::new(100).unwrap();
