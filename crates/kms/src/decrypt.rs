//! Decrypt: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>.
//!
//! Errors, in order: InvalidGrantToken, ValidationException (Recipient) · NotFound · AccessDenied (a named key) ·
//! InvalidCiphertext (no blob of ours) · IncorrectKey · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState ·
//! ValidationException (Recipient's document) · InvalidKeyUsage (algorithm) · ValidationException (context; asymmetric
//! keys) · InvalidCiphertext · DryRunOperation.

use keyreeve_core::gate::actions::Opening;
use keyreeve_core::gate::{self, GateError, Particulars, Ready, Why, actions};
use keyreeve_core::view::{Found, LookupError};
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::ciphertext::Header;
use keyreeve_domain::spec::{DryRunModifier, EncryptionAlgorithm, KeyLastUsageOperation};
use keyreeve_domain::{KeyArn, KeyMaterialId, KeyRef};
use keyreeve_wire::{Blob, DecryptInput, DecryptOutput, EncryptionContext, ErrorCode};
use zeroize::Zeroizing;

use crate::{asymmetric, grant_tokens, public_key, recipient, symmetric};

pub(crate) async fn decrypt(cx: &mut Cx<'_>, input: DecryptInput) -> Result<DecryptOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let recipient = recipient::check(input.recipient)?;
    let ignored = input.dry_run && input.dry_run_modifiers.contains(&DryRunModifier::IgnoreCiphertext);
    let blob = input.ciphertext_blob.as_ref().filter(|_| !ignored);
    let asked = input.encryption_algorithm;
    let texts = symmetric::asked_algorithm(asked);
    let particulars = Particulars {
        encryption_context: Some(input.encryption_context.as_map()),
        by_ciphertext: input.key_id.is_none(),
        ..Particulars::of(&texts)
    };
    let mut recipient = recipient;
    let mut named = None;
    if let Some(key_id) = &input.key_id {
        let found = find_named::<actions::Decrypt>(cx, key_id, blob, asked).await?;
        recipient = recipient::attest_early(cx, &found, recipient).await?;
        authorize_named::<actions::Decrypt>(cx, key_id, &found, &particulars).await?;
        named = Some(found);
    }
    let (found, source) = find_source::<actions::Decrypt>(cx, blob, named, asked, &particulars).await?;
    let recipient = recipient::attest_early(cx, &found, recipient).await?;
    let ready = cx.open::<actions::Decrypt>(&found, &particulars).await?;
    recipient::attest(cx, recipient).await?;
    let encryption_algorithm = symmetric::check_algorithm(&ready, asked)?;
    let context = &input.encryption_context;
    asymmetric::check_context(encryption_algorithm, context)?;
    let opened = open_source(cx, &ready, source, encryption_algorithm, context).await?;
    let Opened { plaintext, material } = opened.ok_or_else(symmetric::dry_run_ended)?;
    symmetric::end_dry_run(input.dry_run)?;
    if let Some(material) = material {
        symmetric::note_material(cx, symmetric::KEY_MATERIAL, material);
    }
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::Decrypt);
    let delivered = recipient::deliver(cx, plaintext)?;
    Ok(DecryptOutput {
        ciphertext_for_recipient: delivered.for_recipient,
        encryption_algorithm,
        key_id: ready.arn_text().to_owned(),
        key_material_id: recipient::material_id(cx, material),
        plaintext: delivered.plaintext,
    })
}

