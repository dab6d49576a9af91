//! CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey, GetAccessKeyLastUsed, and GetAccessKeyInfo of STS:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html> and those beside it.
//!
//! An access key belongs to a user or to the root user of the account. Its secret is in the answer that makes it, once.

use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{AccountRecord, UserRecord};
use keyreeve_core::identity::space;
use keyreeve_core::last_use::Used;
use keyreeve_core::record::CredentialRecord;
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_core::{Cx, Principal};
use keyreeve_domain::AccountId;
use keyreeve_store::{Path, Snapshot, Version};
use keyreeve_wire::SensitiveText;
use keyreeve_wire::iam::{
    AccessKey, AccessKeyLastUsed, AccessKeyMetadata, CreateAccessKeyInput, CreateAccessKeyOutput,
    DeleteAccessKeyInput, GetAccessKeyLastUsedInput, GetAccessKeyLastUsedOutput, ListAccessKeysInput,
    ListAccessKeysOutput, Status, UpdateAccessKeyInput,
};
use keyreeve_wire::query::{QueryError, QueryErrorCode};
use keyreeve_wire::sts::{GetAccessKeyInfoInput, GetAccessKeyInfoOutput};
use zeroize::Zeroizing;

use crate::amend::{authorized, change, find};
use crate::entity::{Entity, arn};
use crate::gate::{Particulars, authorize};
use crate::ids::{access_key_account, access_key_id, secret_access_key};
use crate::page::{self, Wanted};
use crate::refusal::Refusal;
use crate::users::no_user_name;

/// The access keys that a user may have.
pub(crate) const KEYS_MOST: usize = 2;

/// The characters of an access key id, at least. What is shorter was not issued: it stands for an account in the test mode, and takes
/// no place of another.
const ID_LEAST: usize = 16;

/// Whose access keys a request is about.
enum Owner {
    Root { path: Path, version: Option<Version>, record: AccountRecord },
    User { path: Path, version: Version, record: UserRecord },
}

impl Owner {
    fn keys(&self) -> &[String] {
        match self {
            Self::Root { record, .. } => &record.root_access_keys,
            Self::User { record, .. } => &record.access_keys,
        }
    }

    fn keys_mut(&mut self) -> &mut Vec<String> {
        match self {
            Self::Root { record, .. } => &mut record.root_access_keys,
            Self::User { record, .. } => &mut record.access_keys,
        }
    }

    fn user_name(&self) -> Option<&str> {
        match self {
            Self::Root { .. } => None,
            Self::User { record, .. } => Some(&record.name),
        }
    }

    /// As answers show it.
    // AWS: the name of the root user is unverified.
    fn shown_name(&self, account: AccountId) -> String {
        self.user_name().map_or_else(|| account.to_string(), str::to_owned)
    }

    fn put(&self, draft: &mut Draft<'_>) -> Result<(), VaultError> {
        match self {
            Self::Root { path, version, record } => draft.put(path, *version, record),
            Self::User { path, version, record } => draft.put(path, Some(*version), record),
        }
    }
}

/// The user of this name; without one, the caller, who must be a user or the root user.
async fn owner(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    action: &'static str,
    name: Option<&str>,
) -> Result<Owner, Refusal> {
    let name = match (name, cx.caller.principal()) {
        (Some(name), _) => name,
        (None, Principal::User(user)) => &user.name,
        (None, Principal::Root) => {
            let path = space::account(cx.caller.account())?;
            let read = cx.service.vault().read::<AccountRecord>(snapshot, &path).await?;
            let (version, record) = match read {
                Some(Versioned { record, version }) => (Some(version), record),
                None => (
                    None,
                    AccountRecord { name: String::new(), created: cx.now, root_access_keys: Vec::new() },
                ),
            };
            return Ok(Owner::Root { path, version, record });
        }
        (
            None,
            Principal::FederatedUser(_)
            | Principal::Role(_)
            | Principal::Service(_)
            | Principal::WebIdentity(_),
        ) => return Err(no_user_name()),
    };
    let seen = authorized::<UserRecord>(cx, snapshot, action, name, &Particulars::default()).await?;
    Ok(Owner::User { path: seen.path, version: seen.version, record: seen.record })
}

