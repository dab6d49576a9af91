//! Decrypt: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>.
//!
//! Errors, in order: InvalidGrantToken, UnsupportedOperation (Recipient) · NotFound · InvalidCiphertext (no blob of ours) ·
//! IncorrectKey · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState · InvalidKeyUsage (algorithm) ·
//! InvalidCiphertext · DryRunOperation.

use std::collections::BTreeMap;

use keyreeve_core::gate::actions::Opening;
use keyreeve_core::gate::{self, Ready, actions};
use keyreeve_core::view::Found;
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::ciphertext::Header;
use keyreeve_domain::spec::{DryRunModifier, KeyLastUsageOperation};
use keyreeve_wire::{Blob, DecryptInput, DecryptOutput, ErrorCode};
use zeroize::Zeroizing;

use crate::{grant_tokens, symmetric};

pub(crate) async fn decrypt(cx: &mut Cx<'_>, input: DecryptInput) -> Result<DecryptOutput, Refusal> {
    grant_tokens::check(&input.grant_tokens)?;
    symmetric::check_recipient(input.recipient.as_ref())?;
    let ignored = input.dry_run && input.dry_run_modifiers.contains(&DryRunModifier::IgnoreCiphertext);
    let blob = input.ciphertext_blob.as_ref().filter(|_| !ignored);
    let (found, sealed) = find_source::<actions::Decrypt>(cx, blob, input.key_id.as_deref()).await?;
    let ready = cx.open::<actions::Decrypt>(&found)?;
    let encryption_algorithm = symmetric::check_algorithm(&ready, input.encryption_algorithm)?;
    let Some(sealed) = sealed else { return Err(symmetric::dry_run_ended()) };
    let plaintext = open_blob(&ready, &sealed, input.encryption_context.as_map())?;
    symmetric::end_dry_run(input.dry_run)?;
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::Decrypt);
    Ok(DecryptOutput {
        ciphertext_for_recipient: None,
        encryption_algorithm,
        key_id: ready.arn_text().to_owned(),
        key_material_id: Some(sealed.header.material.to_string()),
        plaintext: Some(plaintext.into()),
    })
}

/// A blob and what it says of itself.
pub(crate) struct Sealed<'b> {
    pub(crate) header: Header,
    blob: &'b [u8],
}

/// The key that made `blob`; without a blob (a dry run that ignores it), the named key.
pub(crate) async fn find_source<'b, A: Opening>(
    cx: &mut Cx<'_>,
    blob: Option<&'b Blob>,
    key_id: Option<&str>,
) -> Result<(Found, Option<Sealed<'b>>), Refusal> {
    let named = match key_id {
        Some(key_id) => Some(cx.find::<A>(key_id).await?),
        None => None,
    };
    let Some(blob) = blob.map(AsRef::<[u8]>::as_ref) else {
        // AWS: unverified. The text where neither names a key is our own.
        let missing = "A KeyId is required when the ciphertext is ignored.";
        return Ok((named.ok_or_else(|| Refusal::new(ErrorCode::Validation, missing))?, None));
    };
    let header = Header::read(blob).or(Err(Refusal::silent(ErrorCode::InvalidCiphertext)))?;
    if let Some(named) = named {
        if named.key.arn().key != header.key {
            let message =
                "The key ID in the request does not identify a CMK that can perform this operation.";
            return Err(Refusal::new(ErrorCode::IncorrectKey, message));
        }
        return Ok((named, Some(Sealed { header, blob })));
    }
    let key = cx.service.key(cx.region, header.key).await?;
    let key = key.filter(|key| key.arn().account == cx.caller.account());
    let key = key.ok_or_else(|| gate::unseen_ciphertext::<A>(cx.caller))?;
    cx.notes.resource(keyreeve_audit::event::Resource::Key(*key.arn()));
    Ok((Found { key, alias: None }, Some(Sealed { header, blob })))
}

/// Decrypts; every reason for a failure has the same answer.
pub(crate) fn open_blob<A: Opening>(
    ready: &Ready<'_, A>,
    sealed: &Sealed<'_>,
    context: &BTreeMap<String, String>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let invalid = || Refusal::silent(ErrorCode::InvalidCiphertext);
    let key = ready.opening(&sealed.header.material)?.ok_or_else(invalid)?;
    key.open(sealed.blob, context).ok().ok_or_else(invalid)
}
