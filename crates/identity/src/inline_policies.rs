//! The policies that belong to one user, group or role: Put, Get, Delete and List of
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::identity::record::{GroupRecord, InlinePolicy, RoleRecord, UserRecord};
use keyreeve_wire::iam::{
    DeleteGroupPolicyInput, DeleteRolePolicyInput, DeleteUserPolicyInput, GetGroupPolicyInput,
    GetGroupPolicyOutput, GetRolePolicyInput, GetRolePolicyOutput, GetUserPolicyInput, GetUserPolicyOutput,
    ListGroupPoliciesInput, ListGroupPoliciesOutput, ListRolePoliciesInput, ListRolePoliciesOutput,
    ListUserPoliciesInput, ListUserPoliciesOutput, PutGroupPolicyInput, PutRolePolicyInput,
    PutUserPolicyInput,
};

use crate::amend::{amend, read};
use crate::entity::{PolicyHolder, same_name};
use crate::gate::Particulars;
use crate::page::{self, Page, Wanted};
use crate::refusal::Refusal;
use crate::{policy_check, shown};

async fn put<E: PolicyHolder>(
    cx: &mut Cx<'_>,
    action: &'static str,
    holder: &str,
    policy: InlinePolicy,
) -> Result<(), Refusal> {
    amend::<E, ()>(cx, action, holder, &Particulars::default(), async |entity| {
        policy_check::identity(&policy.text)?;
        let policies = entity.record.policies_mut();
        match policies.iter_mut().find(|held| same_name(&held.name, &policy.name)) {
            Some(held) => held.text.clone_from(&policy.text),
            None => policies.push(policy.clone()),
        }
        policies.sort_by(|one, other| one.name.cmp(&other.name));
        policy_check::inline(&entity.record)
    })
    .await
}

async fn get<E: PolicyHolder>(
    cx: &mut Cx<'_>,
    action: &'static str,
    holder: &str,
    name: &str,
) -> Result<(String, InlinePolicy), Refusal> {
    let entity = read::<E>(cx, action, holder).await?;
    let found = entity.policies().iter().find(|held| same_name(&held.name, name));
    let policy = found.cloned().ok_or_else(|| missing::<E>(name))?;
    Ok((entity.name().to_owned(), policy))
}

async fn delete<E: PolicyHolder>(
    cx: &mut Cx<'_>,
    action: &'static str,
    holder: &str,
    name: &str,
) -> Result<(), Refusal> {
    amend::<E, ()>(cx, action, holder, &Particulars::default(), async |entity| {
        let before = entity.record.policies().len();
        entity.record.policies_mut().retain(|held| !same_name(&held.name, name));
        if entity.record.policies().len() == before { Err(missing::<E>(name)) } else { Ok(()) }
    })
    .await
}

async fn list<E: PolicyHolder>(
    cx: &mut Cx<'_>,
    action: &'static str,
    holder: &str,
    wanted: Wanted<'_>,
) -> Result<Page<String>, Refusal> {
    let entity = read::<E>(cx, action, holder).await?;
    let names = entity.policies().iter().map(|policy| policy.name.clone()).collect();
    page::of_items(cx, &format!("{action}/{}", entity.name()), wanted, names, String::clone)
}

fn missing<E: PolicyHolder>(name: &str) -> Refusal {
    Refusal::missing(format!("The {} policy with name {name} cannot be found.", E::NOUN))
}

macro_rules! inline_policies {
    ($record:ident, $holder:ident, $put:ident $put_input:ident $put_action:literal,
     $get:ident $get_input:ident $get_output:ident $get_action:literal,
     $delete:ident $delete_input:ident $delete_action:literal,
     $list:ident $list_input:ident $list_output:ident $list_action:literal) => {
        pub(crate) async fn $put(cx: &mut Cx<'_>, input: $put_input) -> Result<(), Refusal> {
            let policy = InlinePolicy { name: input.policy_name, text: input.policy_document };
            put::<$record>(cx, $put_action, &input.$holder, policy).await
        }

        pub(crate) async fn $get(cx: &mut Cx<'_>, input: $get_input) -> Result<$get_output, Refusal> {
            let (holder, policy) =
                get::<$record>(cx, $get_action, &input.$holder, &input.policy_name).await?;
            let policy_document = shown::document(&policy.text);
            // Its name as it was asked for, by recorded answers of AWS: ListUserPolicies and its like tell how it was given.
            Ok($get_output { $holder: holder, policy_name: input.policy_name, policy_document })
        }

        pub(crate) async fn $delete(cx: &mut Cx<'_>, input: $delete_input) -> Result<(), Refusal> {
            delete::<$record>(cx, $delete_action, &input.$holder, &input.policy_name).await
        }

        pub(crate) async fn $list(cx: &mut Cx<'_>, input: $list_input) -> Result<$list_output, Refusal> {
            let wanted = Wanted::new(&input.marker, input.max_items);
            let page = list::<$record>(cx, $list_action, &input.$holder, wanted).await?;
            let is_truncated = page.is_truncated();
            Ok($list_output { policy_names: page.items, is_truncated, marker: page.marker })
        }
    };
}

inline_policies! {
    UserRecord, user_name, put_user_policy PutUserPolicyInput "iam:PutUserPolicy",
    get_user_policy GetUserPolicyInput GetUserPolicyOutput "iam:GetUserPolicy",
    delete_user_policy DeleteUserPolicyInput "iam:DeleteUserPolicy",
    list_user_policies ListUserPoliciesInput ListUserPoliciesOutput "iam:ListUserPolicies"
}

inline_policies! {
    GroupRecord, group_name, put_group_policy PutGroupPolicyInput "iam:PutGroupPolicy",
    get_group_policy GetGroupPolicyInput GetGroupPolicyOutput "iam:GetGroupPolicy",
    delete_group_policy DeleteGroupPolicyInput "iam:DeleteGroupPolicy",
    list_group_policies ListGroupPoliciesInput ListGroupPoliciesOutput "iam:ListGroupPolicies"
}

inline_policies! {
    RoleRecord, role_name, put_role_policy PutRolePolicyInput "iam:PutRolePolicy",
    get_role_policy GetRolePolicyInput GetRolePolicyOutput "iam:GetRolePolicy",
    delete_role_policy DeleteRolePolicyInput "iam:DeleteRolePolicy",
    list_role_policies ListRolePoliciesInput ListRolePoliciesOutput "iam:ListRolePolicies"
}
