//! Looking, asking, changing: what every handler does.

use std::sync::Arc;

use keyreeve_core::Cx;
use keyreeve_core::commit::Draft;
use keyreeve_core::cx::Service;
use keyreeve_core::record::Record;
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_store::{Path, Snapshot, Version};

use crate::entity::{Entity, Target, arn};
use crate::gate::{Particulars, authorize};
use crate::refusal::Refusal;

/// How often a change is tried again after somebody else was faster.
const ATTEMPTS: usize = 16;

/// An entity as the store has it.
pub(crate) struct Seen<E> {
    pub(crate) record: E,
    pub(crate) version: Version,
    pub(crate) path: Path,
}

/// The entity of this name in the caller's account.
pub(crate) async fn find<E: Entity>(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    name: &str,
) -> Result<Option<Seen<E>>, Refusal> {
    let path = E::path(cx.caller.account(), name)?;
    let read = cx.service.vault().read::<E>(snapshot, &path).await?;
    Ok(read.map(|Versioned { record, version }| Seen { record, version, path }))
}

/// The entity of this name, if the caller may do `action` with it. Whether it exists is told to whom may.
pub(crate) async fn authorized<E: Entity>(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    action: &'static str,
    target: impl Into<Target<'_>>,
    particulars: &Particulars<'_>,
) -> Result<Seen<E>, Refusal> {
    let target = target.into();
    authorized_if_any(cx, snapshot, action, target, particulars).await?.ok_or_else(|| E::missing(target))
}

/// As [`authorized`], where the answer to what is not there depends on more.
pub(crate) async fn authorized_if_any<E: Entity>(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    action: &'static str,
    target: Target<'_>,
    particulars: &Particulars<'_>,
) -> Result<Option<Seen<E>>, Refusal> {
    let account = cx.caller.account();
    let is_meant = |seen: &Seen<E>| target.arn.is_none_or(|arn| arn == seen.record.arn(account));
    let found = find::<E>(cx, snapshot, target.name).await?.filter(is_meant);
    let resource = match (&found, target.arn) {
        (Some(seen), _) => seen.record.arn(account),
        (None, Some(arn)) => arn.to_owned(),
        (None, None) => arn::<E>(account, "/", target.name),
    };
    let shown = E::shown(target, &resource);
    let particulars = Particulars {
        shown: Some(&shown),
        resource_tags: found.as_ref().map(|seen| seen.record.tags()).unwrap_or_default(),
        boundary: particulars.boundary.or_else(|| found.as_ref().and_then(|seen| seen.record.boundary())),
        ..*particulars
    };
    authorize(cx, action, &resource, &particulars).await?;
    Ok(found)
}

/// The entity of this name in the latest state, if the caller may do `action` with it.
pub(crate) async fn read<'t, E: Entity>(
    cx: &Cx<'_>,
    action: &'static str,
    target: impl Into<Target<'t>>,
) -> Result<E, Refusal> {
    let snapshot = cx.service.vault().snapshot().await?;
    Ok(authorized::<E>(cx, &*snapshot, action, target, &Particulars::default()).await?.record)
}

