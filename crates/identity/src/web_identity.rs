//! AssumeRoleWithWebIdentity:
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>.
//!
//! Errors, in order: ValidationError (ARN) · InvalidIdentityToken (no provider, key or signature; audience) · ExpiredToken,
//! IDPCommunicationError · AccessDenied · ValidationError (duration) · MalformedPolicyDocument, PackedPolicyTooLarge.
//! Source of the claims that policies may ask for:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif>.

use keyreeve_core::caller::WebIdentity;
use keyreeve_core::identity::record::ProviderRecord;
use keyreeve_core::identity::session::{NamedId, SessionHolder};
use keyreeve_core::identity::space;
use keyreeve_core::record::TagRecord;
use keyreeve_core::{Caller, Cx, Principal, Service};
use keyreeve_domain::Timestamp;
use keyreeve_wire::query::QueryErrorCode;
use keyreeve_wire::sts::{AssumeRoleWithWebIdentityInput, AssumeRoleWithWebIdentityOutput, Tag};
use serde_json::Value;

use crate::assume_role::{self, Asked};
use crate::id_token::{self, Claims, IdTokenError};
use crate::refusal::Refusal;
use crate::sessions::{self, Beginning};

/// The claim with the tags of a session.
const TAGS: &str = "https://aws.amazon.com/tags";
/// The claim with the source identity of a session.
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";
/// The claims that policies may ask for.
const ASKED: [&str; 6] = ["aud", "azp", "sub", "amr", "email", "acr"];

/// Somebody whose token was verified.
pub(crate) struct Identified {
    pub(crate) caller: Caller,
    claims: Claims,
    /// The URL of the provider without `https://`.
    url: String,
    audience: String,
    subject: String,
}

/// Verifies the token of a request.
pub(crate) async fn identify(
    service: &Service,
    now: Timestamp,
    input: &AssumeRoleWithWebIdentityInput,
) -> Result<Identified, Refusal> {
    let (account, _) = assume_role::role_of(&input.role_arn)?;
    // EXPOSE: the token is what is verified.
    let token = input.web_identity_token.expose();
    let issuer = id_token::issuer(token).map_err(refused)?;
    let unknown =
        || Refusal::identity_token(format!("No OpenIDConnect provider found in your account for {issuer}"));
    let url = issuer.strip_prefix("https://").ok_or_else(unknown)?.trim_end_matches('/').to_owned();
    let path = space::provider(account, &url).ok().ok_or_else(unknown)?;
    let snapshot = service.vault().snapshot().await?;
    let read = service.vault().read::<ProviderRecord>(&*snapshot, &path).await?;
    // Providers are found without regard to case; the issuer of a token is who it says, to the letter.
    let provider = read.map(|read| read.record).filter(|provider| provider.url == url).ok_or_else(unknown)?;
    let claims = verify(service, &url, token, now).await?;
    let audiences = claims.texts("aud");
    // Where there is an authorized party, the token was issued for it.
    let audience = claims.text("azp").or(audiences.first().copied());
    let audience = audience.ok_or_else(|| refused(IdTokenError::Missing("aud")))?.to_owned();
    if !provider.client_ids.iter().any(|id| *id == audience || audiences.contains(&id.as_str())) {
        return Err(Refusal::identity_token("Incorrect token audience"));
    }
    let subject = claims.text("sub").ok_or_else(|| refused(IdTokenError::Missing("sub")))?.to_owned();
    let identity = WebIdentity {
        provider: format!("arn:aws:iam::{account}:oidc-provider/{}", provider.url),
        audience: audience.clone(),
        subject: subject.clone(),
    };
    let caller = Caller::new(account, Principal::WebIdentity(identity), String::new());
    Ok(Identified { caller, claims, url, audience, subject })
}

/// Verifies a token; with keys that were just had, where those that were kept have none for it.
async fn verify(service: &Service, url: &str, token: &str, now: Timestamp) -> Result<Claims, Refusal> {
    let mut verified = Err(IdTokenError::NoKey);
    for fresh in [false, true] {
        let keys = service.issuers().keys(url, fresh).await.map_err(|error| {
            tracing::warn!(url, %error, "the keys of an identity provider could not be had");
            refused(IdTokenError::NoKey)
        })?;
        verified = id_token::verify(token, &keys, now);
        if !matches!(verified, Err(IdTokenError::NoKey)) {
            break;
        }
    }
    verified.map_err(refused)
}

fn refused(error: IdTokenError) -> Refusal {
    match error {
        IdTokenError::Malformed => Refusal::identity_token(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        ),
        IdTokenError::Missing(claim) => Refusal::identity_token(format!("Missing a required claim: {claim}")),
        // Seen with two blanks.
        IdTokenError::NoKey => Refusal::identity_token(
            "Couldn't retrieve verification key from your identity provider,  please reference \
             AssumeRoleWithWebIdentity documentation for requirements",
        ),
        // AWS: unverified.
        IdTokenError::Signature => Refusal::identity_token("The ID Token signature is not valid"),
        IdTokenError::Expired { at, now } => Refusal::new(
            QueryErrorCode::ExpiredToken,
            format!("Token expired: current date/time {now} must be before the expiration date/time {at}"),
        ),
        // AWS: unverified.
        IdTokenError::NotYet => Refusal::identity_token("The ID Token is not valid yet"),
    }
}

