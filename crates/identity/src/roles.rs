//! CreateRole, GetRole, ListRoles, UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy, DeleteRole:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{RoleRecord, UniqueRecord};
use keyreeve_core::identity::space::{self, Holder};
use keyreeve_core::last_use::Used;
use keyreeve_core::record::PolicyRecord;
use keyreeve_store::Snapshot;
use keyreeve_wire::iam::{
    CreateRoleInput, CreateRoleOutput, DeleteRoleInput, GetRoleInput, GetRoleOutput, ListRolesInput,
    ListRolesOutput, Role, RoleLastUsed, UpdateAssumeRolePolicyInput, UpdateRoleDescriptionInput,
    UpdateRoleDescriptionOutput, UpdateRoleInput, UpdateRoleOutput,
};

use crate::amend::{amend, authorized, change, find, quota, read, room};
use crate::attached_policies::index_of;
use crate::entity::arn;
use crate::gate::{Particulars, authorize, authorize_new};
use crate::ids::{IdKind, unique_id};
use crate::page::{self, Wanted};
use crate::refusal::Refusal;
use crate::{boundaries, policy_check, shown, tag_check};

/// The longest session where a role is made without saying.
const SESSION_SECONDS: u32 = 3600;

pub(crate) async fn create_role(
    cx: &mut Cx<'_>,
    input: CreateRoleInput,
) -> Result<CreateRoleOutput, Refusal> {
    let (account, name) = (cx.caller.account(), &input.role_name);
    let path = input.path.as_deref().unwrap_or("/");
    let tags = tag_check::records::<RoleRecord>(&input.tags)?;
    let boundary = input.permissions_boundary.as_deref();
    let particulars = Particulars { request_tags: &tags, boundary, ..Particulars::default() };
    authorize_new(cx, "iam:CreateRole", "iam:TagRole", &arn::<RoleRecord>(account, path, name), &particulars)
        .await?;
    let id = unique_id(cx.service, IdKind::Role)?;
    let role = change(cx, async |cx, snapshot| {
        if find::<RoleRecord>(cx, &**snapshot, name).await?.is_some() {
            return Err(Refusal::exists(format!("Role with name {name} already exists.")));
        }
        room::<RoleRecord>(cx, &**snapshot, quota::ROLES).await?;
        let bound = policy_check::trust(cx, &**snapshot, &input.assume_role_policy_document).await?;
        let mut role = RoleRecord {
            id: id.clone(),
            name: name.clone(),
            path: path.to_owned(),
            created: cx.now,
            trust: input.assume_role_policy_document.clone(),
            description: input.description.clone(),
            max_session_seconds: input.max_session_duration.unwrap_or(SESSION_SECONDS),
            policies: Vec::new(),
            attached: Vec::new(),
            boundary: boundary.map(str::to_owned),
            tags: Vec::new(),
            bound: Some(bound),
        };
        tag_check::put(&mut role, &tags)?;
        let mut draft = Draft::new(cx.service.vault());
        if let Some(boundary) = boundary {
            boundaries::hold(cx, &**snapshot, &mut draft, boundary, Holder::RoleBoundary, name).await?;
        }
        draft.put(&space::role(account, name)?, None, &role)?;
        let unique = UniqueRecord { account, is_role: true, name: name.clone() };
        draft.put(&space::unique(&id)?, None, &unique)?;
        Ok((draft, role))
    })
    .await?;
    let trust = role.trust.clone();
    let role = Role { description: None, ..shown::changed_role(&role, account, &trust) };
    Ok(CreateRoleOutput { role })
}

pub(crate) async fn get_role(cx: &mut Cx<'_>, input: GetRoleInput) -> Result<GetRoleOutput, Refusal> {
    let role = read::<RoleRecord>(cx, "iam:GetRole", &input.role_name).await?;
    let trust = shown_trust(cx, &role).await?;
    let mut shown = shown::role(&role, cx.caller.account(), &trust, false);
    let snapshot = cx.service.vault().snapshot().await?;
    shown.role_last_used = Some(last_used(cx, &*snapshot, &role).await?);
    Ok(GetRoleOutput { role: shown })
}

/// The days of which the use of a role is told.
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html>.
const TOLD_MILLIS: i64 = 400 * 24 * 3600 * 1000;

/// When a role was last used, where that is not too long ago.
pub(crate) async fn last_used(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    role: &RoleRecord,
) -> Result<RoleLastUsed, Refusal> {
    let last = cx.service.last_use(snapshot, Used::Role(&role.id)).await?;
    let last = last.filter(|last| cx.now.millis_since(last.at) <= TOLD_MILLIS);
    Ok(RoleLastUsed {
        last_used_date: last.as_ref().map(|last| last.at),
        region: last.map(|last| last.region.to_string()),
    })
}

