//! CreatePolicy, GetPolicy, ListPolicies, DeletePolicy, ListEntitiesForPolicy:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html> and those beside it.

use core::num::NonZeroUsize;

use keyreeve_core::Cx;
use keyreeve_core::commit::Draft;
use keyreeve_core::identity::aws_managed::{AWS_MANAGED, AwsManagedPolicy};
use keyreeve_core::identity::record::{
    GroupRecord, ManagedPolicyRecord, PolicyVersion, RoleRecord, UserRecord,
};
use keyreeve_core::identity::space::{self, Holder, index_name};
use keyreeve_core::record::IndexRecord;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_store::Snapshot;
use keyreeve_wire::iam::{
    CreatePolicyInput, CreatePolicyOutput, DeletePolicyInput, EntityType, GetPolicyInput, GetPolicyOutput,
    ListEntitiesForPolicyInput, ListEntitiesForPolicyOutput, ListPoliciesInput, ListPoliciesOutput, Policy,
    PolicyGroup, PolicyRole, PolicyScope, PolicyUsage, PolicyUser,
};

use crate::amend::{amend, authorized, authorized_if_any, change, find, quota, room};
use crate::arn::{self, PolicyRef};
use crate::entity::{Entity, Target, arn as arn_of};
use crate::gate::{Particulars, authorize, authorize_new};
use crate::ids::{IdKind, unique_id};
use crate::page::{self, Wanted};
use crate::refusal::Refusal;
use crate::{policy_check, shown, tag_check};

/// When the policies of AWS were made, as far as anybody asks.
pub(crate) fn aws_created() -> Timestamp {
    Timestamp::from_millis(1_423_198_800_000)
}

pub(crate) async fn create_policy(
    cx: &mut Cx<'_>,
    input: CreatePolicyInput,
) -> Result<CreatePolicyOutput, Refusal> {
    let (account, name) = (cx.caller.account(), &input.policy_name);
    let path = input.path.as_deref().unwrap_or("/");
    let tags = tag_check::records::<ManagedPolicyRecord>(&input.tags)?;
    let particulars = Particulars { request_tags: &tags, ..Particulars::default() };
    authorize_new(
        cx,
        "iam:CreatePolicy",
        "iam:TagPolicy",
        &arn_of::<ManagedPolicyRecord>(account, path, name),
        &particulars,
    )
    .await?;
    policy_check::managed(&input.policy_document)?;
    let id = unique_id(cx.service, IdKind::Policy)?;
    let policy = change(cx, async |cx, snapshot| {
        if find::<ManagedPolicyRecord>(cx, &**snapshot, name).await?.is_some() {
            return Err(Refusal::exists(format!(
                "A policy called {name} already exists. Duplicate names are not allowed."
            )));
        }
        room::<ManagedPolicyRecord>(cx, &**snapshot, quota::POLICIES).await?;
        let first = PolicyVersion { number: 1, text: input.policy_document.clone(), created: cx.now };
        let mut policy = ManagedPolicyRecord {
            id: id.clone(),
            name: name.clone(),
            path: path.to_owned(),
            created: cx.now,
            updated: cx.now,
            description: input.description.clone(),
            versions: vec![first],
            default: 1,
            next: 2,
            tags: Vec::new(),
        };
        tag_check::put(&mut policy, &tags)?;
        let mut draft = Draft::new(cx.service.vault());
        draft.put(&space::policy(account, name)?, None, &policy)?;
        Ok((draft, policy))
    })
    .await?;
    let mut answer = own(&policy, account, Counts::default());
    answer.description = None;
    answer.tags = shown::some_tags(&policy.tags);
    Ok(CreatePolicyOutput { policy: answer })
}

/// How many hold a policy.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) attachments: u32,
    pub(crate) boundaries: u32,
}

/// How many hold the policy that the index has under this name.
pub(crate) async fn counts(
    snapshot: &dyn Snapshot,
    account: AccountId,
    name: &str,
) -> Result<Counts, Refusal> {
    let mut counts = Counts::default();
    for (kind, is_boundary) in [
        (Holder::Group, false),
        (Holder::Role, false),
        (Holder::User, false),
        (Holder::RoleBoundary, true),
        (Holder::UserBoundary, true),
    ] {
        let prefix = space::holders_of_kind_prefix(account, name, kind);
        let count = snapshot.count(&prefix).await.map_err(VaultError::from)?;
        let total = if is_boundary { &mut counts.boundaries } else { &mut counts.attachments };
        *total = total.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }
    Ok(counts)
}

/// A policy of an account, as answers show it.
fn own(policy: &ManagedPolicyRecord, account: AccountId, counts: Counts) -> Policy {
    Policy {
        policy_name: policy.name.clone(),
        policy_id: policy.id.clone(),
        arn: policy.arn(account),
        path: policy.path.clone(),
        default_version_id: shown::version_id(policy.default),
        attachment_count: counts.attachments,
        permissions_boundary_usage_count: counts.boundaries,
        is_attachable: true,
        description: policy.description.clone(),
        create_date: policy.created,
        update_date: policy.updated,
        tags: Some(shown::tags(&policy.tags)),
    }
}