/// Begins the session.
pub(crate) async fn assume(
    cx: &mut Cx<'_>,
    input: AssumeRoleWithWebIdentityInput,
    known: &Identified,
) -> Result<AssumeRoleWithWebIdentityOutput, Refusal> {
    let (account, name) = assume_role::role_of(&input.role_arn)?;
    let snapshot = cx.service.vault().snapshot().await?;
    let Some(role) = assume_role::find(cx, &*snapshot, account, name, &input.role_arn).await? else {
        return Err(assume_role::denied(cx, "sts:AssumeRoleWithWebIdentity", &input.role_arn));
    };
    let (tags, transitive) = session_tags(&known.claims)?;
    let source_identity = known.claims.text(SOURCE_IDENTITY).map(str::to_owned);
    let asked = Asked {
        role_arn: &input.role_arn,
        role: &role,
        account,
        session_name: &input.role_session_name,
        external_id: None,
        source_identity: source_identity.as_deref(),
        tags: &tags,
        transitive: &transitive,
    };
    authorize(cx, &asked, known).await?;
    assume_role::note_role(cx, account, &input.role_arn);
    let seconds = assume_role::duration(input.duration_seconds, role.max_session_seconds)?;
    let passed = sessions::passed(cx, &*snapshot, account, input.policy, input.policy_arns).await?;
    let packed_policy_size = sessions::packed_size(&passed, &tags)?;
    let provider = match known.caller.principal() {
        Principal::WebIdentity(identity) => Some(identity.provider.clone()),
        Principal::FederatedUser(_)
        | Principal::Role(_)
        | Principal::Root
        | Principal::Service(_)
        | Principal::User(_) => None,
    };
    let session = Beginning {
        account,
        holder: SessionHolder::Role {
            role: NamedId { name: role.name.clone(), id: role.id.clone() },
            name: input.role_session_name.clone(),
        },
        seconds,
        passed,
        tags,
        transitive,
        source_identity: source_identity.clone(),
        provider: provider.clone(),
    };
    let issued = sessions::issue(cx, session)?;
    Ok(AssumeRoleWithWebIdentityOutput {
        credentials: issued.credentials,
        subject_from_web_identity_token: known.subject.clone(),
        assumed_role_user: assume_role::assumed(account, &role, &input.role_session_name),
        packed_policy_size,
        provider: provider.unwrap_or_default(),
        audience: known.audience.clone(),
        source_identity,
        session_token_utilization: issued.utilization,
        session_token_size: issued.token_size,
    })
}

async fn authorize(cx: &Cx<'_>, asked: &Asked<'_>, known: &Identified) -> Result<(), Refusal> {
    let values: Vec<(String, Vec<&str>)> = ASKED
        .iter()
        .flat_map(|name| {
            let held = known.claims.texts(name);
            match *name {
                // Documented: with an authorized party, `aud` is that, and `oaud` the audience.
                "aud" if known.claims.text("azp").is_some() => {
                    vec![
                        (format!("{}:oaud", known.url), held),
                        (format!("{}:aud", known.url), vec![known.audience.as_str()]),
                    ]
                }
                name => vec![(format!("{}:{name}", known.url), held)],
            }
        })
        .filter(|(_, values)| !values.is_empty())
        .collect();
    let claims: Vec<(&str, &[&str])> =
        values.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    assume_role::check(cx, asked, "sts:AssumeRoleWithWebIdentity", &claims).await?;
    if !asked.tags.is_empty() {
        assume_role::check(cx, asked, "sts:TagSession", &claims).await?;
    }
    if asked.source_identity.is_some() {
        assume_role::check(cx, asked, "sts:SetSourceIdentity", &claims).await?;
    }
    Ok(())
}

/// The tags that a token gives its session, and the keys of those that are inherited.
fn session_tags(claims: &Claims) -> Result<(Vec<TagRecord>, Vec<String>), Refusal> {
    let Some(claim) = claims.object(TAGS) else { return Ok((Vec::new(), Vec::new())) };
    let first = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(texts) => texts.first()?.as_str().map(str::to_owned),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    let tags = claim.get("principal_tags").and_then(Value::as_object).into_iter().flatten();
    let tags = tags.filter_map(|(key, value)| Some(Tag { key: key.clone(), value: first(value)? }));
    let transitive = claim.get("transitive_tag_keys").and_then(Value::as_array).into_iter().flatten();
    let transitive = transitive.filter_map(|key| key.as_str().map(str::to_owned)).collect();
    Ok((sessions::tags(tags.collect())?, transitive))
}