/// What is to be decrypted.
pub(crate) enum Source<'b> {
    /// The bare ciphertext of an asymmetric algorithm.
    Bare(&'b Blob),
    /// A dry run that ignores the ciphertext.
    Ignored,
    /// A blob of ours, and what it says of itself.
    Sealed { header: Header, blob: &'b [u8] },
}

/// What was decrypted.
pub(crate) struct Opened {
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    /// The id of the material, of a symmetric key.
    pub(crate) material: Option<KeyMaterialId>,
}

/// The key that `key_id` names. A bare id is one of the caller's account; but where it is the one that the ciphertext says of itself,
/// it is that key, whoever owns it.
// AWS: unverified. That a bare id of another account's key works so is documented; what is answered where it may not be used is not.
pub(crate) async fn find_named<A: Opening>(
    cx: &mut Cx<'_>,
    key_id: &str,
    blob: Option<&Blob>,
    algorithm: Option<EncryptionAlgorithm>,
) -> Result<Found, Refusal> {
    let said = blob.filter(|_| !is_bare(algorithm)).and_then(|blob| Header::read(blob.as_ref()).ok());
    if let Some(header) = said.as_ref().filter(|header| key_id.parse() == Ok(header.key))
        && let Some(key) = cx.service.key(cx.region, header.key).await?
        && key.arn().account != cx.caller.account()
    {
        return Ok(Found { key, alias: None });
    }
    // Recorded of a key related to the one that opens the ciphertext here.
    if let Ok(KeyRef::Arn(arn)) = key_id.parse()
        && arn.region != cx.region
        && arn.key.is_multi_region()
        && said.is_some_and(|header| header.key == arn.key)
    {
        return Err(incorrect_key());
    }
    cx.find::<A>(key_id).await
}

/// The refusal of another key than the one that the ciphertext was made with.
fn incorrect_key() -> Refusal {
    let message = "The key ID in the request does not identify a CMK that can perform this operation.";
    Refusal::new(ErrorCode::IncorrectKey, message)
}

/// Checks that the caller may do `A` with what [`find_named`] found.
///
/// ORDER: whether the blob is of this key is for those who may use it to know; and whether there is another account's key of a
/// bare id, for those whom its policy names.
pub(crate) async fn authorize_named<A: Opening>(
    cx: &mut Cx<'_>,
    key_id: &str,
    found: &Found,
    particulars: &Particulars<'_>,
) -> Result<(), Refusal> {
    match gate::authorize::<A>(cx, &found.key, found.alias.as_ref(), particulars).await {
        Ok(()) => {}
        Err(GateError::Denied(denied)) if denied.why == Why::Unseen => {
            return Err(match key_id.parse() {
                Ok(key) => {
                    let arn = KeyArn { region: cx.region, account: cx.caller.account(), key };
                    LookupError::NoKey(arn.to_string()).into()
                }
                Err(_) => GateError::Denied(denied).into(),
            });
        }
        Err(error) => return Err(error.into()),
    }
    cx.notes.resource(keyreeve_audit::event::Resource::Key(*found.key.arn()));
    Ok(())
}

/// Whether a ciphertext of this algorithm says nothing of its key.
fn is_bare(algorithm: Option<EncryptionAlgorithm>) -> bool {
    algorithm.is_some_and(|algorithm| algorithm != EncryptionAlgorithm::SymmetricDefault)
}

/// The key that made `blob`; without a blob (a dry run that ignores it), and for an asymmetric algorithm, the named key,
/// which the caller may use.
pub(crate) async fn find_source<'b, A: Opening>(
    cx: &mut Cx<'_>,
    blob: Option<&'b Blob>,
    named: Option<Found>,
    algorithm: Option<EncryptionAlgorithm>,
    particulars: &Particulars<'_>,
) -> Result<(Found, Source<'b>), Refusal> {
    let source = blob.map_or(Source::Ignored, Source::Bare);
    let blob = match blob {
        Some(blob) if !is_bare(algorithm) => blob.as_ref(),
        Some(_) | None => {
            // AWS: unverified. The text where neither names a key is that of another emulator's tests.
            let missing = || Refusal::new(ErrorCode::Validation, "KeyId must not be null");
            return Ok((named.ok_or_else(missing)?, source));
        }
    };
    let header = Header::read(blob).or(Err(Refusal::silent(ErrorCode::InvalidCiphertext)))?;
    if let Some(named) = named {
        if named.key.arn().key != header.key {
            return Err(incorrect_key());
        }
        return Ok((named, Source::Sealed { header, blob }));
    }
    let key = cx.service.key(cx.region, header.key).await?;
    let key = key.ok_or_else(|| gate::unseen::<A>(cx.caller, particulars))?;
    cx.notes.resource(keyreeve_audit::event::Resource::Key(*key.arn()));
    Ok((Found { key, alias: None }, Source::Sealed { header, blob }))
}

/// Decrypts; every reason for a failure has the same answer. `None` where the ciphertext is ignored.
pub(crate) async fn open_source<A: Opening>(
    cx: &Cx<'_>,
    ready: &Ready<'_, A>,
    source: Source<'_>,
    algorithm: EncryptionAlgorithm,
    context: &EncryptionContext,
) -> Result<Option<Opened>, Refusal> {
    match source {
        Source::Ignored => Ok(None),
        Source::Bare(ciphertext) => {
            let plaintext = public_key::decrypt(cx, ready, algorithm, ciphertext).await?;
            Ok(Some(Opened { plaintext, material: None }))
        }
        Source::Sealed { header, blob } => {
            let invalid = || Refusal::silent(ErrorCode::InvalidCiphertext);
            let key = ready.opening(&header.material)?.ok_or_else(invalid)?;
            let plaintext = key.open(blob, context.as_map()).ok().ok_or_else(invalid)?;
            Ok(Some(Opened { plaintext, material: Some(header.material) }))
        }
    }
}
