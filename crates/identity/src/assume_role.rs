//! AssumeRole: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.
//!
//! Errors, in order: ValidationError (ARN, names) · AccessDenied (the root user, a role that is not there or not for the caller) ·
//! ValidationError (duration) · MalformedPolicyDocument, PackedPolicyTooLarge.

use keyreeve_audit::event::Resource;
use keyreeve_core::gate::{self, Elsewhere, Particulars};
use keyreeve_core::identity::record::RoleRecord;
use keyreeve_core::identity::session::{NamedId, SessionHolder};
use keyreeve_core::identity::space;
use keyreeve_core::record::TagRecord;
use keyreeve_core::{Cx, Principal};
use keyreeve_domain::AccountId;
use keyreeve_policy::{ContextKey, Kind, Policy};
use keyreeve_store::Snapshot;
use keyreeve_wire::query::QueryErrorCode;
use keyreeve_wire::sts::{AssumeRoleInput, AssumeRoleOutput, AssumedRoleUser};

use crate::refusal::Refusal;
use crate::sessions::{self, Beginning};

pub(crate) const DEFAULT_SECONDS: u32 = 3600;
/// The longest session of a role that was assumed with the session of another.
const CHAINED_SECONDS: u32 = 3600;

pub(crate) async fn assume_role(
    cx: &mut Cx<'_>,
    input: AssumeRoleInput,
) -> Result<AssumeRoleOutput, Refusal> {
    let (account, name) = role_of(&input.role_arn)?;
    if *cx.caller.principal() == Principal::Root {
        return Err(Refusal::new(QueryErrorCode::AccessDenied, "Roles may not be assumed by root accounts."));
    }
    let chain = cx.caller.session().filter(|_| matches!(cx.caller.principal(), Principal::Role(_)));
    let snapshot = cx.service.vault().snapshot().await?;
    let Some(role) = find(cx, &*snapshot, account, name, &input.role_arn).await? else {
        return Err(denied(cx, "sts:AssumeRole", &input.role_arn));
    };
    let own_tags = sessions::tags(input.tags)?;
    check_transitive(&input.transitive_tag_keys, &own_tags)?;
    let inherited = chain.map(|session| session.transitive_tags.clone()).unwrap_or_default();
    let source_identity = source_identity(cx, input.source_identity)?;
    let asked = Asked {
        role_arn: &input.role_arn,
        role: &role,
        account,
        session_name: &input.role_session_name,
        external_id: input.external_id.as_deref(),
        source_identity: source_identity.as_deref(),
        tags: &own_tags,
        transitive: &input.transitive_tag_keys,
    };
    authorize(cx, &asked).await?;
    note_role(cx, account, &input.role_arn);
    if input.serial_number.is_some() || input.token_code.is_some() {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
        return Err(Refusal::new(QueryErrorCode::AccessDenied, message));
    }
    let seconds = duration(input.duration_seconds, role.max_session_seconds)?;
    if chain.is_some() && seconds > CHAINED_SECONDS {
        let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
        return Err(Refusal::new(QueryErrorCode::ValidationError, message));
    }
    let passed = sessions::passed(cx, &*snapshot, account, input.policy, input.policy_arns).await?;
    let mut tags = inherited;
    // A tag that is inherited cannot be given another value.
    if own_tags.iter().any(|tag| tags.iter().any(|held| held.key.eq_ignore_ascii_case(&tag.key))) {
        let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from \
                       the calling session.";
        return Err(Refusal::new(QueryErrorCode::InvalidParameterValue, message));
    }
    let transitive =
        input.transitive_tag_keys.into_iter().chain(tags.iter().map(|tag| tag.key.clone())).collect();
    tags.extend(own_tags);
    // What is inherited takes its part of what a session may carry.
    sessions::check_count(&tags)?;
    let packed_policy_size = sessions::packed_size(&passed, &tags)?;
    let holder = SessionHolder::Role {
        role: NamedId { name: role.name.clone(), id: role.id.clone() },
        name: input.role_session_name.clone(),
    };
    let (source, provider) = (source_identity.clone(), None);
    let session =
        Beginning { account, holder, seconds, passed, tags, transitive, source_identity: source, provider };
    let issued = sessions::issue(cx, session)?;
    Ok(AssumeRoleOutput {
        credentials: issued.credentials,
        assumed_role_user: assumed(account, &role, &input.role_session_name),
        packed_policy_size,
        source_identity,
        session_token_utilization: issued.utilization,
        session_token_size: issued.token_size,
    })
}

/// Notes the role that the caller may assume; its account has the event, too, if it is another one.
// AWS: unverified. Of a role that the caller may not assume nothing is said but what he asked for.
pub(crate) fn note_role(cx: &mut Cx<'_>, account: AccountId, arn: &str) {
    cx.notes.resource(Resource::Role { account, arn: arn.to_owned() });
    if account != cx.caller.account() {
        cx.notes.let_through_by(account);
    }
}

/// The session as answers name it.
pub(crate) fn assumed(account: AccountId, role: &RoleRecord, session: &str) -> AssumedRoleUser {
    AssumedRoleUser {
        assumed_role_id: format!("{}:{session}", role.id),
        arn: format!("arn:aws:sts::{account}:assumed-role/{}/{session}", role.name),
    }
}

