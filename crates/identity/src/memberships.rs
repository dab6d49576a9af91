//! AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{GroupRecord, UserRecord};
use keyreeve_core::identity::space;
use keyreeve_store::Snapshot;
use keyreeve_wire::iam::{
    AddUserToGroupInput, ListGroupsForUserInput, ListGroupsForUserOutput, RemoveUserFromGroupInput,
};

use crate::amend::{Seen, authorized, authorized_if_any, change, find};
use crate::entity::{Entity, Target, same_name};
use crate::gate::Particulars;
use crate::page::{self, Wanted};
use crate::refusal::Refusal;
use crate::shown;

/// The groups that a user may be in.
pub(crate) const GROUPS_MOST: usize = 10;

/// The group and the user of these names, if the caller may do `action` with the group. Where both are missing, the user is told of.
async fn both(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    action: &'static str,
    (group, user): (&String, &String),
) -> Result<(Seen<GroupRecord>, Seen<UserRecord>), Refusal> {
    let target = Target::from(group);
    let group =
        authorized_if_any::<GroupRecord>(cx, snapshot, action, target, &Particulars::default()).await?;
    let user = find::<UserRecord>(cx, snapshot, user)
        .await?
        .ok_or_else(|| UserRecord::missing(Target::from(user)))?;
    Ok((group.ok_or_else(|| GroupRecord::missing(target))?, user))
}

pub(crate) async fn add_user_to_group(cx: &mut Cx<'_>, input: AddUserToGroupInput) -> Result<(), Refusal> {
    let account = cx.caller.account();
    change(cx, async |cx, snapshot| {
        let names = (&input.group_name, &input.user_name);
        let (group, mut user) = both(cx, &**snapshot, "iam:AddUserToGroup", names).await?;
        let mut draft = Draft::new(cx.service.vault());
        let reference = group.record.reference();
        if user.record.groups.iter().any(|held| same_name(held, reference)) {
            return Ok((draft, ()));
        }
        if user.record.groups.len() >= GROUPS_MOST {
            return Err(Refusal::quota(format!("Cannot exceed quota for GroupsPerUser: {GROUPS_MOST}")));
        }
        user.record.groups.push(reference.to_owned());
        draft.put(&user.path, Some(user.version), &user.record)?;
        draft.index(&space::member(account, reference, &user.record.name)?)?;
        // ORDER: who deletes the group at the same time must see that it has a member.
        draft.put(&group.path, Some(group.version), &group.record)?;
        Ok((draft, ()))
    })
    .await
}

pub(crate) async fn remove_user_from_group(
    cx: &mut Cx<'_>,
    input: RemoveUserFromGroupInput,
) -> Result<(), Refusal> {
    let account = cx.caller.account();
    change(cx, async |cx, snapshot| {
        let names = (&input.group_name, &input.user_name);
        let (group, mut user) = both(cx, &**snapshot, "iam:RemoveUserFromGroup", names).await?;
        let before = user.record.groups.len();
        let reference = group.record.reference();
        user.record.groups.retain(|held| !same_name(held, reference));
        let mut draft = Draft::new(cx.service.vault());
        if user.record.groups.len() == before {
            return Ok((draft, ()));
        }
        draft.put(&user.path, Some(user.version), &user.record)?;
        draft.unindex(&space::member(account, reference, &user.record.name)?);
        Ok((draft, ()))
    })
    .await
}

pub(crate) async fn list_groups_for_user(
    cx: &mut Cx<'_>,
    input: ListGroupsForUserInput,
) -> Result<ListGroupsForUserOutput, Refusal> {
    let account = cx.caller.account();
    let snapshot = cx.service.vault().snapshot().await?;
    let particulars = Particulars::default();
    let action = "iam:ListGroupsForUser";
    let user = authorized::<UserRecord>(cx, &*snapshot, action, &input.user_name, &particulars).await?.record;
    let list = format!("ListGroupsForUser/{}", user.id);
    let wanted = Wanted::new(&input.marker, input.max_items);
    let mut groups = Vec::with_capacity(user.groups.len());
    for reference in &user.groups {
        groups.push(cx.service.group_of_reference(&*snapshot, account, reference).await?);
    }
    let page = page::of_items(cx, &list, wanted, groups, |group| group.name.to_ascii_lowercase())?;
    Ok(ListGroupsForUserOutput {
        is_truncated: page.is_truncated(),
        groups: page.items.iter().map(|group| shown::group(group, account)).collect(),
        marker: page.marker,
    })
}