pub(crate) async fn list_roles(cx: &mut Cx<'_>, input: ListRolesInput) -> Result<ListRolesOutput, Refusal> {
    let account = cx.caller.account();
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    authorize(cx, "iam:ListRoles", &arn::<RoleRecord>(account, prefix, ""), &Particulars::default()).await?;
    let wanted = Wanted::new(&input.marker, input.max_items);
    let list = format!("ListRoles/{prefix}");
    let page =
        page::of_entities::<RoleRecord>(cx, &list, wanted, |role| role.path.starts_with(prefix)).await?;
    let mut roles = Vec::with_capacity(page.items.len());
    for role in &page.items {
        let trust = shown_trust(cx, role).await?;
        roles.push(shown::role(role, account, &trust, true));
    }
    Ok(ListRolesOutput { is_truncated: page.is_truncated(), roles, marker: page.marker })
}

/// The trust policy of a role as it is shown: who is gone is shown by his unique id.
pub(crate) async fn shown_trust(cx: &Cx<'_>, role: &RoleRecord) -> Result<String, Refusal> {
    let snapshot = cx.service.vault().snapshot().await?;
    let held = PolicyRecord { text: role.trust.clone(), bound: role.bound.clone() };
    Ok(cx.service.shown_policy(&*snapshot, held).await?)
}

pub(crate) async fn update_role(
    cx: &mut Cx<'_>,
    input: UpdateRoleInput,
) -> Result<UpdateRoleOutput, Refusal> {
    let name = &input.role_name;
    amend::<RoleRecord, ()>(cx, "iam:UpdateRole", name, &Particulars::default(), async |role| {
        // What is not given stays as it is.
        if input.description.is_some() {
            role.record.description.clone_from(&input.description);
        }
        if let Some(seconds) = input.max_session_duration {
            role.record.max_session_seconds = seconds;
        }
        Ok(())
    })
    .await?;
    Ok(UpdateRoleOutput {})
}

pub(crate) async fn update_role_description(
    cx: &mut Cx<'_>,
    input: UpdateRoleDescriptionInput,
) -> Result<UpdateRoleDescriptionOutput, Refusal> {
    let (account, name) = (cx.caller.account(), &input.role_name);
    let action = "iam:UpdateRoleDescription";
    let role = amend::<RoleRecord, RoleRecord>(cx, action, name, &Particulars::default(), async |role| {
        role.record.description = Some(input.description.clone());
        Ok(role.record.clone())
    })
    .await?;
    let trust = shown_trust(cx, &role).await?;
    Ok(UpdateRoleDescriptionOutput { role: shown::changed_role(&role, account, &trust) })
}

pub(crate) async fn update_assume_role_policy(
    cx: &mut Cx<'_>,
    input: UpdateAssumeRolePolicyInput,
) -> Result<(), Refusal> {
    let (action, name) = ("iam:UpdateAssumeRolePolicy", &input.role_name);
    change(cx, async |cx, snapshot| {
        let particulars = Particulars::default();
        let mut role = authorized::<RoleRecord>(cx, &**snapshot, action, name, &particulars).await?;
        let bound = policy_check::trust(cx, &**snapshot, &input.policy_document).await?;
        role.record.trust.clone_from(&input.policy_document);
        role.record.bound = Some(bound);
        let mut draft = Draft::new(cx.service.vault());
        draft.put(&role.path, Some(role.version), &role.record)?;
        Ok((draft, ()))
    })
    .await
}

pub(crate) async fn delete_role(cx: &mut Cx<'_>, input: DeleteRoleInput) -> Result<(), Refusal> {
    let name = &input.role_name;
    amend::<RoleRecord, ()>(cx, "iam:DeleteRole", name, &Particulars::default(), async |role| {
        let record = &role.record;
        for (is_held, what) in [
            (!record.attached.is_empty(), "detach all policies"),
            (!record.policies.is_empty(), "delete policies"),
        ] {
            if is_held {
                return Err(Refusal::conflict(format!("Cannot delete entity, must {what} first.")));
            }
        }
        if let Some(boundary) = &record.boundary {
            role.draft.unindex(&index_of(role.account, boundary, Holder::RoleBoundary, &record.name)?);
        }
        role.draft.unindex(&space::unique(&role.record.id)?);
        role.draft.unindex(&keyreeve_core::space::role_use(&role.record.id)?);
        role.delete = true;
        Ok(())
    })
    .await
}
