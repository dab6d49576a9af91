//! CreateGrant: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>.
//!
//! Errors, in order: ValidationException (principals, operations, constraints) · InvalidGrantToken · InvalidArn (an alias) ·
//! NotFound · AccessDenied · Disabled, KMSInvalidState · ValidationException (operations, constraints of another kind of
//! key) · InvalidArn (principals) · DryRunOperation · LimitExceeded.

use std::collections::BTreeMap;

use keyreeve_audit::json::Object;
use keyreeve_core::commit::Draft;
use keyreeve_core::gate::pairs::{Kind, kind};
use keyreeve_core::gate::{self, Particulars, actions};
use keyreeve_core::grants::party::PartyError;
use keyreeve_core::grants::{GrantParty, GrantRecord, SameGrantRecord, TokenContent};
use keyreeve_core::ring::OpenKey;
use keyreeve_core::vault::VaultError;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_crypto::random;
use keyreeve_domain::spec::{GrantOperation, KeyUsage};
use keyreeve_policy::ContextKey;
use keyreeve_store::Snapshot;
use keyreeve_wire::{CreateGrantInput, CreateGrantOutput, ErrorCode, GrantConstraints};

use crate::create_alias::ATTEMPTS;
use crate::create_key::space_path;
use crate::{grant_tokens, grants, symmetric};