async fn credential(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    id: &str,
) -> Result<Option<(Path, Versioned<CredentialRecord>)>, Refusal> {
    let path = keyreeve_core::space::credential(id)?;
    let read = cx.service.vault().read::<CredentialRecord>(snapshot, &path).await?;
    Ok(read.map(|read| (path, read)))
}

fn no_key(id: &str) -> Refusal {
    Refusal::missing(format!("The Access Key with id {id} cannot be found."))
}

fn status(record: &CredentialRecord) -> Status {
    if record.inactive.unwrap_or_default() { Status::Inactive } else { Status::Active }
}

pub(crate) async fn create_access_key(
    cx: &mut Cx<'_>,
    input: CreateAccessKeyInput,
) -> Result<CreateAccessKeyOutput, Refusal> {
    let account = cx.caller.account();
    let id = access_key_id(cx.service, "AKIA", account)?;
    let secret = secret_access_key(cx.service)?;
    let user_name = change(cx, async |cx, snapshot| {
        let mut owner = owner(cx, &**snapshot, "iam:CreateAccessKey", input.user_name.as_deref()).await?;
        if owner.keys().iter().filter(|id| id.len() >= ID_LEAST).count() >= KEYS_MOST {
            return Err(Refusal::quota(format!("Cannot exceed quota for AccessKeysPerUser: {KEYS_MOST}")));
        }
        owner.keys_mut().push(id.clone());
        let record = CredentialRecord {
            account,
            secret: Zeroizing::new((*secret).clone()),
            created: cx.now,
            user: owner.user_name().map(str::to_owned),
            inactive: None,
            service: None,
        };
        let mut draft = Draft::new(cx.service.vault());
        owner.put(&mut draft)?;
        draft.put(&keyreeve_core::space::credential(&id)?, None, &record)?;
        Ok((draft, owner.shown_name(account)))
    })
    .await?;
    Ok(CreateAccessKeyOutput {
        access_key: AccessKey {
            user_name,
            access_key_id: id,
            status: Status::Active,
            secret_access_key: SensitiveText::from(secret),
            create_date: cx.now,
        },
    })
}

pub(crate) async fn list_access_keys(
    cx: &mut Cx<'_>,
    input: ListAccessKeysInput,
) -> Result<ListAccessKeysOutput, Refusal> {
    let account = cx.caller.account();
    let snapshot = cx.service.vault().snapshot().await?;
    let owner = owner(cx, &*snapshot, "iam:ListAccessKeys", input.user_name.as_deref()).await?;
    let mut keys = Vec::with_capacity(owner.keys().len());
    for id in owner.keys() {
        let Some((_, read)) = credential(cx, &*snapshot, id).await? else { continue };
        keys.push(AccessKeyMetadata {
            user_name: owner.shown_name(account),
            access_key_id: id.clone(),
            status: status(&read.record),
            create_date: read.record.created,
        });
    }
    let list = format!("ListAccessKeys/{}", owner.shown_name(account));
    let wanted = Wanted::new(&input.marker, input.max_items);
    let key = |key: &AccessKeyMetadata| format!("{:020}/{}", key.create_date.millis(), key.access_key_id);
    let page = page::of_items(cx, &list, wanted, keys, key)?;
    let is_truncated = page.is_truncated();
    Ok(ListAccessKeysOutput { access_key_metadata: page.items, is_truncated, marker: page.marker })
}

