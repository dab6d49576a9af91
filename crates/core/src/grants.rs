//! Grants: their records, and which of them bear on a request.
//!
//! A key may have 50,000 grants, and all of them may be for one grantee, each for an encryption context of its own. So they
//! are found by key and grantee, and among those by a pair of the encryption context: no request looks at all of them, and none
//! reads all of them because one came or went ([`grantee`]).

pub(crate) mod grantee;
pub mod party;

use std::collections::BTreeMap;

use keyreeve_crypto::digest::sha256;
use keyreeve_crypto::wrap::Kind;
use keyreeve_domain::{AccountId, KeyArn, KeyId, Region, Timestamp};
use keyreeve_policy::{Constraints, Grant, GrantPrincipal, Operations};
use minicbor::{Decode, Encode};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::commit::Draft;
use crate::record::record;
use crate::space;
use crate::vault::{Vault, VaultError};

record! {
    GrantRecord = 15,
    SameGrantRecord = 17,
}

/// A grant.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct GrantRecord {
    /// Its id: 64 hexadecimal digits.
    #[n(0)]
    pub id: String,
    /// Whom it lets use the key.
    #[n(1)]
    pub grantee: GrantParty,
    /// Who may retire it.
    #[n(2)]
    pub retiring: Option<GrantParty>,
    /// The account in which it was made.
    #[n(3)]
    #[cbor(with = "crate::record::text")]
    pub issuing_account: AccountId,
    /// What it gives, by name.
    #[n(4)]
    pub operations: Vec<String>,
    /// The encryption context that it asks for, whole.
    #[n(5)]
    pub context_equals: Option<BTreeMap<String, String>>,
    /// The pairs that it asks for in the encryption context.
    #[n(6)]
    pub context_subset: Option<BTreeMap<String, String>>,
    /// The resource that a service acts for.
    #[n(7)]
    pub source_arn: Option<String>,
    /// Its name.
    #[n(8)]
    pub name: Option<String>,
    /// When it was made.
    #[n(9)]
    #[cbor(with = "crate::record::millis")]
    pub created: Timestamp,
}

/// The grant that a request with a name has made.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct SameGrantRecord {
    /// Its id.
    #[n(0)]
    pub id: String,
}

/// A principal of a grant.
#[derive(Clone, Debug, Decode, Encode, Eq, Hash, PartialEq)]
pub enum GrantParty {
    /// An account's root user, a user, a role or a session.
    #[n(0)]
    Aws {
        /// The ARN.
        #[n(0)]
        arn: String,
        /// The unique id of a user or a role; of a role's session, that of the role, and the name: `AROA…:name`. A session that was
        /// named by an earlier release has none, and is whoever has the ARN.
        #[n(1)]
        id: Option<String>,
    },
    /// A service.
    #[n(1)]
    Service {
        /// Its name, such as `s3.amazonaws.com`.
        #[n(0)]
        name: String,
    },
}

impl GrantParty {
    /// As it is listed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Aws { arn, .. } => arn,
            Self::Service { name } => name,
        }
    }

    /// What indexes know it by: the unique id of a user or a role, so that a new name changes nothing; else as it is listed, sessions
    /// too, so that who looks under it still has to ask whether it [is](Self::is) the one.
    #[must_use]
    pub fn known_by(&self) -> Digest {
        match self {
            Self::Aws { id: Some(id), .. } if !id.contains(':') => Digest::of(id),
            Self::Aws { arn, .. } => Digest::of(arn),
            Self::Service { name } => Digest::of(name),
        }
    }

    /// Whether both are the same principal.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Aws { id: Some(id), .. }, Self::Aws { id: Some(other), .. }) => id == other,
            (Self::Aws { .. } | Self::Service { .. }, _) => self.known_by() == other.known_by(),
        }
    }

    fn to_policy(&self) -> GrantPrincipal {
        match self {
            // Of a session it is the role that has an id.
            Self::Aws { arn, id } => {
                GrantPrincipal::bound(arn, id.as_deref().and_then(|id| id.split(':').next()))
            }
            Self::Service { name } => GrantPrincipal::service(name),
        }
    }
}

