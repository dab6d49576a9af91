//! CreateUser, GetUser, ListUsers, UpdateUser, DeleteUser:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html> and those beside it.

use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{UniqueRecord, UserRecord};
use keyreeve_core::identity::space::{self, Holder};
use keyreeve_core::record::CredentialRecord;
use keyreeve_core::vault::VaultError;
use keyreeve_core::{Cx, Principal};
use keyreeve_wire::iam::{
    CreateUserInput, CreateUserOutput, DeleteUserInput, GetUserInput, GetUserOutput, ListUsersInput,
    ListUsersOutput, UpdateUserInput, User,
};
use keyreeve_wire::query::QueryError;

use crate::amend::{Amendment, Moved, amend, amend_moving, change, find, quota, read, room};
use crate::attached_policies::{self, index_of};
use crate::entity::{arn, same_name};
use crate::gate::{Particulars, authorize, authorize_new};
use crate::ids::{IdKind, unique_id};
use crate::page::{self, Wanted};
use crate::refusal::Refusal;
use crate::{boundaries, shown, tag_check};

pub(crate) async fn create_user(
    cx: &mut Cx<'_>,
    input: CreateUserInput,
) -> Result<CreateUserOutput, Refusal> {
    let (account, name) = (cx.caller.account(), &input.user_name);
    let path = input.path.as_deref().unwrap_or("/");
    let tags = tag_check::records::<UserRecord>(&input.tags)?;
    let boundary = input.permissions_boundary.as_deref();
    let particulars = Particulars { request_tags: &tags, boundary, ..Particulars::default() };
    authorize_new(cx, "iam:CreateUser", "iam:TagUser", &arn::<UserRecord>(account, path, name), &particulars)
        .await?;
    let id = unique_id(cx.service, IdKind::User)?;
    let user = change(cx, async |cx, snapshot| {
        if find::<UserRecord>(cx, &**snapshot, name).await?.is_some() {
            return Err(Refusal::exists(format!("User with name {name} already exists.")));
        }
        room::<UserRecord>(cx, &**snapshot, quota::USERS).await?;
        let mut user = UserRecord {
            id: id.clone(),
            name: name.clone(),
            path: path.to_owned(),
            created: cx.now,
            policies: Vec::new(),
            attached: Vec::new(),
            boundary: boundary.map(str::to_owned),
            groups: Vec::new(),
            tags: Vec::new(),
            access_keys: Vec::new(),
        };
        tag_check::put(&mut user, &tags)?;
        let mut draft = Draft::new(cx.service.vault());
        if let Some(boundary) = boundary {
            boundaries::hold(cx, &**snapshot, &mut draft, boundary, Holder::UserBoundary, name).await?;
        }
        draft.put(&space::user(account, name)?, None, &user)?;
        let unique = UniqueRecord { account, is_role: false, name: name.clone() };
        draft.put(&space::unique(&id)?, None, &unique)?;
        Ok((draft, user))
    })
    .await?;
    Ok(CreateUserOutput { user: shown::user(&user, account, false) })
}

pub(crate) async fn get_user(cx: &mut Cx<'_>, input: GetUserInput) -> Result<GetUserOutput, Refusal> {
    let account = cx.caller.account();
    let own = cx.caller.principal().clone();
    let name = match (&input.user_name, &own) {
        (Some(name), _) => name,
        (None, Principal::User(user)) => &user.name,
        (None, Principal::Root) => return Ok(GetUserOutput { user: root(cx).await? }),
        (
            None,
            Principal::FederatedUser(_)
            | Principal::Role(_)
            | Principal::Service(_)
            | Principal::WebIdentity(_),
        ) => return Err(no_user_name()),
    };
    let user = read::<UserRecord>(cx, "iam:GetUser", name).await?;
    Ok(GetUserOutput { user: shown::user(&user, account, false) })
}

/// The root user, as IAM shows it.
// AWS: the name and the path are unverified.
async fn root(cx: &Cx<'_>) -> Result<User, Refusal> {
    use keyreeve_core::identity::record::AccountRecord;
    let account = cx.caller.account();
    let snapshot = cx.service.vault().snapshot().await?;
    let held = cx.service.vault().read::<AccountRecord>(&*snapshot, &space::account(account)?).await?;
    Ok(User {
        path: "/".into(),
        user_name: account.to_string(),
        user_id: account.to_string(),
        arn: format!("arn:aws:iam::{account}:root"),
        create_date: held.map(|held| held.record.created).unwrap_or_default(),
        password_last_used: None,
        permissions_boundary: None,
        tags: None,
    })
}

