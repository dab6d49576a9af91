//! CreateGroup, GetGroup, ListGroups, UpdateGroup, DeleteGroup:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html> and those beside it.

use core::num::NonZeroUsize;

use keyreeve_core::Cx;
use keyreeve_core::commit::Draft;
use keyreeve_core::identity::membership::reference_of_id;
use keyreeve_core::identity::record::{GroupKeyRecord, GroupRecord, UserRecord};
use keyreeve_core::identity::space;
use keyreeve_core::record::IndexRecord;
use keyreeve_core::vault::VaultError;
use keyreeve_wire::iam::{
    CreateGroupInput, CreateGroupOutput, DeleteGroupInput, GetGroupInput, GetGroupOutput, ListGroupsInput,
    ListGroupsOutput, UpdateGroupInput,
};

use crate::amend::{Amendment, Moved, amend, amend_moving, authorized, change, find, quota, room};
use crate::entity::{arn, same_name};
use crate::gate::{Particulars, authorize};
use crate::ids::{IdKind, unique_id};
use crate::page::{self, Wanted};
use crate::refusal::Refusal;
use crate::{attached_policies, shown};

pub(crate) async fn create_group(
    cx: &mut Cx<'_>,
    input: CreateGroupInput,
) -> Result<CreateGroupOutput, Refusal> {
    let (account, name) = (cx.caller.account(), &input.group_name);
    let path = input.path.as_deref().unwrap_or("/");
    authorize(cx, "iam:CreateGroup", &arn::<GroupRecord>(account, path, name), &Particulars::default())
        .await?;
    let id = unique_id(cx.service, IdKind::Group)?;
    let group = change(cx, async |cx, snapshot| {
        if find::<GroupRecord>(cx, &**snapshot, name).await?.is_some() {
            return Err(Refusal::exists(format!("Group with name {name} already exists.")));
        }
        room::<GroupRecord>(cx, &**snapshot, quota::GROUPS).await?;
        let mut group = GroupRecord {
            id: id.clone(),
            name: name.clone(),
            path: path.to_owned(),
            created: cx.now,
            policies: Vec::new(),
            attached: Vec::new(),
            key: None,
        };
        let mut draft = Draft::new(cx.service.vault());
        let known_by = space::group_key(account, name)?;
        match snapshot.get(&known_by).await.map_err(VaultError::from)? {
            None => draft.require(&known_by, None),
            // The users of a group that was renamed still call it so.
            Some(_) => {
                let reference = reference_of_id(&id);
                let path = space::group_key(account, &reference)?;
                draft.put(&path, None, &GroupKeyRecord { name: name.clone() })?;
                group.key = Some(reference);
            }
        }
        draft.put(&space::group(account, name)?, None, &group)?;
        Ok((draft, group))
    })
    .await?;
    Ok(CreateGroupOutput { group: shown::group(&group, account) })
}

pub(crate) async fn get_group(cx: &mut Cx<'_>, input: GetGroupInput) -> Result<GetGroupOutput, Refusal> {
    let account = cx.caller.account();
    let snapshot = cx.service.vault().snapshot().await?;
    let particulars = Particulars::default();
    let group = authorized::<GroupRecord>(cx, &*snapshot, "iam:GetGroup", &input.group_name, &particulars)
        .await?
        .record;
    let names = members(cx, &*snapshot, group.reference(), MEMBERS_MOST).await?;
    let list = format!("GetGroup/{}", group.id);
    let page = page::of_items(cx, &list, Wanted::new(&input.marker, input.max_items), names, String::clone)?;
    let mut users = Vec::with_capacity(page.items.len());
    for name in &page.items {
        let user = find::<UserRecord>(cx, &*snapshot, name).await?;
        users.extend(user.map(|user| shown::user(&user.record, account, true)));
    }
    Ok(GetGroupOutput {
        group: shown::group(&group, account),
        users,
        is_truncated: page.is_truncated(),
        marker: page.marker,
    })
}

