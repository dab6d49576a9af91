//! GetSessionToken and GetFederationToken:
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>,
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html>.
//!
//! Errors, in order: AccessDenied (temporary credentials, no permission) · MalformedPolicyDocument, PackedPolicyTooLarge.

use keyreeve_core::gate::{self, Elsewhere, Particulars};
use keyreeve_core::identity::session::{NamedId, SessionHolder};
use keyreeve_core::{Cx, Principal};
use keyreeve_wire::query::QueryErrorCode;
use keyreeve_wire::sts::{
    FederatedUser, GetFederationTokenInput, GetFederationTokenOutput, GetSessionTokenInput,
    GetSessionTokenOutput,
};

use crate::refusal::Refusal;
use crate::sessions::{self, Beginning, Passed};

const DEFAULT_SECONDS: u32 = 12 * 3600;
/// The longest session that the root user gets.
const ROOT_SECONDS: u32 = 3600;

pub(crate) async fn get_session_token(
    cx: &mut Cx<'_>,
    input: GetSessionTokenInput,
) -> Result<GetSessionTokenOutput, Refusal> {
    let holder = match long_term_user(cx, "GetSessionToken")? {
        Some(user) => SessionHolder::User { user },
        None => SessionHolder::Root,
    };
    if input.serial_number.is_some() || input.token_code.is_some() {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
        return Err(Refusal::new(QueryErrorCode::AccessDenied, message));
    }
    let session = Beginning {
        account: cx.caller.account(),
        holder,
        seconds: seconds(cx, input.duration_seconds),
        passed: Passed::default(),
        tags: Vec::new(),
        transitive: Vec::new(),
        source_identity: None,
        provider: None,
    };
    let issued = sessions::issue(cx, session)?;
    Ok(GetSessionTokenOutput {
        credentials: issued.credentials,
        session_token_utilization: issued.utilization,
        session_token_size: issued.token_size,
    })
}

pub(crate) async fn get_federation_token(
    cx: &mut Cx<'_>,
    input: GetFederationTokenInput,
) -> Result<GetFederationTokenOutput, Refusal> {
    let user = long_term_user(cx, "GetFederationToken")?;
    let account = cx.caller.account();
    let arn = format!("arn:aws:sts::{account}:federated-user/{}", input.name);
    let tags = sessions::tags(input.tags)?;
    for action in ["sts:GetFederationToken"].into_iter().chain((!tags.is_empty()).then_some("sts:TagSession"))
    {
        let pairs: Vec<_> = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
        let particulars = Particulars { tags: &pairs, ..Particulars::NONE };
        let resource = Elsewhere { arn: &arn, account, policy: None, tags: &[] };
        gate::authorize_elsewhere(cx, action, resource, &particulars).await?;
    }
    let snapshot = cx.service.vault().snapshot().await?;
    let passed = sessions::passed(cx, &*snapshot, account, input.policy, input.policy_arns).await?;
    // A federated user is always told, of nothing as well.
    let packed_policy_size = sessions::packed_size(&passed, &tags)?.or(Some(0));
    let session = Beginning {
        account,
        holder: SessionHolder::Federated { name: input.name.clone(), user },
        seconds: seconds(cx, input.duration_seconds),
        passed,
        tags,
        transitive: Vec::new(),
        source_identity: None,
        provider: None,
    };
    let issued = sessions::issue(cx, session)?;
    Ok(GetFederationTokenOutput {
        credentials: issued.credentials,
        federated_user: FederatedUser { federated_user_id: format!("{account}:{}", input.name), arn },
        packed_policy_size,
        session_token_utilization: issued.utilization,
        session_token_size: issued.token_size,
    })
}

/// The user who calls with a long-term access key; none for the root user.
fn long_term_user(cx: &Cx<'_>, operation: &str) -> Result<Option<NamedId>, Refusal> {
    let refused = || {
        let message = format!("Cannot call {operation} with session credentials");
        Err(Refusal::new(QueryErrorCode::AccessDenied, message))
    };
    if cx.caller.session().is_some() {
        return refused();
    }
    match cx.caller.principal() {
        Principal::Root => Ok(None),
        Principal::User(user) => Ok(Some(NamedId { name: user.name.clone(), id: user.id.clone() })),
        Principal::FederatedUser(_)
        | Principal::Role(_)
        | Principal::Service(_)
        | Principal::WebIdentity(_) => refused(),
    }
}

fn seconds(cx: &Cx<'_>, asked: Option<u32>) -> u32 {
    let asked = asked.unwrap_or(DEFAULT_SECONDS);
    if *cx.caller.principal() == Principal::Root { asked.min(ROOT_SECONDS) } else { asked }
}
