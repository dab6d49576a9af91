//! Tags of users, roles, managed policies and providers: Tag, Untag and List of
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::identity::record::{ManagedPolicyRecord, ProviderRecord, RoleRecord, UserRecord};
use keyreeve_core::record::TagRecord;
use keyreeve_wire::iam::{
    ListOpenIDConnectProviderTagsInput, ListOpenIDConnectProviderTagsOutput, ListPolicyTagsInput,
    ListPolicyTagsOutput, ListRoleTagsInput, ListRoleTagsOutput, ListUserTagsInput, ListUserTagsOutput, Tag,
    TagOpenIDConnectProviderInput, TagPolicyInput, TagRoleInput, TagUserInput,
    UntagOpenIDConnectProviderInput, UntagPolicyInput, UntagRoleInput, UntagUserInput,
};

use crate::amend::{amend, read};
use crate::arn;
use crate::entity::{TagKeys, Tagged, Target};
use crate::gate::Particulars;
use crate::page::{self, Page, Wanted};
use crate::refusal::Refusal;
use crate::{shown, tag_check};

async fn tag<E: Tagged>(
    cx: &mut Cx<'_>,
    action: &'static str,
    name: Target<'_>,
    tags: &[Tag],
) -> Result<(), Refusal> {
    // Whoever may not make the request is told so before what is wrong with it.
    let asked = tag_check::asked(tags);
    let particulars = Particulars { request_tags: &asked, ..Particulars::default() };
    amend::<E, ()>(cx, action, name, &particulars, async |entity| {
        tag_check::some(tags)?;
        tag_check::put(&mut entity.record, &tag_check::records::<E>(tags)?)
    })
    .await
}

async fn untag<E: Tagged>(
    cx: &mut Cx<'_>,
    action: &'static str,
    name: Target<'_>,
    keys: &[String],
) -> Result<(), Refusal> {
    let particulars = Particulars { tag_keys: keys, ..Particulars::default() };
    amend::<E, ()>(cx, action, name, &particulars, async |entity| {
        tag_check::some(keys)?;
        entity.record.tags_mut().retain(|tag| !keys.iter().any(|key| E::TAG_KEYS.same(&tag.key, key)));
        Ok(())
    })
    .await
}

async fn list<E: Tagged>(
    cx: &mut Cx<'_>,
    action: &'static str,
    name: Target<'_>,
    wanted: Wanted<'_>,
) -> Result<Page<Tag>, Refusal> {
    let entity = read::<E>(cx, action, name).await?;
    let list = format!("{action}/{}", entity.name());
    // Those of policies and providers are listed by length first.
    let place = |tag: &TagRecord| match E::TAG_KEYS {
        TagKeys::Exact => format!("{:03}{}", tag.key.len(), tag.key),
        TagKeys::IgnoringCase => tag.key.clone(),
    };
    let page = page::of_items(cx, &list, wanted, entity.tags().to_vec(), place)?;
    Ok(Page { items: shown::tags(&page.items), marker: page.marker })
}

/// The name of the entity that a request is about.
macro_rules! named {
    ($cx:ident, $input:ident, $action:literal, name $name:ident) => {
        Target::from(&$input.$name)
    };
    ($cx:ident, $input:ident, $action:literal, policy $name:ident) => {
        arn::own_policy($cx, $action, &$input.$name)?
    };
    ($cx:ident, $input:ident, $action:literal, provider $name:ident) => {
        arn::provider($cx, &$input.$name)?
    };
}

macro_rules! tags {
    ($record:ident, $kind:ident $name:ident, $tag:ident $tag_input:ident $tag_action:literal,
     $untag:ident $untag_input:ident $untag_action:literal,
     $list:ident $list_input:ident $list_output:ident $list_action:literal) => {
        pub(crate) async fn $tag(cx: &mut Cx<'_>, input: $tag_input) -> Result<(), Refusal> {
            let name = named!(cx, input, $tag_action, $kind $name);
            tag::<$record>(cx, $tag_action, name, &input.tags).await
        }

        pub(crate) async fn $untag(cx: &mut Cx<'_>, input: $untag_input) -> Result<(), Refusal> {
            let name = named!(cx, input, $untag_action, $kind $name);
            untag::<$record>(cx, $untag_action, name, &input.tag_keys).await
        }

        pub(crate) async fn $list(cx: &mut Cx<'_>, input: $list_input) -> Result<$list_output, Refusal> {
            let name = named!(cx, input, $list_action, $kind $name);
            let wanted = Wanted::new(&input.marker, input.max_items);
            let page = list::<$record>(cx, $list_action, name, wanted).await?;
            let is_truncated = page.is_truncated();
            Ok($list_output { tags: page.items, is_truncated, marker: page.marker })
        }
    };
}

tags! {
    UserRecord, name user_name, tag_user TagUserInput "iam:TagUser",
    untag_user UntagUserInput "iam:UntagUser", list_user_tags ListUserTagsInput ListUserTagsOutput "iam:ListUserTags"
}

tags! {
    RoleRecord, name role_name, tag_role TagRoleInput "iam:TagRole",
    untag_role UntagRoleInput "iam:UntagRole", list_role_tags ListRoleTagsInput ListRoleTagsOutput "iam:ListRoleTags"
}

tags! {
    ManagedPolicyRecord, policy policy_arn, tag_policy TagPolicyInput "iam:TagPolicy",
    untag_policy UntagPolicyInput "iam:UntagPolicy",
    list_policy_tags ListPolicyTagsInput ListPolicyTagsOutput "iam:ListPolicyTags"
}

tags! {
    ProviderRecord, provider open_id_connect_provider_arn,
    tag_open_id_connect_provider TagOpenIDConnectProviderInput "iam:TagOpenIDConnectProvider",
    untag_open_id_connect_provider UntagOpenIDConnectProviderInput "iam:UntagOpenIDConnectProvider",
    list_open_id_connect_provider_tags ListOpenIDConnectProviderTagsInput ListOpenIDConnectProviderTagsOutput
        "iam:ListOpenIDConnectProviderTags"
}