/// The account and the name of the role with this ARN.
pub(crate) fn role_of(arn: &str) -> Result<(AccountId, &str), Refusal> {
    let parts = || {
        let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
        let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
        Some((account.parse().ok()?, name)).filter(|_| !name.is_empty())
    };
    let invalid = || Refusal::new(QueryErrorCode::ValidationError, format!("{arn} is invalid"));
    parts().ok_or_else(invalid)
}

/// The role with this ARN.
pub(crate) async fn find(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    account: AccountId,
    name: &str,
    arn: &str,
) -> Result<Option<RoleRecord>, Refusal> {
    let read = cx.service.vault().read::<RoleRecord>(snapshot, &space::role(account, name)?).await?;
    let same = |role: &RoleRecord| format!("arn:aws:iam::{account}:role{}{}", role.path, role.name) == arn;
    Ok(read.map(|read| read.record).filter(same))
}

/// The length of a session, in seconds.
pub(crate) fn duration(asked: Option<u32>, most: u32) -> Result<u32, Refusal> {
    let seconds = asked.unwrap_or(DEFAULT_SECONDS);
    if seconds > most {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Refusal::new(QueryErrorCode::ValidationError, message));
    }
    Ok(seconds)
}

/// The source identity of the new session: once set, it stays through a chain of roles.
fn source_identity(cx: &Cx<'_>, asked: Option<String>) -> Result<Option<String>, Refusal> {
    let held = cx.caller.session().and_then(|session| session.source_identity.clone());
    match (held, asked) {
        (Some(held), Some(asked)) if held != asked => {
            // AWS: unverified. The text is ours.
            let message = "The SourceIdentity of a session cannot be changed.";
            Err(Refusal::new(QueryErrorCode::AccessDenied, message))
        }
        (Some(held), _) => Ok(Some(held)),
        (None, asked) => Ok(asked),
    }
}

fn check_transitive(keys: &[String], tags: &[TagRecord]) -> Result<(), Refusal> {
    let is_given = |key: &String| tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key));
    if keys.iter().all(is_given) {
        return Ok(());
    }
    let message = "The specified transitive tag key must be included in the requested tags.";
    Err(Refusal::new(QueryErrorCode::InvalidParameterValue, message))
}

/// What is asked of the trust policy.
pub(crate) struct Asked<'a> {
    pub(crate) role_arn: &'a str,
    pub(crate) role: &'a RoleRecord,
    pub(crate) account: AccountId,
    pub(crate) session_name: &'a str,
    pub(crate) external_id: Option<&'a str>,
    pub(crate) source_identity: Option<&'a str>,
    pub(crate) tags: &'a [TagRecord],
    pub(crate) transitive: &'a [String],
}

async fn authorize(cx: &Cx<'_>, asked: &Asked<'_>) -> Result<(), Refusal> {
    check(cx, asked, "sts:AssumeRole", &[]).await?;
    if !asked.tags.is_empty() {
        check(cx, asked, "sts:TagSession", &[]).await?;
    }
    if asked.source_identity.is_some() {
        check(cx, asked, "sts:SetSourceIdentity", &[]).await?;
    }
    Ok(())
}

/// Asks the trust policy of the role and the caller's own policies for one action.
pub(crate) async fn check(
    cx: &Cx<'_>,
    asked: &Asked<'_>,
    action: &str,
    claims: &[(&str, &[&str])],
) -> Result<(), Refusal> {
    let bound = asked.role.bound.as_deref().unwrap_or_default();
    let ids = |arn: &str| bound.iter().find(|bound| bound.arn == arn).map(|bound| bound.id.as_str());
    let trust = Policy::compile_bound(Kind::Trust, &asked.role.trust, &ids).or(Err(Refusal::internal()))?;
    let mut texts = vec![(ContextKey::StsRoleSessionName, asked.session_name)];
    texts.extend(asked.external_id.map(|id| (ContextKey::StsExternalId, id)));
    texts.extend(asked.source_identity.map(|identity| (ContextKey::StsSourceIdentity, identity)));
    let transitive: Vec<_> = asked.transitive.iter().map(String::as_str).collect();
    let lists = [(ContextKey::StsTransitiveTagKeys, transitive.as_slice())];
    let tags: Vec<_> = asked.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let particulars = Particulars {
        lists: if transitive.is_empty() { &[] } else { &lists },
        others: claims,
        tags: &tags,
        ..Particulars::of(&texts)
    };
    let resource = Elsewhere {
        arn: asked.role_arn,
        account: asked.account,
        policy: Some(&trust),
        tags: &asked.role.tags,
    };
    match gate::authorize_elsewhere(cx, action, resource, &particulars).await {
        Ok(()) => Ok(()),
        Err(gate::GateError::Undecided(error)) => Err(error.into()),
        Err(_) => Err(denied(cx, action, asked.role_arn)),
    }
}

/// The refusal of a role that may or may not exist.
pub(crate) fn denied(cx: &Cx<'_>, action: &str, role_arn: &str) -> Refusal {
    let message = match cx.caller.principal() {
        Principal::WebIdentity(_) => format!("Not authorized to perform {action}"),
        Principal::FederatedUser(_)
        | Principal::Role(_)
        | Principal::Root
        | Principal::Service(_)
        | Principal::User(_) => {
            format!(
                "User: {} is not authorized to perform: {action} on resource: {role_arn}",
                cx.caller.arn()
            )
        }
    };
    Refusal::new(QueryErrorCode::AccessDenied, message)
}
