//! The key space of the store: which record stands where.
//!
//! ```text
//! meta/keyring                                   the keyring, under the root key
//! meta/digest-keys                               the keys that sign the digests of the trail
//! key/<region>/<key id>                          the KMS key
//! policy/<region>/<key id>/<policy name>         a key policy that is not the default one
//! owned/<account>/<region>/<key id>              index: keys by account
//! alias/<account>/<region>/<alias name>          the alias
//! named/<region>/<key id>/<alias name>           index: aliases by key
//! due/<16 hex digits: ms>/<task>/<region>/<key id>   index: what is to be done when
//! usage/<region>/<key id>                        the last use
//! credential/<access key id>                     an access key
//! used/key/<access key id>                       the last use of an access key
//! used/role/<unique id>                          the last use of a role
//! grant/<region>/<key id>/<grant id>             a grant
//! grantee/<region>/<key id>/<digest>/<grant id>  index: grants by grantee
//! retirable/<region>/<digest>/<key id>/<grant id>   index: grants by retiring principal
//! same-grant/<region>/<key id>/<digest>          the named grant with these properties
//! ```
//! No part but the last may hold a `/`; an alias name may, and is always last.

use keyreeve_domain::{AccountId, AliasName, KeyId, Region, Timestamp};
use keyreeve_store::Path;

use crate::grants::{Digest, GranteeKey};

/// A path that the store would refuse; none of the functions here builds one from well-formed parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a path of the key space is longer than the store takes")]
pub struct SpaceError;

pub(crate) fn path(text: String) -> Result<Path, SpaceError> {
    Path::new(text.into_bytes()).or(Err(SpaceError))
}

/// The keyring.
///
/// # Errors
/// Never for well-formed parts, as for every function of this module.
pub fn keyring() -> Result<Path, SpaceError> {
    path("meta/keyring".into())
}

/// The keys that sign the digests of the trail.
///
/// # Errors
/// See [`keyring`].
pub fn digest_keys() -> Result<Path, SpaceError> {
    path("meta/digest-keys".into())
}

/// A KMS key.
///
/// # Errors
/// See [`keyring`].
pub fn key(region: Region, key: KeyId) -> Result<Path, SpaceError> {
    path(format!("key/{region}/{key}"))
}

/// The key policy of a KMS key.
///
/// # Errors
/// See [`keyring`].
pub fn policy(region: Region, key: KeyId) -> Result<Path, SpaceError> {
    path(format!("policy/{region}/{key}/default"))
}

/// The keys of an account in a Region.
#[must_use]
pub fn owned_prefix(account: AccountId, region: Region) -> Vec<u8> {
    format!("owned/{account}/{region}/").into_bytes()
}

/// The keys of an account in all Regions.
#[must_use]
pub fn owned_by_prefix(account: AccountId) -> Vec<u8> {
    format!("owned/{account}/").into_bytes()
}

/// The index entry of one key of an account.
///
/// # Errors
/// See [`keyring`].
pub fn owned(account: AccountId, region: Region, key: KeyId) -> Result<Path, SpaceError> {
    path(format!("owned/{account}/{region}/{key}"))
}

/// The aliases of an account in a Region.
#[must_use]
pub fn alias_prefix(account: AccountId, region: Region) -> Vec<u8> {
    format!("alias/{account}/{region}/").into_bytes()
}

/// An alias.
///
/// # Errors
/// See [`keyring`].
pub fn alias(account: AccountId, region: Region, alias: &AliasName) -> Result<Path, SpaceError> {
    path(format!("alias/{account}/{region}/{alias}"))
}

/// The aliases of a key.
#[must_use]
pub fn named_prefix(region: Region, key: KeyId) -> Vec<u8> {
    format!("named/{region}/{key}/").into_bytes()
}

/// The index entry of one alias of a key.
///
/// # Errors
/// See [`keyring`].
pub fn named(region: Region, key: KeyId, alias: &AliasName) -> Result<Path, SpaceError> {
    path(format!("named/{region}/{key}/{alias}"))
}

/// The last use of a key.
///
/// # Errors
/// See [`keyring`].
pub fn usage(region: Region, key: KeyId) -> Result<Path, SpaceError> {
    path(format!("usage/{region}/{key}"))
}

/// The grants on a key.
#[must_use]
pub fn grants_prefix(region: Region, key: KeyId) -> Vec<u8> {
    format!("grant/{region}/{key}/").into_bytes()
}

