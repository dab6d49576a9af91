//! Session tokens: sealed, and the only place where a session is kept.
//!
//! The token of temporary credentials holds everything that is known of them, wrapped under a domain key: any node opens it
//! and none stores it. What a session may do is read from the policies of its user or role at each change of them, so
//! taking a permission away ends it for sessions, too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_crypto::wrap::{Kind, WrapError};
use keyreeve_domain::{AccountId, Timestamp};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::record::{Record, RecordError, TagRecord, record};
use crate::vault::{Vault, VaultError};

record! {
    SessionRecord = 16,
}

/// The longest token that is looked at, in characters.
const LONGEST: usize = 32 * 1024;

/// Temporary credentials.
#[derive(Decode, Encode)]
pub struct SessionRecord {
    /// The account.
    #[n(0)]
    #[cbor(with = "crate::record::text")]
    pub account: AccountId,
    /// The access key id, `ASIA…`.
    #[n(1)]
    pub access_key_id: String,
    /// The secret access key.
    #[n(2)]
    #[cbor(with = "crate::record::secret")]
    pub secret: Zeroizing<String>,
    /// When they were issued.
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    pub issued: Timestamp,
    /// When they expire.
    #[n(4)]
    #[cbor(with = "crate::record::millis")]
    pub expires: Timestamp,
    /// Whose they are.
    #[n(5)]
    pub holder: SessionHolder,
    /// The texts of the session policies that were passed.
    #[n(6)]
    pub policies: Vec<String>,
    /// The ARNs of the managed policies that were passed as session policies.
    #[n(7)]
    pub policy_arns: Vec<String>,
    /// The session tags.
    #[n(8)]
    pub tags: Vec<TagRecord>,
    /// The keys of the tags that the next role of a chain inherits.
    #[n(9)]
    pub transitive: Vec<String>,
    /// The source identity.
    #[n(10)]
    pub source_identity: Option<String>,
    /// When a second factor was proved.
    #[n(11)]
    pub mfa_millis: Option<i64>,
    /// The identity provider, as `aws:FederatedProvider` has it.
    #[n(12)]
    pub provider: Option<String>,
}

impl SessionRecord {
    /// The tags that a session inherits which begins with this one.
    #[must_use]
    pub fn transitive_tags(&self) -> Vec<TagRecord> {
        let is_transitive =
            |tag: &&TagRecord| self.transitive.iter().any(|key| key.eq_ignore_ascii_case(&tag.key));
        self.tags.iter().filter(is_transitive).cloned().collect()
    }
}

/// Whose temporary credentials are.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub enum SessionHolder {
    /// A federated user, made by a user or by the root user.
    #[n(0)]
    Federated {
        /// Its name.
        #[n(0)]
        name: String,
        /// Name and unique id of the user who made it.
        #[n(1)]
        user: Option<NamedId>,
    },
    /// The session of a role.
    #[n(1)]
    Role {
        /// Name and unique id of the role.
        #[n(0)]
        role: NamedId,
        /// The name of the session.
        #[n(1)]
        name: String,
    },
    /// The root user.
    #[n(2)]
    Root,
    /// A user.
    #[n(3)]
    User {
        /// Name and unique id.
        #[n(0)]
        user: NamedId,
    },
}

/// A name, and the unique id that it stood for.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct NamedId {
    /// The name.
    #[n(0)]
    pub name: String,
    /// The unique id.
    #[n(1)]
    pub id: String,
}

impl Vault {
    /// The token that stands for `session`.
    ///
    /// # Errors
    /// Where the wrapping fails.
    pub fn seal_session(&self, session: &SessionRecord) -> Result<Zeroizing<String>, VaultError> {
        let content = session.to_bytes().map_err(|RecordError| VaultError::Wrap(WrapError::Cipher))?;
        let sealed = self.seal_token(Kind::Session, &content)?;
        Ok(Zeroizing::new(STANDARD.encode(sealed)))
    }

    /// The session that `token` stands for; none where it was not made here.
    #[must_use]
    pub fn open_session(&self, token: &str) -> Option<SessionRecord> {
        if token.len() > LONGEST {
            return None;
        }
        let sealed = STANDARD.decode(token).ok()?;
        let content = self.open_token(Kind::Session, &sealed)?;
        SessionRecord::from_bytes(&content).ok()
    }
}