/// Where a request names no user, and the caller is none.
pub(crate) fn no_user_name() -> Refusal {
    QueryError::validation("Must specify userName when calling with non-User credentials").into()
}

pub(crate) async fn list_users(cx: &mut Cx<'_>, input: ListUsersInput) -> Result<ListUsersOutput, Refusal> {
    let account = cx.caller.account();
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    authorize(cx, "iam:ListUsers", &arn::<UserRecord>(account, prefix, ""), &Particulars::default()).await?;
    let wanted = Wanted::new(&input.marker, input.max_items);
    let list = format!("ListUsers/{prefix}");
    let page =
        page::of_entities::<UserRecord>(cx, &list, wanted, |user| user.path.starts_with(prefix)).await?;
    Ok(ListUsersOutput {
        is_truncated: page.is_truncated(),
        users: page.items.iter().map(|user| shown::user(user, account, true)).collect(),
        marker: page.marker,
    })
}

pub(crate) async fn update_user(cx: &mut Cx<'_>, input: UpdateUserInput) -> Result<(), Refusal> {
    let name = &input.user_name;
    let moved = Moved { name: input.new_user_name.as_deref(), path: input.new_path.as_deref() };
    let particulars = Particulars::default();
    amend_moving::<UserRecord, ()>(cx, "iam:UpdateUser", name, &particulars, moved, async |user| {
        if let Some(path) = &input.new_path {
            user.record.path.clone_from(path);
        }
        if let Some(new) = &input.new_user_name {
            rename(user, new).await?;
        }
        Ok(())
    })
    .await
}

async fn rename(user: &mut Amendment<'_, UserRecord>, new: &str) -> Result<(), Refusal> {
    let account = user.account;
    let old = std::mem::replace(&mut user.record.name, new.to_owned());
    for id in user.record.access_keys.clone() {
        let path = keyreeve_core::space::credential(&id)?;
        let read = user.read::<CredentialRecord>(&path).await?;
        let mut read = read.ok_or_else(|| VaultError::Damaged(path.to_string()))?;
        read.record.user = Some(new.to_owned());
        user.touch(&path, &read)?;
    }
    let path = space::unique(&user.record.id)?;
    let read = user.read::<UniqueRecord>(&path).await?;
    let mut read = read.ok_or_else(|| VaultError::Damaged(path.to_string()))?;
    read.record.name = new.to_owned();
    user.touch(&path, &read)?;
    if same_name(&old, new) {
        return Ok(());
    }
    if user.read::<UserRecord>(&space::user(account, new)?).await?.is_some() {
        return Err(Refusal::exists(format!("User with name {new} already exists.")));
    }
    for group in &user.record.groups {
        user.draft.unindex(&space::member(account, group, &old)?);
        user.draft.index(&space::member(account, group, new)?)?;
    }
    attached_policies::rename(user, &old, new)?;
    if let Some(boundary) = &user.record.boundary {
        user.draft.unindex(&index_of(account, boundary, Holder::UserBoundary, &old)?);
        user.draft.index(&index_of(account, boundary, Holder::UserBoundary, new)?)?;
    }
    Ok(())
}

pub(crate) async fn delete_user(cx: &mut Cx<'_>, input: DeleteUserInput) -> Result<(), Refusal> {
    let name = &input.user_name;
    amend::<UserRecord, ()>(cx, "iam:DeleteUser", name, &Particulars::default(), async |user| {
        // AWS: the order in which these are checked is unverified.
        let record = &user.record;
        for (is_held, what) in [
            (!record.access_keys.is_empty(), "delete access keys"),
            (!record.policies.is_empty(), "delete policies"),
            (!record.attached.is_empty(), "detach all policies"),
            (!record.groups.is_empty(), "remove users from group"),
        ] {
            if is_held {
                return Err(Refusal::conflict(format!("Cannot delete entity, must {what} first.")));
            }
        }
        if let Some(boundary) = &record.boundary {
            user.draft.unindex(&index_of(user.account, boundary, Holder::UserBoundary, &record.name)?);
        }
        user.draft.unindex(&space::unique(&user.record.id)?);
        user.delete = true;
        Ok(())
    })
    .await
}