/// A policy of AWS, as answers show it.
fn aws(policy: &AwsManagedPolicy, counts: Counts) -> Policy {
    Policy {
        policy_name: policy.name.to_owned(),
        policy_id: policy.id.to_owned(),
        arn: policy.arn(),
        path: policy.path.to_owned(),
        default_version_id: shown::version_id(1),
        attachment_count: counts.attachments,
        permissions_boundary_usage_count: counts.boundaries,
        is_attachable: true,
        description: Some(policy.description.to_owned()),
        create_date: aws_created(),
        update_date: aws_created(),
        tags: Some(Vec::new()),
    }
}

pub(crate) async fn get_policy(cx: &mut Cx<'_>, input: GetPolicyInput) -> Result<GetPolicyOutput, Refusal> {
    let (account, arn) = (cx.caller.account(), input.policy_arn.as_str());
    let snapshot = cx.service.vault().snapshot().await?;
    let particulars = Particulars::default();
    let action = "iam:GetPolicy";
    let policy = match arn::policy(cx, arn)? {
        PolicyRef::Aws(policy) => {
            authorize(cx, action, arn, &particulars).await?;
            aws(policy, counts(&*snapshot, account, &index_name(arn)).await?)
        }
        PolicyRef::Own(name) => {
            let target = Target { name, arn: Some(arn) };
            let found =
                authorized::<ManagedPolicyRecord>(cx, &*snapshot, action, target, &particulars).await?;
            own(&found.record, account, counts(&*snapshot, account, name).await?)
        }
        PolicyRef::Unknown => {
            authorize(cx, action, arn, &particulars).await?;
            return Err(arn::no_policy(arn));
        }
    };
    Ok(GetPolicyOutput { policy })
}

pub(crate) async fn list_policies(
    cx: &mut Cx<'_>,
    input: ListPoliciesInput,
) -> Result<ListPoliciesOutput, Refusal> {
    let account = cx.caller.account();
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let resource = arn_of::<ManagedPolicyRecord>(account, prefix, "");
    authorize(cx, "iam:ListPolicies", &resource, &Particulars::default()).await?;
    let scope = input.scope.unwrap_or(PolicyScope::All);
    let snapshot = cx.service.vault().snapshot().await?;
    let mut found = Vec::new();
    if scope != PolicyScope::Aws {
        let vault = cx.service.vault();
        let all = space::policies_prefix(account);
        let (entries, _) = vault.range::<ManagedPolicyRecord>(&*snapshot, &all, None, POLICIES_MOST).await?;
        for (_, policy) in entries.iter().filter(|(_, policy)| policy.path.starts_with(prefix)) {
            found.push(own(policy, account, counts(&*snapshot, account, &policy.name).await?));
        }
    }
    if scope != PolicyScope::Local {
        for policy in AWS_MANAGED.iter().filter(|policy| policy.path.starts_with(prefix)) {
            found.push(aws(policy, counts(&*snapshot, account, &index_name(&policy.arn())).await?));
        }
    }
    found.retain(|policy| {
        let (attached, bounds) = (policy.attachment_count > 0, policy.permissions_boundary_usage_count > 0);
        !input.only_attached
            || match input.policy_usage_filter {
                None => attached || bounds,
                Some(PolicyUsage::PermissionsPolicy) => attached,
                Some(PolicyUsage::PermissionsBoundary) => bounds,
            }
    });
    let list = format!("ListPolicies/{prefix}/{}/{}", scope.as_str(), input.only_attached);
    let wanted = Wanted::new(&input.marker, input.max_items);
    let mut page = page::of_items(cx, &list, wanted, found, |policy| policy.arn.clone())?;
    for policy in &mut page.items {
        (policy.description, policy.tags) = (None, None);
    }
    let is_truncated = page.is_truncated();
    Ok(ListPoliciesOutput { policies: page.items, is_truncated, marker: page.marker })
}

/// The most policies of an account that are listed.
const POLICIES_MOST: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

pub(crate) async fn delete_policy(cx: &mut Cx<'_>, input: DeletePolicyInput) -> Result<(), Refusal> {
    let action = "iam:DeletePolicy";
    let target = arn::own_policy(cx, action, &input.policy_arn)?;
    amend::<ManagedPolicyRecord, ()>(cx, action, target, &Particulars::default(), async |policy| {
        let held = counts(&*policy.snapshot, policy.account, &policy.record.name).await?;
        if held.attachments > 0 || held.boundaries > 0 {
            return Err(Refusal::conflict("Cannot delete a policy attached to entities."));
        }
        if policy.record.versions.len() > 1 {
            return Err(Refusal::conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
                 The default version is deleted with the policy.",
            ));
        }
        policy.delete = true;
        Ok(())
    })
    .await
}