pub(crate) async fn update_access_key(cx: &mut Cx<'_>, input: UpdateAccessKeyInput) -> Result<(), Refusal> {
    let id = &input.access_key_id;
    let inactive = match input.status {
        Status::Active => None,
        Status::Inactive => Some(true),
        Status::Expired => return Err(Refusal::invalid(NOT_EXPIRED)),
    };
    change(cx, async |cx, snapshot| {
        let owner = owner(cx, &**snapshot, "iam:UpdateAccessKey", input.user_name.as_deref()).await?;
        let held = owner.keys().contains(id);
        let found = if held { credential(cx, &**snapshot, id).await? } else { None };
        let (path, mut read) = found.ok_or_else(|| no_key(id))?;
        let mut draft = Draft::new(cx.service.vault());
        if read.record.inactive != inactive {
            read.record.inactive = inactive;
            draft.put(&path, Some(read.version), &read.record)?;
        }
        Ok((draft, ()))
    })
    .await
}

// AWS: the text is unverified.
const NOT_EXPIRED: &str = "The status of an access key is set to Active or Inactive.";

pub(crate) async fn delete_access_key(cx: &mut Cx<'_>, input: DeleteAccessKeyInput) -> Result<(), Refusal> {
    let id = &input.access_key_id;
    change(cx, async |cx, snapshot| {
        let mut owner = owner(cx, &**snapshot, "iam:DeleteAccessKey", input.user_name.as_deref()).await?;
        let before = owner.keys().len();
        owner.keys_mut().retain(|held| held != id);
        if owner.keys().len() == before {
            return Err(no_key(id));
        }
        let mut draft = Draft::new(cx.service.vault());
        owner.put(&mut draft)?;
        draft.unindex(&keyreeve_core::space::credential(id)?);
        draft.unindex(&keyreeve_core::space::access_key_use(id)?);
        Ok((draft, ()))
    })
    .await
}

pub(crate) async fn get_access_key_last_used(
    cx: &mut Cx<'_>,
    input: GetAccessKeyLastUsedInput,
) -> Result<GetAccessKeyLastUsedOutput, Refusal> {
    let account = cx.caller.account();
    let id = &input.access_key_id;
    let snapshot = cx.service.vault().snapshot().await?;
    let found = credential(cx, &*snapshot, id).await?.filter(|(_, read)| read.record.account == account);
    let user = found.as_ref().and_then(|(_, read)| read.record.user.clone());
    let record = match &user {
        Some(name) => find::<UserRecord>(cx, &*snapshot, name).await?,
        None => None,
    };
    let resource =
        record.map_or_else(|| arn::<UserRecord>(account, "/", "*"), |seen| seen.record.arn(account));
    authorize(cx, "iam:GetAccessKeyLastUsed", &resource, &Particulars::default()).await?;
    if found.is_none() {
        // So that nobody learns whose it is, AWS refuses what is not there as it does what is another's.
        let caller = cx.caller.arn();
        let message = format!(
            "User: {caller} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {id}"
        );
        return Err(Refusal::new(QueryErrorCode::AccessDenied, message));
    }
    let last = cx.service.last_use(&*snapshot, Used::AccessKey(id)).await?;
    let unused = || "N/A".to_owned();
    Ok(GetAccessKeyLastUsedOutput {
        user_name: user.unwrap_or_else(|| account.to_string()),
        access_key_last_used: AccessKeyLastUsed {
            last_used_date: last.as_ref().map(|last| last.at),
            service_name: last.as_ref().map_or_else(unused, |last| last.service.clone()),
            region: last.as_ref().map_or_else(unused, |last| last.region.to_string()),
        },
    })
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html>.
pub(crate) async fn get_access_key_info(
    cx: &mut Cx<'_>,
    input: GetAccessKeyInfoInput,
) -> Result<GetAccessKeyInfoOutput, Refusal> {
    let id = &input.access_key_id;
    authorize(cx, "sts:GetAccessKeyInfo", "*", &Particulars::default()).await?;
    let snapshot = cx.service.vault().snapshot().await?;
    let account = match credential(cx, &*snapshot, id).await? {
        Some((_, read)) => Some(read.record.account),
        None => access_key_account(id),
    };
    // AWS: the text is unverified.
    let account =
        account.ok_or_else(|| Refusal(QueryError::validation("The access key ID is not valid.")))?;
    Ok(GetAccessKeyInfoOutput { account: account.to_string() })
}