/// The most members of a group that are read.
const MEMBERS_MOST: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// The names of the members of a group with this reference, in lower case.
pub(crate) async fn members(
    cx: &Cx<'_>,
    snapshot: &dyn keyreeve_store::Snapshot,
    reference: &str,
    most: NonZeroUsize,
) -> Result<Vec<String>, Refusal> {
    let prefix = space::members_prefix(cx.caller.account(), reference);
    let (entries, _) = cx.service.vault().range::<IndexRecord>(snapshot, &prefix, None, most).await?;
    let name =
        |path: &keyreeve_store::Path| keyreeve_core::space::last_part(&prefix, path).map(str::to_owned);
    Ok(entries.iter().filter_map(|(path, _)| name(path)).collect())
}

pub(crate) async fn list_groups(
    cx: &mut Cx<'_>,
    input: ListGroupsInput,
) -> Result<ListGroupsOutput, Refusal> {
    let account = cx.caller.account();
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    authorize(cx, "iam:ListGroups", &arn::<GroupRecord>(account, prefix, ""), &Particulars::default())
        .await?;
    let wanted = Wanted::new(&input.marker, input.max_items);
    let list = format!("ListGroups/{prefix}");
    let page =
        page::of_entities::<GroupRecord>(cx, &list, wanted, |group| group.path.starts_with(prefix)).await?;
    Ok(ListGroupsOutput {
        is_truncated: page.is_truncated(),
        groups: page.items.iter().map(|group| shown::group(group, account)).collect(),
        marker: page.marker,
    })
}

pub(crate) async fn update_group(cx: &mut Cx<'_>, input: UpdateGroupInput) -> Result<(), Refusal> {
    let name = &input.group_name;
    let moved = Moved { name: input.new_group_name.as_deref(), path: input.new_path.as_deref() };
    let particulars = Particulars::default();
    amend_moving::<GroupRecord, ()>(cx, "iam:UpdateGroup", name, &particulars, moved, async |group| {
        if let Some(path) = &input.new_path {
            group.record.path.clone_from(path);
        }
        if let Some(new) = &input.new_group_name {
            rename(group, new).await?;
        }
        Ok(())
    })
    .await
}

/// Its users are left as they are: their records call it by its reference, which stays.
async fn rename(group: &mut Amendment<'_, GroupRecord>, new: &str) -> Result<(), Refusal> {
    let account = group.account;
    let reference = group.record.reference().to_owned();
    let old = std::mem::replace(&mut group.record.name, new.to_owned());
    if same_name(&old, new) {
        return Ok(());
    }
    if group.read::<GroupRecord>(&space::group(account, new)?).await?.is_some() {
        return Err(Refusal::exists(format!("Group with name {new} already exists.")));
    }
    let path = space::group_key(account, &reference)?;
    if same_name(&reference, new) {
        group.record.key = None;
        group.draft.unindex(&path);
    } else {
        let seen = group.read::<GroupKeyRecord>(&path).await?.map(|read| read.version);
        group.draft.put(&path, seen, &GroupKeyRecord { name: new.to_owned() })?;
        group.record.key = Some(reference);
    }
    attached_policies::rename(group, &old, new)
}

pub(crate) async fn delete_group(cx: &mut Cx<'_>, input: DeleteGroupInput) -> Result<(), Refusal> {
    let name = &input.group_name;
    amend::<GroupRecord, ()>(cx, "iam:DeleteGroup", name, &Particulars::default(), async |group| {
        let record = &group.record;
        let members = group.snapshot.count(&space::members_prefix(group.account, record.reference())).await;
        for (is_held, what) in [
            (members.map_err(VaultError::from)? > 0, "remove users from group"),
            (!record.policies.is_empty(), "delete policies"),
            (!record.attached.is_empty(), "detach all policies"),
        ] {
            if is_held {
                return Err(Refusal::conflict(format!("Cannot delete entity, must {what} first.")));
            }
        }
        if let Some(key) = &record.key {
            group.draft.unindex(&space::group_key(group.account, key)?);
        }
        group.delete = true;
        Ok(())
    })
    .await
}
