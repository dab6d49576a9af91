//! GetAccountAuthorizationDetails:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>.

use core::num::NonZeroUsize;

use keyreeve_core::Cx;
use keyreeve_core::identity::aws_managed::{AWS_MANAGED, AwsManagedPolicy};
use keyreeve_core::identity::record::{GroupRecord, ManagedPolicyRecord, RoleRecord, UserRecord};
use keyreeve_core::identity::space::index_name;
use keyreeve_domain::AccountId;
use keyreeve_wire::iam::{
    EntityType, GetAccountAuthorizationDetailsInput, GetAccountAuthorizationDetailsOutput, GroupDetail,
    ManagedPolicyDetail, PolicyVersion, RoleDetail, RoleLastUsed, UserDetail,
};

use crate::entity::Entity;
use crate::gate::{Particulars, authorize};
use crate::page::{self, Wanted};
use crate::policies::{Counts, aws_created, counts};
use crate::refusal::Refusal;
use crate::roles::{last_used, shown_trust};
use crate::shown;

/// An entity of an answer, before it is shown.
enum Found {
    Aws(&'static AwsManagedPolicy),
    Group(GroupRecord),
    Policy(ManagedPolicyRecord),
    Role(RoleRecord),
    User(UserRecord),
}

impl Found {
    fn arn(&self, account: AccountId) -> String {
        match self {
            Self::Aws(policy) => policy.arn(),
            Self::Group(group) => group.arn(account),
            Self::Policy(policy) => policy.arn(account),
            Self::Role(role) => role.arn(account),
            Self::User(user) => user.arn(account),
        }
    }
}

pub(crate) async fn get_account_authorization_details(
    cx: &mut Cx<'_>,
    input: GetAccountAuthorizationDetailsInput,
) -> Result<GetAccountAuthorizationDetailsOutput, Refusal> {
    authorize(cx, "iam:GetAccountAuthorizationDetails", "*", &Particulars::default()).await?;
    let account = cx.caller.account();
    let snapshot = cx.service.vault().snapshot().await?;
    let wants = |entity| input.filter.is_empty() || input.filter.contains(&entity);
    let mut found = Vec::new();
    if wants(EntityType::User) {
        found.extend(all::<UserRecord>(cx, &*snapshot).await?.into_iter().map(Found::User));
    }
    if wants(EntityType::Group) {
        found.extend(all::<GroupRecord>(cx, &*snapshot).await?.into_iter().map(Found::Group));
    }
    if wants(EntityType::Role) {
        found.extend(all::<RoleRecord>(cx, &*snapshot).await?.into_iter().map(Found::Role));
    }
    if wants(EntityType::LocalManagedPolicy) {
        found.extend(all::<ManagedPolicyRecord>(cx, &*snapshot).await?.into_iter().map(Found::Policy));
    }
    if wants(EntityType::AwsManagedPolicy) {
        found.extend(AWS_MANAGED.iter().map(Found::Aws));
    }
    let filter: Vec<_> = input.filter.iter().map(|entity| entity.as_str()).collect();
    let list = format!("GetAccountAuthorizationDetails/{}", filter.join(","));
    let wanted = Wanted::new(&input.marker, input.max_items);
    let page = page::of_items(cx, &list, wanted, found, |found| found.arn(account))?;
    let mut answer = GetAccountAuthorizationDetailsOutput {
        user_detail_list: Vec::new(),
        group_detail_list: Vec::new(),
        role_detail_list: Vec::new(),
        policies: Vec::new(),
        is_truncated: page.is_truncated(),
        marker: page.marker,
    };
    for found in page.items {
        match found {
            Found::Aws(policy) => {
                let counts = counts(&*snapshot, account, &index_name(&policy.arn())).await?;
                if counts.attachments > 0 || counts.boundaries > 0 {
                    answer.policies.push(aws_detail(policy, counts));
                }
            }
            Found::Group(group) => answer.group_detail_list.push(group_detail(&group, account)),
            Found::Policy(policy) => {
                let counts = counts(&*snapshot, account, &policy.name).await?;
                answer.policies.push(policy_detail(&policy, account, counts));
            }
            Found::Role(role) => {
                let trust = shown_trust(cx, &role).await?;
                let last_used = last_used(cx, &*snapshot, &role).await?;
                answer.role_detail_list.push(role_detail(&role, account, &trust, last_used));
            }
            Found::User(user) => {
                let mut groups = Vec::with_capacity(user.groups.len());
                for reference in &user.groups {
                    groups.push(cx.service.group_of_reference(&*snapshot, account, reference).await?.name);
                }
                answer.user_detail_list.push(user_detail(&user, account, groups));
            }
        }
    }
    Ok(answer)
}

async fn all<E: Entity>(cx: &Cx<'_>, snapshot: &dyn keyreeve_store::Snapshot) -> Result<Vec<E>, Refusal> {
    let prefix = E::prefix(cx.caller.account());
    let (entries, _) = cx.service.vault().range::<E>(snapshot, &prefix, None, NonZeroUsize::MAX).await?;
    Ok(entries.into_iter().map(|(_, entity)| entity).collect())
}

fn user_detail(user: &UserRecord, account: AccountId, groups: Vec<String>) -> UserDetail {
    UserDetail {
        path: user.path.clone(),
        user_name: user.name.clone(),
        user_id: user.id.clone(),
        arn: user.arn(account),
        create_date: user.created,
        // AWS leaves out an empty list here, where those of groups and roles are there.
        user_policy_list: (!user.policies.is_empty())
            .then(|| user.policies.iter().map(shown::inline).collect()),
        group_list: groups,
        attached_managed_policies: user.attached.iter().map(|arn| shown::attached(arn)).collect(),
        permissions_boundary: user.boundary.as_deref().map(shown::boundary),
        tags: shown::tags(&user.tags),
    }
}

fn group_detail(group: &GroupRecord, account: AccountId) -> GroupDetail {
    GroupDetail {
        path: group.path.clone(),
        group_name: group.name.clone(),
        group_id: group.id.clone(),
        arn: group.arn(account),
        create_date: group.created,
        group_policy_list: group.policies.iter().map(shown::inline).collect(),
        attached_managed_policies: group.attached.iter().map(|arn| shown::attached(arn)).collect(),
    }
}

fn role_detail(role: &RoleRecord, account: AccountId, trust: &str, last_used: RoleLastUsed) -> RoleDetail {
    RoleDetail {
        path: role.path.clone(),
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        arn: role.arn(account),
        create_date: role.created,
        assume_role_policy_document: shown::document(trust),
        instance_profile_list: Vec::new(),
        role_policy_list: role.policies.iter().map(shown::inline).collect(),
        attached_managed_policies: role.attached.iter().map(|arn| shown::attached(arn)).collect(),
        permissions_boundary: role.boundary.as_deref().map(shown::boundary),
        tags: shown::tags(&role.tags),
        role_last_used: Some(last_used),
    }
}

fn policy_detail(policy: &ManagedPolicyRecord, account: AccountId, counts: Counts) -> ManagedPolicyDetail {
    let versions = policy.versions.iter().rev();
    ManagedPolicyDetail {
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
        policy_version_list: versions.map(|version| shown::version(policy, version, true)).collect(),
    }
}

fn aws_detail(policy: &AwsManagedPolicy, counts: Counts) -> ManagedPolicyDetail {
    ManagedPolicyDetail {
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
        policy_version_list: vec![PolicyVersion {
            document: Some(shown::document(policy.text)),
            version_id: shown::version_id(1),
            is_default_version: true,
            create_date: aws_created(),
        }],
    }
}
