//! Managed policies on users, groups and roles: Attach, Detach and ListAttached of
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::identity::record::{GroupRecord, ManagedPolicyRecord, RoleRecord, UserRecord};
use keyreeve_core::identity::space::{self, Holder};
use keyreeve_core::space::SpaceError;
use keyreeve_domain::AccountId;
use keyreeve_store::Path;
use keyreeve_wire::iam::{
    AttachGroupPolicyInput, AttachRolePolicyInput, AttachUserPolicyInput, AttachedPolicy,
    DetachGroupPolicyInput, DetachRolePolicyInput, DetachUserPolicyInput, ListAttachedGroupPoliciesInput,
    ListAttachedGroupPoliciesOutput, ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput,
    ListAttachedUserPoliciesInput, ListAttachedUserPoliciesOutput,
};

use crate::amend::{Amendment, amend, read};
use crate::arn::{self, PolicyRef};
use crate::entity::{Entity, PolicyHolder};
use crate::gate::Particulars;
use crate::page::{self, Page, Wanted};
use crate::refusal::Refusal;
use crate::shown;

/// The managed policies that may be attached to one user, group or role.
pub(crate) const ATTACHED_MOST: usize = 10;

/// The index entry of one holder of the policy with this ARN.
pub(crate) fn index_of(
    account: AccountId,
    arn: &str,
    kind: Holder,
    holder: &str,
) -> Result<Path, SpaceError> {
    space::attached(account, &space::index_name(arn), kind, holder)
}

/// Moves the index entries of what is attached to the name that a holder gets.
pub(crate) fn rename<E: PolicyHolder>(
    entity: &mut Amendment<'_, E>,
    old: &str,
    new: &str,
) -> Result<(), Refusal> {
    for arn in entity.record.attached().to_vec() {
        entity.draft.unindex(&index_of(entity.account, &arn, E::HOLDER, old)?);
        entity.draft.index(&index_of(entity.account, &arn, E::HOLDER, new)?)?;
    }
    Ok(())
}

async fn attach<E: PolicyHolder>(
    cx: &mut Cx<'_>,
    action: &'static str,
    holder: &str,
    policy_arn: &str,
) -> Result<(), Refusal> {
    let policy = arn::policy(cx, policy_arn).map_err(Refusal::into_validation)?;
    let particulars = Particulars { policy_arn: Some(policy_arn), ..Particulars::default() };
    amend::<E, ()>(cx, action, holder, &particulars, async |entity| {
        if entity.record.attached().iter().any(|held| held == policy_arn) {
            return Ok(());
        }
        let missing = || arn::not_attachable(policy_arn);
        match policy {
            PolicyRef::Aws(_) => {}
            PolicyRef::Unknown => return Err(missing()),
            PolicyRef::Own(name) => {
                let path = space::policy(entity.account, name)?;
                let read = entity.read::<ManagedPolicyRecord>(&path).await?;
                let read = read.filter(|read| read.record.arn(entity.account) == policy_arn);
                // ORDER: who deletes the policy at the same time must see that it is attached.
                entity.touch(&path, &read.ok_or_else(missing)?)?;
            }
        }
        if entity.record.attached().len() >= ATTACHED_MOST {
            return Err(Refusal::quota(format!("Cannot exceed quota for {}: {ATTACHED_MOST}", E::QUOTA)));
        }
        entity.record.attached_mut().push(policy_arn.to_owned());
        let index = index_of(entity.account, policy_arn, E::HOLDER, entity.record.name())?;
        Ok(entity.draft.index(&index)?)
    })
    .await
}

async fn detach<E: PolicyHolder>(
    cx: &mut Cx<'_>,
    action: &'static str,
    holder: &str,
    policy_arn: &str,
) -> Result<(), Refusal> {
    arn::policy(cx, policy_arn).map_err(Refusal::into_validation)?;
    let particulars = Particulars { policy_arn: Some(policy_arn), ..Particulars::default() };
    amend::<E, ()>(cx, action, holder, &particulars, async |entity| {
        let before = entity.record.attached().len();
        entity.record.attached_mut().retain(|held| held != policy_arn);
        if entity.record.attached().len() == before {
            return Err(arn::no_policy(policy_arn));
        }
        let index = index_of(entity.account, policy_arn, E::HOLDER, entity.record.name())?;
        entity.draft.unindex(&index);
        Ok(())
    })
    .await
}

async fn list<E: PolicyHolder>(
    cx: &mut Cx<'_>,
    action: &'static str,
    holder: &str,
    path_prefix: Option<&str>,
    wanted: Wanted<'_>,
) -> Result<Page<AttachedPolicy>, Refusal> {
    let entity = read::<E>(cx, action, holder).await?;
    let prefix = path_prefix.unwrap_or("/");
    let has_prefix = |arn: &str| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(prefix));
    let arns: Vec<_> = entity.attached().iter().filter(|arn| has_prefix(arn)).cloned().collect();
    let list = format!("{action}/{}/{prefix}", entity.name());
    let page = page::of_items(cx, &list, wanted, arns, |arn| shown::policy_name(arn).to_owned() + arn)?;
    let items = page.items.iter().map(|arn| shown::attached(arn)).collect();
    Ok(Page { items, marker: page.marker })
}

macro_rules! attached_policies {
    ($record:ident, $holder:ident, $attach:ident $attach_input:ident $attach_action:literal,
     $detach:ident $detach_input:ident $detach_action:literal,
     $list:ident $list_input:ident $list_output:ident $list_action:literal) => {
        pub(crate) async fn $attach(cx: &mut Cx<'_>, input: $attach_input) -> Result<(), Refusal> {
            attach::<$record>(cx, $attach_action, &input.$holder, &input.policy_arn).await
        }

        pub(crate) async fn $detach(cx: &mut Cx<'_>, input: $detach_input) -> Result<(), Refusal> {
            detach::<$record>(cx, $detach_action, &input.$holder, &input.policy_arn).await
        }

        pub(crate) async fn $list(cx: &mut Cx<'_>, input: $list_input) -> Result<$list_output, Refusal> {
            let wanted = Wanted::new(&input.marker, input.max_items);
            let prefix = input.path_prefix.as_deref();
            let page = list::<$record>(cx, $list_action, &input.$holder, prefix, wanted).await?;
            let is_truncated = page.is_truncated();
            Ok($list_output { attached_policies: page.items, is_truncated, marker: page.marker })
        }
    };
}

attached_policies! {
    UserRecord, user_name, attach_user_policy AttachUserPolicyInput "iam:AttachUserPolicy",
    detach_user_policy DetachUserPolicyInput "iam:DetachUserPolicy",
    list_attached_user_policies ListAttachedUserPoliciesInput ListAttachedUserPoliciesOutput "iam:ListAttachedUserPolicies"
}

attached_policies! {
    GroupRecord, group_name, attach_group_policy AttachGroupPolicyInput "iam:AttachGroupPolicy",
    detach_group_policy DetachGroupPolicyInput "iam:DetachGroupPolicy",
    list_attached_group_policies ListAttachedGroupPoliciesInput ListAttachedGroupPoliciesOutput "iam:ListAttachedGroupPolicies"
}

attached_policies! {
    RoleRecord, role_name, attach_role_policy AttachRolePolicyInput "iam:AttachRolePolicy",
    detach_role_policy DetachRolePolicyInput "iam:DetachRolePolicy",
    list_attached_role_policies ListAttachedRolePoliciesInput ListAttachedRolePoliciesOutput "iam:ListAttachedRolePolicies"
}