/// Who holds a policy.
enum Held {
    Group(PolicyGroup),
    Role(PolicyRole),
    User(PolicyUser),
}

pub(crate) async fn list_entities_for_policy(
    cx: &mut Cx<'_>,
    input: ListEntitiesForPolicyInput,
) -> Result<ListEntitiesForPolicyOutput, Refusal> {
    let (account, arn) = (cx.caller.account(), input.policy_arn.as_str());
    let snapshot = cx.service.vault().snapshot().await?;
    let action = "iam:ListEntitiesForPolicy";
    match arn::policy(cx, arn)? {
        PolicyRef::Aws(_) => authorize(cx, action, arn, &Particulars::default()).await?,
        PolicyRef::Own(name) => {
            let target = Target { name, arn: Some(arn) };
            let particulars = Particulars::default();
            authorized_if_any::<ManagedPolicyRecord>(cx, &*snapshot, action, target, &particulars)
                .await?
                .ok_or_else(|| arn::not_attachable(arn))?;
        }
        PolicyRef::Unknown => return Err(arn::not_attachable(arn)),
    }
    let name = index_name(arn);
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let as_permissions = input.policy_usage_filter != Some(PolicyUsage::PermissionsBoundary);
    let as_boundary = input.policy_usage_filter != Some(PolicyUsage::PermissionsPolicy);
    let mut found = Vec::new();
    for (kind, entity, is_wanted) in [
        (Holder::Group, EntityType::Group, as_permissions),
        (Holder::Role, EntityType::Role, as_permissions),
        (Holder::RoleBoundary, EntityType::Role, as_boundary),
        (Holder::User, EntityType::User, as_permissions),
        (Holder::UserBoundary, EntityType::User, as_boundary),
    ] {
        if is_wanted && input.entity_filter.is_none_or(|filter| filter == entity) {
            let holders = space::holders_of_kind_prefix(account, &name, kind);
            let vault = cx.service.vault();
            let (entries, _) = vault.range::<IndexRecord>(&*snapshot, &holders, None, HOLDERS_MOST).await?;
            let names =
                entries.iter().filter_map(|(path, _)| keyreeve_core::space::last_part(&holders, path));
            found.extend(names.map(|name| (entity, name.to_owned())));
        }
    }
    found.sort_by(|one, other| (one.0.as_str(), &one.1).cmp(&(other.0.as_str(), &other.1)));
    found.dedup();
    let list = format!("ListEntitiesForPolicy/{arn}/{prefix}");
    let key = |(entity, name): &(EntityType, String)| format!("{}/{name}", entity.as_str());
    let page = page::of_items(cx, &list, Wanted::new(&input.marker, input.max_items), found, key)?;
    let mut answer = ListEntitiesForPolicyOutput {
        policy_groups: Vec::new(),
        policy_users: Vec::new(),
        policy_roles: Vec::new(),
        is_truncated: page.is_truncated(),
        marker: page.marker,
    };
    for (entity, name) in &page.items {
        match held(cx, &*snapshot, *entity, name, prefix).await? {
            Some(Held::Group(group)) => answer.policy_groups.push(group),
            Some(Held::Role(role)) => answer.policy_roles.push(role),
            Some(Held::User(user)) => answer.policy_users.push(user),
            None => {}
        }
    }
    Ok(answer)
}

/// The most holders of a policy that are listed.
const HOLDERS_MOST: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

async fn held(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    entity: EntityType,
    name: &str,
    prefix: &str,
) -> Result<Option<Held>, Refusal> {
    Ok(match entity {
        EntityType::Group => {
            let found = find::<GroupRecord>(cx, snapshot, name).await?.map(|seen| seen.record);
            let found = found.filter(|group| group.path.starts_with(prefix));
            found.map(|GroupRecord { name: group_name, id: group_id, .. }| {
                Held::Group(PolicyGroup { group_name, group_id })
            })
        }
        EntityType::Role => {
            let found = find::<RoleRecord>(cx, snapshot, name).await?.map(|seen| seen.record);
            let found = found.filter(|role| role.path.starts_with(prefix));
            found.map(|RoleRecord { name: role_name, id: role_id, .. }| {
                Held::Role(PolicyRole { role_name, role_id })
            })
        }
        EntityType::User => {
            let found = find::<UserRecord>(cx, snapshot, name).await?.map(|seen| seen.record);
            let found = found.filter(|user| user.path.starts_with(prefix));
            found.map(|UserRecord { name: user_name, id: user_id, .. }| {
                Held::User(PolicyUser { user_name, user_id })
            })
        }
        EntityType::AwsManagedPolicy | EntityType::LocalManagedPolicy => None,
    })
}