impl GrantRecord {
    /// The grant as policies know it.
    #[must_use]
    pub fn to_policy(&self, key: &KeyArn) -> Grant {
        let pairs = |pairs: &Option<BTreeMap<String, String>>| {
            pairs.as_ref().map(|pairs| pairs.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
        };
        Grant {
            id: self.id.clone(),
            key: key.to_string(),
            grantee: Some(self.grantee.to_policy()),
            retiring: self.retiring.as_ref().map(GrantParty::to_policy),
            issuing_account: Some(self.issuing_account),
            operations: Operations::new(self.operations.iter().map(String::as_str)),
            constraints: Constraints {
                context_equals: pairs(&self.context_equals),
                context_subset: pairs(&self.context_subset),
                source_arn: self.source_arn.clone(),
            },
        }
    }
}

impl GrantRecord {
    /// The digest of everything that a request with a name says: the same request makes no second grant.
    #[must_use]
    pub fn properties(&self) -> Option<Digest> {
        let name = self.name.as_deref()?;
        let mut operations: Vec<_> = self.operations.iter().map(String::as_str).collect();
        operations.sort_unstable();
        let properties = Properties {
            format: 1,
            name,
            grantee: &self.grantee,
            retiring: self.retiring.as_ref(),
            operations,
            context_equals: self.context_equals.as_ref(),
            context_subset: self.context_subset.as_ref(),
            source_arn: self.source_arn.as_deref(),
        };
        // Writing to memory does not fail.
        minicbor::to_vec(&properties).ok().map(|bytes| Digest::of_bytes(&bytes))
    }
}

/// What makes two requests with a name the same. Its bytes are kept as digests: no position ever changes.
#[derive(Encode)]
struct Properties<'a> {
    #[n(0)]
    format: u8,
    #[n(1)]
    name: &'a str,
    #[n(2)]
    grantee: &'a GrantParty,
    #[n(3)]
    retiring: Option<&'a GrantParty>,
    #[n(4)]
    operations: Vec<&'a str>,
    #[n(5)]
    context_equals: Option<&'a BTreeMap<String, String>>,
    #[n(6)]
    context_subset: Option<&'a BTreeMap<String, String>>,
    #[n(7)]
    source_arn: Option<&'a str>,
}

impl Draft<'_> {
    /// Adds a grant on the key `arn`, with its index entries.
    ///
    /// # Errors
    /// Where a record cannot be sealed.
    pub fn add_grant(&mut self, arn: &KeyArn, grant: &GrantRecord) -> Result<(), VaultError> {
        let (region, key) = (arn.region, arn.key);
        self.put(&space::grant(region, key, &grant.id)?, None, grant)?;
        let grantee = GranteeKey { region, key, grantee: grant.grantee.known_by() };
        self.index(&space::grantee(&grantee, &grant.id)?)?;
        if let Some(retiring) = &grant.retiring {
            self.index(&space::retirable(region, retiring.known_by(), key, &grant.id)?)?;
        }
        if let Some(properties) = grant.properties() {
            let path = space::same_grant(region, key, properties)?;
            self.put(&path, None, &SameGrantRecord { id: grant.id.clone() })?;
        }
        Ok(())
    }

    /// Removes a grant on the key `arn`, with its index entries.
    ///
    /// # Errors
    /// Never for well-formed records.
    pub fn remove_grant(&mut self, arn: &KeyArn, grant: &GrantRecord) -> Result<(), VaultError> {
        let (region, key) = (arn.region, arn.key);
        self.unindex(&space::grant(region, key, &grant.id)?);
        let grantee = GranteeKey { region, key, grantee: grant.grantee.known_by() };
        self.unindex(&space::grantee(&grantee, &grant.id)?);
        if let Some(retiring) = &grant.retiring {
            self.unindex(&space::retirable(region, retiring.known_by(), key, &grant.id)?);
        }
        if let Some(properties) = grant.properties() {
            self.unindex(&space::same_grant(region, key, properties)?);
        }
        Ok(())
    }
}

/// What a name of any length is stored under: the first half of its SHA-256.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest(u128);

impl Digest {
    /// The digest of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let whole = sha256(bytes);
        Self(whole.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }

    /// Reads what [`Display`](core::fmt::Display) writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        (text.len() == 32).then_some(())?;
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl core::fmt::Display for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A grantee of a key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct GranteeKey {
    /// The Region of the key.
    pub region: Region,
    /// The key.
    pub key: KeyId,
    /// The grantee.
    pub grantee: Digest,
}

/// What a grant token names.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct TokenContent {
    /// The Region of the key.
    #[n(0)]
    #[cbor(with = "crate::record::text")]
    pub region: Region,
    /// The key.
    #[n(1)]
    #[cbor(with = "crate::record::text")]
    pub key: KeyId,
    /// The grant.
    #[n(2)]
    pub grant: String,
}

impl Vault {
    /// The token of a grant.
    ///
    /// # Errors
    /// Where the wrapping fails.
    pub fn seal_grant_token(&self, content: &TokenContent) -> Result<String, VaultError> {
        let bytes = minicbor::to_vec(content).or(Err(VaultError::Damaged("a grant token".to_owned())))?;
        Ok(STANDARD.encode(self.seal_token(Kind::GrantToken, &bytes)?))
    }

    /// The grant that a token names; none where it was not made here.
    #[must_use]
    pub fn open_grant_token(&self, token: &str) -> Option<TokenContent> {
        let bytes = self.open_token(Kind::GrantToken, &STANDARD.decode(token).ok()?)?;
        minicbor::decode(&bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_back() {
        let digest = Digest::of("arn:aws:iam::111122223333:root");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("00"), None);
    }
}