pub(crate) async fn create_grant(
    cx: &mut Cx<'_>,
    input: CreateGrantInput,
) -> Result<CreateGrantOutput, Refusal> {
    check(&input)?;
    grant_tokens::check(cx, &input.grant_tokens)?;
    for _ in 0..ATTEMPTS {
        match try_create(cx, &input).await? {
            Ok(output) => return Ok(output),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

async fn try_create(
    cx: &mut Cx<'_>,
    input: &CreateGrantInput,
) -> Result<Result<CreateGrantOutput, VaultError>, Refusal> {
    let found = cx.find_without_alias::<actions::CreateGrant>(&input.key_id).await?;
    let snapshot = cx.service.vault().snapshot().await?;
    let arn = *found.key.arn();
    let Some(key) = cx.service.key_at(&*snapshot, arn.region, arn.key).await? else {
        return Ok(Err(VaultError::Contended));
    };
    let parties = Parties {
        grantee: grants::party(cx, &*snapshot, input.grantee_principal.as_deref()).await?,
        retiring: grants::party(cx, &*snapshot, input.retiring_principal.as_deref()).await?,
    };
    authorize(cx, &key, input, &parties).await?;
    check_key(&key, input)?;
    let mut record = record(cx, input, parties)?;
    symmetric::end_dry_run(input.dry_run)?;
    let mut same = None;
    if let Some(properties) = record.properties() {
        let path = space_path(space::same_grant(arn.region, arn.key, properties))?;
        same = cx.service.vault().read::<SameGrantRecord>(&*snapshot, &path).await?;
    }
    if let Some(same) = same {
        record.id = same.record.id;
    } else {
        reserve(cx, &*snapshot, &key).await?;
        let mut draft = Draft::new(cx.service.vault());
        let drafted = draft.add_grant(&arn, &record);
        draft.require(&space_path(space::key(arn.region, arn.key))?, Some(key.version()));
        let committed = match drafted {
            Ok(()) => cx.commit(draft).await,
            Err(error) => Err(error),
        };
        if let Err(error) = committed {
            cx.service.ring().release_grant(arn.region, arn.key);
            return Ok(Err(error));
        }
    }
    let mut elements = Object::begin(&mut cx.notes.response_elements);
    elements.string("grantId", &record.id);
    elements.string("keyId", &arn.to_string());
    elements.end();
    let token = TokenContent { region: arn.region, key: arn.key, grant: record.id.clone() };
    let grant_token = cx.service.vault().seal_grant_token(&token)?;
    Ok(Ok(CreateGrantOutput { grant_id: record.id, grant_token }))
}

/// What can be said of a request without its key.
fn check(input: &CreateGrantInput) -> Result<(), Refusal> {
    // AWS: unverified. Of these texts only the one on CreateGrant alone is the service's.
    let invalid = |text: &str| Err(Refusal::new(ErrorCode::Validation, text));
    match (&input.grantee_principal, &input.grantee_service_principal) {
        (Some(_), Some(_)) => {
            return invalid(
                "You cannot specify GranteePrincipal and GranteeServicePrincipal in the same request.",
            );
        }
        (None, None) => return invalid("GranteePrincipal must not be null"),
        (Some(_), None) => {}
        (None, Some(_)) => {
            let has_source = input.constraints.as_ref().is_some_and(|asked| asked.source_arn.is_some());
            if !has_source {
                return invalid("A grant to a service principal needs a SourceArn constraint.");
            }
            if input.retiring_principal.is_none() && input.retiring_service_principal.is_none() {
                return invalid("A grant to a service principal needs a retiring principal.");
            }
        }
    }
    if input.retiring_principal.is_some() && input.retiring_service_principal.is_some() {
        return invalid(
            "You cannot specify RetiringPrincipal and RetiringServicePrincipal in the same request.",
        );
    }
    if input.operations.is_empty() {
        return invalid("Grants must contain at least one operation.");
    }
    for alone in [GrantOperation::CreateGrant, GrantOperation::RetireGrant] {
        if input.operations.iter().all(|operation| *operation == alone) {
            return invalid(&format!("Grants must not contain only the {alone} operation."));
        }
    }
    for pairs in pairs(input.constraints.as_ref()).into_iter().flatten() {
        if pairs.len() > MOST_PAIRS {
            return invalid("A grant constraint has at most 8 encryption context pairs.");
        }
        if pairs.values().any(|value| value.chars().count() > LONGEST_VALUE) {
            return invalid("An encryption context value of a grant constraint has at most 384 characters.");
        }
    }
    Ok(())
}

const MOST_PAIRS: usize = 8;
const LONGEST_VALUE: usize = 384;

fn pairs(constraints: Option<&GrantConstraints>) -> [Option<&BTreeMap<String, String>>; 2] {
    let asked = |of: fn(&GrantConstraints) -> Option<&keyreeve_wire::EncryptionContext>| {
        constraints.and_then(of).map(|context| context.as_map())
    };
    [
        asked(|constraints| constraints.encryption_context_equals.as_ref()),
        asked(|constraints| constraints.encryption_context_subset.as_ref()),
    ]
}

/// What a request names as a principal: whoever that is, or why it is nobody.
type Named = Option<Result<GrantParty, PartyError>>;

struct Parties {
    grantee: Named,
    retiring: Named,
}

/// Opens the gate with what the grant would be. To make grants by a grant, its own constraint must be as strict.
async fn authorize(
    cx: &Cx<'_>,
    key: &std::sync::Arc<OpenKey>,
    input: &CreateGrantInput,
    parties: &Parties,
) -> Result<(), Refusal> {
    let operations: Vec<_> = input.operations.iter().map(|operation| operation.as_str()).collect();
    let [equals, subset] = pairs(input.constraints.as_ref());
    let mut texts = vec![(ContextKey::KmsGrantIsForAwsResource, grants::is_for_resource(cx))];
    match (equals, subset) {
        (_, Some(_)) => texts.push((ContextKey::KmsGrantConstraintType, "EncryptionContextSubset")),
        (Some(_), None) => texts.push((ContextKey::KmsGrantConstraintType, "EncryptionContextEquals")),
        (None, None) => {}
    }
    let source = input.constraints.as_ref().and_then(|constraints| constraints.source_arn.as_deref());
    // Policies know principals by ARN, however they are named. Of one that is not there, what was named; it is refused below.
    let known = |party: &Named, asked: Option<&str>| match party {
        Some(Ok(party)) => Some(party.as_str().to_owned()),
        Some(Err(_)) => asked.map(str::to_owned),
        None => None,
    };
    let grantee = known(&parties.grantee, input.grantee_principal.as_deref());
    let retiring = known(&parties.retiring, input.retiring_principal.as_deref());
    for (name, value) in [
        (ContextKey::KmsGranteePrincipal, grantee.as_deref()),
        (ContextKey::KmsGranteeServicePrincipal, input.grantee_service_principal.as_deref()),
        (ContextKey::KmsRetiringPrincipal, retiring.as_deref()),
        (ContextKey::KmsRetiringServicePrincipal, input.retiring_service_principal.as_deref()),
        (ContextKey::KmsGrantConstraintSourceArn, source),
    ] {
        texts.extend(value.map(|value| (name, value)));
    }
    let none = BTreeMap::new();
    let lists = [(ContextKey::KmsGrantOperations, operations.as_slice())];
    let particulars = Particulars {
        encryption_context: Some(equals.or(subset).unwrap_or(&none)),
        lists: &lists,
        ..Particulars::of(&texts)
    };
    gate::open::<actions::CreateGrant>(cx, key, None, &particulars).await?;
    Ok(())
}

/// Refuses operations and constraints that mean nothing to this kind of key.
fn check_key(key: &OpenKey, input: &CreateGrantInput) -> Result<(), Refusal> {
    use GrantOperation as G;
    let record = key.record();
    let is_symmetric = kind(record.spec) == Kind::Symmetric;
    let is_pair = kind(record.spec) == Kind::Pair;
    let fits = |operation: G| match operation {
        G::CreateGrant | G::DescribeKey | G::RetireGrant => true,
        G::Encrypt | G::Decrypt | G::ReEncryptFrom | G::ReEncryptTo => {
            record.usage == KeyUsage::EncryptDecrypt
        }
        G::GenerateDataKey
        | G::GenerateDataKeyPair
        | G::GenerateDataKeyPairWithoutPlaintext
        | G::GenerateDataKeyWithoutPlaintext => is_symmetric,
        G::Sign | G::Verify => record.usage == KeyUsage::SignVerify,
        G::GenerateMac | G::VerifyMac => record.usage == KeyUsage::GenerateVerifyMac,
        G::DeriveSharedSecret => record.usage == KeyUsage::KeyAgreement,
        G::Encapsulate | G::Decapsulate => record.usage == KeyUsage::EncapsulateDecapsulate,
        G::GetPublicKey => is_pair,
    };
    // The text is recorded of HMAC keys. AWS: unverified for others: the word for key pairs, and the order of what is valid.
    let unfit: Vec<_> = input.operations.iter().copied().filter(|operation| !fits(*operation)).collect();
    if !unfit.is_empty() {
        let mut valid: Vec<_> = G::ALL.iter().copied().filter(|operation| fits(*operation)).collect();
        let place = |operation: &G| FIRST.iter().position(|first| first == operation).unwrap_or(FIRST.len());
        valid.sort_by_key(place);
        let message = format!(
            "Operations [{}] are not supported when creating a grant for {} KMS key with key usage {}. Valid operations are [{}]",
            names(&unfit),
            if is_pair { "an asymmetric" } else { "a symmetric" },
            record.usage,
            names(&valid),
        );
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    if !is_symmetric && pairs(input.constraints.as_ref()).iter().any(Option::is_some) {
        let message =
            "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.";
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    Ok(())
}

/// The operations that a refusal names first.
const FIRST: [GrantOperation; 3] =
    [GrantOperation::CreateGrant, GrantOperation::RetireGrant, GrantOperation::DescribeKey];

fn names(operations: &[GrantOperation]) -> String {
    let names: Vec<_> = operations.iter().map(|operation| operation.as_str()).collect();
    names.join(", ")
}

/// The grant, as it will be if no other has its name.
fn record(cx: &Cx<'_>, input: &CreateGrantInput, parties: Parties) -> Result<GrantRecord, Refusal> {
    let grantee = party(
        "GranteePrincipal",
        parties.grantee,
        input.grantee_principal.as_deref(),
        input.grantee_service_principal.as_deref(),
    )?;
    let retiring = party(
        "RetiringPrincipal",
        parties.retiring,
        input.retiring_principal.as_deref(),
        input.retiring_service_principal.as_deref(),
    )?;
    let bits: [u8; 32] = random::array(cx.service.vault().random())?;
    let [equals, subset] = pairs(input.constraints.as_ref());
    let mut operations: Vec<String> = Vec::new();
    for operation in &input.operations {
        let name = operation.as_str();
        if !operations.iter().any(|known| known == name) {
            operations.push(name.to_owned());
        }
    }
    Ok(GrantRecord {
        id: bits.iter().map(|byte| format!("{byte:02x}")).collect(),
        grantee: grantee.ok_or_else(Refusal::internal)?,
        retiring,
        issuing_account: cx.caller.account(),
        operations,
        context_equals: equals.cloned(),
        context_subset: subset.cloned(),
        source_arn: input.constraints.as_ref().and_then(|constraints| constraints.source_arn.clone()),
        name: input.name.clone(),
        created: cx.now,
    })
}

/// A principal that exists, which the request names as its `member`.
fn party(
    member: &str,
    named: Named,
    asked: Option<&str>,
    service: Option<&str>,
) -> Result<Option<GrantParty>, Refusal> {
    let Some(named) = named else {
        return Ok(service.map(|name| GrantParty::Service { name: name.to_owned() }));
    };
    named.map(Some).map_err(|error| match error {
        PartyError::Gone => {
            let message = format!("{member} does not refer to a valid principal.");
            Refusal::new(ErrorCode::InvalidArn, message)
        }
        PartyError::Malformed | PartyError::Unknown | PartyError::Vault(_) => {
            grants::no_party(&error, asked.unwrap_or_default())
        }
    })
}

/// Takes a place under the quota of grants; counts them first where nobody has yet.
async fn reserve(cx: &Cx<'_>, snapshot: &dyn Snapshot, key: &OpenKey) -> Result<(), Refusal> {
    let (region, id) = (key.arn().region, key.arn().key);
    let quota = cx.service.quotas().grants_per_key;
    let ring = cx.service.ring();
    let room = match ring.reserve_grant(region, id, quota) {
        Some(room) => room,
        None => {
            let count = snapshot.count(&space::grants_prefix(region, id)).await.map_err(VaultError::from)?;
            ring.note_grant_count(region, id, count);
            ring.reserve_grant(region, id, quota).unwrap_or(false)
        }
    };
    if room {
        return Ok(());
    }
    // AWS: unverified. The form is that of the alias quota.
    let message = format!("Grants per key quota for this key is {quota}, current usage is {quota}.");
    Err(Refusal::new(ErrorCode::LimitExceeded, message))
}