/// Makes the draft of `make` durable; looks again where somebody else was faster. A draft without writes changes nothing.
pub(crate) async fn change<'a, T>(
    cx: &mut Cx<'a>,
    mut make: impl AsyncFnMut(&Cx<'a>, &Arc<dyn Snapshot>) -> Result<(Draft<'a>, T), Refusal>,
) -> Result<T, Refusal> {
    for _ in 0..ATTEMPTS {
        let snapshot = cx.service.vault().snapshot().await?;
        let (draft, outcome) = make(cx, &snapshot).await?;
        if draft.is_empty() {
            return Ok(outcome);
        }
        match cx.commit(draft).await {
            Ok(()) => return Ok(outcome),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

/// Refuses one more entity of a kind where an account may have no more.
pub(crate) async fn room<E: Entity>(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    (quota, most): (&str, u64),
) -> Result<(), Refusal> {
    let count = snapshot.count(&E::prefix(cx.caller.account())).await.map_err(VaultError::from)?;
    if count < most {
        return Ok(());
    }
    Err(Refusal::quota(format!("Cannot exceed quota for {quota}: {most}")))
}

/// What an account may have. Where AWS has users and roles by request alone, they are as many as that may be, and more.
pub(crate) mod quota {
    pub(crate) const GROUPS: (&str, u64) = ("GroupsPerAccount", 300);
    pub(crate) const POLICIES: (&str, u64) = ("PoliciesPerAccount", 10_000);
    pub(crate) const PROVIDERS: (&str, u64) = ("OpenIdConnectProvidersPerAccount", 100);
    pub(crate) const ROLES: (&str, u64) = ("RolesPerAccount", 50_000);
    pub(crate) const USERS: (&str, u64) = ("UsersPerAccount", 50_000);
}

/// A change of an entity in the making.
pub(crate) struct Amendment<'a, E> {
    /// What the record is to become.
    pub(crate) record: E,
    /// What else is to be written.
    pub(crate) draft: Draft<'a>,
    /// The account.
    pub(crate) account: AccountId,
    /// When the request arrived.
    pub(crate) now: Timestamp,
    /// The state that is changed.
    pub(crate) snapshot: Arc<dyn Snapshot>,
    /// What all requests share.
    pub(crate) service: &'a Service,
    /// Set where the entity is to go; its index entries are the business of whoever sets it.
    pub(crate) delete: bool,
}

impl<E> Amendment<'_, E> {
    /// Another record, from the same state.
    pub(crate) async fn read<R: Record>(&self, path: &Path) -> Result<Option<Versioned<R>>, Refusal> {
        Ok(self.service.vault().read(&*self.snapshot, path).await?)
    }

    /// Writes `record`, which others depend on, as it is: whoever changes or deletes it at the same time looks again.
    pub(crate) fn touch<R: Record>(&mut self, path: &Path, read: &Versioned<R>) -> Result<(), Refusal> {
        Ok(self.draft.put(path, Some(read.version), &read.record)?)
    }
}

/// Changes the entity of this name, if the caller may do `action` with it.
pub(crate) async fn amend<'a, E: Entity, T>(
    cx: &mut Cx<'a>,
    action: &'static str,
    target: impl Into<Target<'_>>,
    particulars: &Particulars<'_>,
    edit: impl AsyncFnMut(&mut Amendment<'a, E>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    amend_moving(cx, action, target, particulars, Moved::default(), edit).await
}

/// The name and the path that an entity is to have; those that it has where there are none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Moved<'m> {
    pub(crate) name: Option<&'m str>,
    pub(crate) path: Option<&'m str>,
}

/// As [`amend`], where the entity may get another ARN: the caller must be allowed `action` with that one, too.
pub(crate) async fn amend_moving<'a, E: Entity, T>(
    cx: &mut Cx<'a>,
    action: &'static str,
    target: impl Into<Target<'_>>,
    particulars: &Particulars<'_>,
    moved: Moved<'_>,
    mut edit: impl AsyncFnMut(&mut Amendment<'a, E>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let target = target.into();
    change(cx, async |cx, snapshot| {
        let seen = authorized::<E>(cx, &**snapshot, action, target, particulars).await?;
        let (path, name) =
            (moved.path.unwrap_or(seen.record.iam_path()), moved.name.unwrap_or(seen.record.name()));
        let becomes = arn::<E>(cx.caller.account(), path, name);
        if becomes != seen.record.arn(cx.caller.account()) {
            let shown = E::shown(name.into(), &becomes);
            let particulars =
                Particulars { shown: Some(&shown), resource_tags: seen.record.tags(), ..*particulars };
            authorize(cx, action, &becomes, &particulars).await?;
        }
        let mut amendment = Amendment {
            record: seen.record.clone(),
            draft: Draft::new(cx.service.vault()),
            account: cx.caller.account(),
            now: cx.now,
            snapshot: Arc::clone(snapshot),
            service: cx.service,
            delete: false,
        };
        let outcome = edit(&mut amendment).await?;
        let Amendment { record, mut draft, delete, .. } = amendment;
        let path = E::path(cx.caller.account(), record.name())?;
        if delete {
            draft.delete(&seen.path, seen.version);
        } else if path != seen.path {
            draft.delete(&seen.path, seen.version);
            draft.put(&path, None, &record)?;
        } else if record != seen.record {
            draft.put(&path, Some(seen.version), &record)?;
        } else if !draft.is_empty() {
            draft.require(&path, Some(seen.version));
        }
        Ok((draft, outcome))
    })
    .await
}
