//! Permissions boundaries: Put and Delete of
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{ManagedPolicyRecord, RoleRecord, UserRecord};
use keyreeve_core::identity::space::{self, Holder};
use keyreeve_store::Snapshot;
use keyreeve_wire::iam::{
    DeleteRolePermissionsBoundaryInput, DeleteUserPermissionsBoundaryInput, PutRolePermissionsBoundaryInput,
    PutUserPermissionsBoundaryInput,
};

use crate::amend::amend;
use crate::arn::{self, PolicyRef};
use crate::attached_policies::index_of;
use crate::entity::{Bounded, Entity};
use crate::gate::Particulars;
use crate::refusal::Refusal;

fn missing(arn: &str) -> Refusal {
    Refusal::missing(format!("Scope ARN: {arn} does not exist or is not attachable."))
}

/// Notes in `draft` that `holder`, which is new, is bounded by the policy `policy_arn`.
pub(crate) async fn hold(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    draft: &mut Draft<'_>,
    policy_arn: &str,
    kind: Holder,
    holder: &str,
) -> Result<(), Refusal> {
    let account = cx.caller.account();
    match arn::policy(cx, policy_arn)? {
        PolicyRef::Aws(_) => {}
        PolicyRef::Unknown => return Err(missing(policy_arn)),
        PolicyRef::Own(name) => {
            let path = space::policy(account, name)?;
            let read = cx.service.vault().read::<ManagedPolicyRecord>(snapshot, &path).await?;
            let read = read.filter(|read| read.record.arn(account) == policy_arn);
            let read = read.ok_or_else(|| missing(policy_arn))?;
            // ORDER: who deletes the policy at the same time must see that it bounds somebody.
            draft.put(&path, Some(read.version), &read.record)?;
        }
    }
    Ok(draft.index(&index_of(account, policy_arn, kind, holder)?)?)
}

async fn put<E: Bounded>(
    cx: &mut Cx<'_>,
    action: &'static str,
    holder: &str,
    policy_arn: &str,
) -> Result<(), Refusal> {
    let policy = arn::policy(cx, policy_arn)?;
    let particulars = Particulars { boundary: Some(policy_arn), ..Particulars::default() };
    amend::<E, ()>(cx, action, holder, &particulars, async |entity| {
        if entity.record.boundary() == Some(policy_arn) {
            return Ok(());
        }
        match policy {
            PolicyRef::Aws(_) => {}
            PolicyRef::Unknown => return Err(missing(policy_arn)),
            PolicyRef::Own(name) => {
                let path = space::policy(entity.account, name)?;
                let read = entity.read::<ManagedPolicyRecord>(&path).await?;
                let read = read.filter(|read| read.record.arn(entity.account) == policy_arn);
                entity.touch(&path, &read.ok_or_else(|| missing(policy_arn))?)?;
            }
        }
        let name = entity.record.name().to_owned();
        if let Some(before) = entity.record.boundary_mut().replace(policy_arn.to_owned()) {
            entity.draft.unindex(&index_of(entity.account, &before, E::BOUNDARY, &name)?);
        }
        Ok(entity.draft.index(&index_of(entity.account, policy_arn, E::BOUNDARY, &name)?)?)
    })
    .await
}

async fn delete<E: Bounded>(cx: &mut Cx<'_>, action: &'static str, holder: &str) -> Result<(), Refusal> {
    amend::<E, ()>(cx, action, holder, &Particulars::default(), async |entity| {
        let name = entity.record.name().to_owned();
        let Some(before) = entity.record.boundary_mut().take() else {
            // AWS: unverified
            return Err(Refusal::missing(format!(
                "The {} with name {name} has no permissions boundary.",
                E::NOUN
            )));
        };
        entity.draft.unindex(&index_of(entity.account, &before, E::BOUNDARY, &name)?);
        Ok(())
    })
    .await
}

pub(crate) async fn put_user_permissions_boundary(
    cx: &mut Cx<'_>,
    input: PutUserPermissionsBoundaryInput,
) -> Result<(), Refusal> {
    let arn = &input.permissions_boundary;
    put::<UserRecord>(cx, "iam:PutUserPermissionsBoundary", &input.user_name, arn).await
}

pub(crate) async fn put_role_permissions_boundary(
    cx: &mut Cx<'_>,
    input: PutRolePermissionsBoundaryInput,
) -> Result<(), Refusal> {
    let arn = &input.permissions_boundary;
    put::<RoleRecord>(cx, "iam:PutRolePermissionsBoundary", &input.role_name, arn).await
}

pub(crate) async fn delete_user_permissions_boundary(
    cx: &mut Cx<'_>,
    input: DeleteUserPermissionsBoundaryInput,
) -> Result<(), Refusal> {
    delete::<UserRecord>(cx, "iam:DeleteUserPermissionsBoundary", &input.user_name).await
}

pub(crate) async fn delete_role_permissions_boundary(
    cx: &mut Cx<'_>,
    input: DeleteRolePermissionsBoundaryInput,
) -> Result<(), Refusal> {
    delete::<RoleRecord>(cx, "iam:DeleteRolePermissionsBoundary", &input.role_name).await
}