/// A grant.
///
/// # Errors
/// See [`keyring`].
pub fn grant(region: Region, key: KeyId, grant: &str) -> Result<Path, SpaceError> {
    path(format!("grant/{region}/{key}/{grant}"))
}

/// The grants that a grantee has on a key.
#[must_use]
pub fn grantee_prefix(grantee: &GranteeKey) -> Vec<u8> {
    let GranteeKey { region, key, grantee } = grantee;
    format!("grantee/{region}/{key}/{grantee}/").into_bytes()
}

/// The index entry of one grant of a grantee.
///
/// # Errors
/// See [`keyring`].
pub fn grantee(of: &GranteeKey, grant: &str) -> Result<Path, SpaceError> {
    let GranteeKey { region, key, grantee } = of;
    path(format!("grantee/{region}/{key}/{grantee}/{grant}"))
}

/// The grants in a Region that a principal may retire.
#[must_use]
pub fn retirable_prefix(region: Region, retiring: Digest) -> Vec<u8> {
    format!("retirable/{region}/{retiring}/").into_bytes()
}

/// The index entry of one grant that a principal may retire.
///
/// # Errors
/// See [`keyring`].
pub fn retirable(region: Region, retiring: Digest, key: KeyId, grant: &str) -> Result<Path, SpaceError> {
    path(format!("retirable/{region}/{retiring}/{key}/{grant}"))
}

/// The named grant that has exactly these properties: the same request makes no second one.
///
/// # Errors
/// See [`keyring`].
pub fn same_grant(region: Region, key: KeyId, properties: Digest) -> Result<Path, SpaceError> {
    path(format!("same-grant/{region}/{key}/{properties}"))
}

/// The access keys.
pub const CREDENTIAL_PREFIX: &[u8] = b"credential/";

/// An access key.
///
/// # Errors
/// Where the id is longer than the store takes.
pub fn credential(access_key_id: &str) -> Result<Path, SpaceError> {
    path(format!("credential/{access_key_id}"))
}

/// The last use of an access key.
///
/// # Errors
/// See [`credential`].
pub fn access_key_use(access_key_id: &str) -> Result<Path, SpaceError> {
    path(format!("used/key/{access_key_id}"))
}

/// The last use of a role, by its unique id.
///
/// # Errors
/// See [`keyring`].
pub fn role_use(unique_id: &str) -> Result<Path, SpaceError> {
    path(format!("used/role/{unique_id}"))
}

/// The keys that seal import tokens.
pub const IMPORT_KEY_PREFIX: &[u8] = b"import-key/";

/// The key that seals the import tokens of a day.
///
/// # Errors
/// See [`keyring`].
pub fn import_key(day: u32) -> Result<Path, SpaceError> {
    path(format!("import-key/{day:010}"))
}

/// Everything that is due.
pub const DUE_PREFIX: &[u8] = b"due/";

/// What is to be done with a key.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Task {
    /// The end of its waiting period.
    Delete,
    /// The end of the time for which its imported material is valid.
    Expire,
    /// A replica key becomes the primary one.
    HandOver,
    /// Its automatic rotation.
    Rotate,
}

impl Task {
    fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Expire => "expire",
            Self::HandOver => "hand-over",
            Self::Rotate => "rotate",
        }
    }
}

/// The index entry of a task.
///
/// # Errors
/// See [`keyring`].
pub fn due(at: Timestamp, task: Task, region: Region, key: KeyId) -> Result<Path, SpaceError> {
    let at = u64::try_from(at.millis()).unwrap_or_default();
    path(format!("due/{at:016x}/{}/{region}/{key}", task.as_str()))
}

