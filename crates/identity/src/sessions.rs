//! What the operations of STS share that issue temporary credentials.

use keyreeve_core::Cx;
use keyreeve_core::identity::session::{SessionHolder, SessionRecord};
use keyreeve_core::identity::standing::{Identities, managed_name};
use keyreeve_core::record::TagRecord;
use keyreeve_domain::AccountId;
use keyreeve_store::Snapshot;
use keyreeve_wire::query::QueryErrorCode;
use keyreeve_wire::sts::{Credentials, PolicyDescriptorType, Tag};

use crate::ids::{access_key_id, secret_access_key};
use crate::policy_check;
use crate::refusal::Refusal;

/// The characters of a session policy and of the tags of a session, all together.
const PACKED_MOST: usize = 2048;
/// The managed policies of a session.
const ARNS_MOST: usize = 10;
/// The tags of a session.
const TAGS_MOST: usize = 50;

/// The policies that are passed when a session begins.
#[derive(Default)]
pub(crate) struct Passed {
    pub(crate) policies: Vec<String>,
    pub(crate) policy_arns: Vec<String>,
}

/// Checks the policies that are passed for a session in `account`.
pub(crate) async fn passed(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    account: AccountId,
    policy: Option<String>,
    arns: Vec<PolicyDescriptorType>,
) -> Result<Passed, Refusal> {
    if let Some(policy) = &policy {
        policy_check::session(policy)?;
    }
    let policy_arns: Vec<String> = arns.into_iter().filter_map(|policy| policy.arn).collect();
    if policy_arns.len() > ARNS_MOST {
        // AWS: unverified. The text is ours.
        let message = format!("The number of session policies exceeds {ARNS_MOST}.");
        return Err(Refusal::new(QueryErrorCode::PackedPolicyTooLarge, message));
    }
    let identities = Identities { service: cx.service, snapshot, account };
    for arn in &policy_arns {
        let is_ours = managed_name(account, arn).is_some() || arn.starts_with("arn:aws:iam::aws:policy/");
        if !is_ours || identities.managed_text(arn).await?.is_none() {
            // AWS: unverified. The text is ours.
            let message = format!("The policy {arn} does not exist or cannot be used as a session policy.");
            return Err(Refusal::new(QueryErrorCode::ValidationError, message));
        }
    }
    Ok(Passed { policies: policy.into_iter().collect(), policy_arns })
}

/// Checks the tags of a session.
pub(crate) fn tags(tags: Vec<Tag>) -> Result<Vec<TagRecord>, Refusal> {
    let invalid = |message: String| Err(Refusal::new(QueryErrorCode::InvalidParameterValue, message));
    check_count(&tags)?;
    let mut checked: Vec<TagRecord> = Vec::with_capacity(tags.len());
    for Tag { key, value } in tags {
        if checked.iter().any(|tag| tag.key.eq_ignore_ascii_case(&key)) {
            return invalid(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned(),
            );
        }
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return invalid("Tag keys beginning with \"aws:\" are reserved.".to_owned());
        }
        checked.push(TagRecord { key, value });
    }
    Ok(checked)
}

/// Refuses more tags than a session may have.
pub(crate) fn check_count<T>(tags: &[T]) -> Result<(), Refusal> {
    if tags.len() <= TAGS_MOST {
        return Ok(());
    }
    let message = format!("The number of session tags exceeds {TAGS_MOST}.");
    Err(Refusal::new(QueryErrorCode::InvalidParameterValue, message))
}

/// How much of what a session may carry is used, in per cent: none where it carries nothing.
pub(crate) fn packed_size(passed: &Passed, tags: &[TagRecord]) -> Result<Option<u32>, Refusal> {
    let policies: usize =
        passed.policies.iter().map(|policy| policy.chars().filter(|c| !c.is_whitespace()).count()).sum();
    let arns: usize = passed.policy_arns.iter().map(String::len).sum();
    let tags: usize = tags.iter().map(|tag| tag.key.len() + tag.value.len()).sum();
    let total = policies + (arns + tags) / 2;
    let per_cent = (total * 100).div_ceil(PACKED_MOST);
    if per_cent > 100 {
        let message =
            format!("Packed size of session policies and tags consumes {per_cent}% of allotted space.");
        return Err(Refusal::new(QueryErrorCode::PackedPolicyTooLarge, message));
    }
    Ok(u32::try_from(per_cent).ok().filter(|per_cent| *per_cent > 0))
}

/// A session that begins now.
pub(crate) struct Beginning {
    pub(crate) account: AccountId,
    pub(crate) holder: SessionHolder,
    pub(crate) seconds: u32,
    pub(crate) passed: Passed,
    pub(crate) tags: Vec<TagRecord>,
    pub(crate) transitive: Vec<String>,
    pub(crate) source_identity: Option<String>,
    pub(crate) provider: Option<String>,
}

/// Temporary credentials, and how large their token is.
pub(crate) struct Issued {
    pub(crate) credentials: Credentials,
    pub(crate) token_size: u32,
    /// Of what a token may take, in per cent.
    pub(crate) utilization: u32,
}

/// Issues the credentials of a session.
pub(crate) fn issue(cx: &Cx<'_>, session: Beginning) -> Result<Issued, Refusal> {
    let (access_key_id, secret) =
        (access_key_id(cx.service, "ASIA", session.account)?, secret_access_key(cx.service)?);
    let expires = cx.now.plus_millis(i64::from(session.seconds) * 1000);
    let record = SessionRecord {
        account: session.account,
        access_key_id,
        secret,
        issued: cx.now,
        expires,
        holder: session.holder,
        policies: session.passed.policies,
        policy_arns: session.passed.policy_arns,
        tags: session.tags,
        transitive: session.transitive,
        source_identity: session.source_identity,
        mfa_millis: None,
        provider: session.provider,
    };
    let token = cx.service.vault().seal_session(&record)?;
    let token_size = u32::try_from(token.len()).unwrap_or(u32::MAX);
    if token_size > TOKEN_MOST {
        // AWS: unverified. The text is ours.
        let message = format!("The session token would be longer than {TOKEN_MOST} bytes.");
        return Err(Refusal::new(QueryErrorCode::PackedPolicyTooLarge, message));
    }
    let credentials = Credentials {
        access_key_id: record.access_key_id,
        secret_access_key: record.secret.into(),
        session_token: token.into(),
        expiration: expires,
    };
    Ok(Issued { credentials, token_size, utilization: token_size.saturating_mul(100) / TOKEN_MOST })
}

/// The longest token in bytes that clients are promised to have room for.
const TOKEN_MOST: u32 = 16 * 1024;