/// What a path under [`DUE_PREFIX`] says.
#[must_use]
pub fn read_due(path: &Path) -> Option<(Timestamp, Task, Region, KeyId)> {
    let mut parts = core::str::from_utf8(path.as_bytes()).ok()?.strip_prefix("due/")?.split('/');
    let at = i64::try_from(u64::from_str_radix(parts.next()?, 16).ok()?).ok()?;
    let task = match parts.next()? {
        "delete" => Task::Delete,
        "expire" => Task::Expire,
        "hand-over" => Task::HandOver,
        "rotate" => Task::Rotate,
        _ => return None,
    };
    Some((Timestamp::from_millis(at), task, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What a changed path means for a cache.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cached {
    /// The alias of an account in a Region.
    Alias(AccountId, Region, AliasName),
    /// An access key.
    Credential(String),
    /// The grants that a grantee has on a key, and the id of the one that is meant.
    Grantee(GranteeKey, String),
    /// A KMS key, a policy or an alias of it.
    Key(Region, KeyId),
    /// A group, policy or provider of an account, or the account itself: many principals may depend on it.
    Identities(AccountId),
    /// The organization.
    Organization,
    /// A key came to an account or left it.
    Owned(AccountId, Region),
    /// A role of an account, by its name in lower case.
    Role(AccountId, String),
    /// A user of an account, by its name in lower case.
    User(AccountId, String),
}

/// Which cached value a path stands for; `None` for what nobody caches.
#[must_use]
pub fn read_cached(path: &Path) -> Option<Cached> {
    let text = core::str::from_utf8(path.as_bytes()).ok()?;
    if text == "organization" {
        return Some(Cached::Organization);
    }
    let (kind, rest) = text.split_once('/')?;
    match kind {
        "account" => Some(Cached::Identities(rest.parse().ok()?)),
        "alias" => {
            let (account, rest) = rest.split_once('/')?;
            let (region, alias) = rest.split_once('/')?;
            Some(Cached::Alias(account.parse().ok()?, region.parse().ok()?, alias.parse().ok()?))
        }
        "credential" => Some(Cached::Credential(rest.into())),
        "iam" => {
            let mut parts = rest.splitn(3, '/');
            let (account, kind, name) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
            Some(match kind {
                "role" => Cached::Role(account, name.into()),
                "user" => Cached::User(account, name.into()),
                _ => Cached::Identities(account),
            })
        }
        "grantee" => {
            let mut parts = rest.split('/');
            let (region, key) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let grantee = Digest::parse(parts.next()?)?;
            Some(Cached::Grantee(GranteeKey { region, key, grantee }, parts.next()?.to_owned()))
        }
        // Its aliases are part of what is known of a key.
        "key" | "named" | "policy" => {
            let mut parts = rest.splitn(3, '/');
            Some(Cached::Key(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        }
        "owned" => {
            let mut parts = rest.split('/');
            Some(Cached::Owned(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        }
        _ => None,
    }
}

/// The last part of a path under `prefix`.
#[must_use]
pub fn last_part<'a>(prefix: &[u8], path: &'a Path) -> Option<&'a str> {
    core::str::from_utf8(path.as_bytes().strip_prefix(prefix)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::space as identity;

    fn parts() -> (AccountId, Region, KeyId, AliasName) {
        (
            "111122223333".parse().unwrap(),
            "us-east-1".parse().unwrap(),
            "1234abcd-12ab-34cd-56ef-1234567890ab".parse().unwrap(),
            "alias/a/b".parse().unwrap(),
        )
    }

    #[test]
    fn a_path_is_read_back_as_what_it_stands_for() {
        let (account, region, id, name) = parts();
        for (path, expected) in [
            (key(region, id), Some(Cached::Key(region, id))),
            (policy(region, id), Some(Cached::Key(region, id))),
            (alias(account, region, &name), Some(Cached::Alias(account, region, name.clone()))),
            (owned(account, region, id), Some(Cached::Owned(account, region))),
            (credential("AKIA0"), Some(Cached::Credential("AKIA0".into()))),
            (named(region, id, &name), Some(Cached::Key(region, id))),
            (identity::user(account, "Alice"), Some(Cached::User(account, "alice".into()))),
            (identity::role(account, "Ops"), Some(Cached::Role(account, "ops".into()))),
            (identity::group(account, "g"), Some(Cached::Identities(account))),
            (identity::provider(account, "host/a/b"), Some(Cached::Identities(account))),
            (identity::account(account), Some(Cached::Identities(account))),
            (identity::organization(), Some(Cached::Organization)),
            (identity::member(account, "g", "u"), None),
            (identity::declared(account, identity::Declared::User, "u"), None),
            (keyring(), None),
        ] {
            let path = path.unwrap();
            assert_eq!(read_cached(&path), expected, "{path}");
        }
    }

    #[test]
    fn due_paths_sort_by_time() {
        let (_, region, id, _) = parts();
        let at = |millis| due(Timestamp::from_millis(millis), Task::Rotate, region, id).unwrap();
        assert!(at(9) < at(10) && at(10) < at(1_900_000_000_000));
        assert_eq!(read_due(&at(77)), Some((Timestamp::from_millis(77), Task::Rotate, region, id)));
    }
}
