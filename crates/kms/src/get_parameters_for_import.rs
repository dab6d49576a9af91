//! GetParametersForImport: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState · UnsupportedOperation (origin; an algorithm that
//! is refused or does not fit the wrapping key) · ValidationException (one that does not fit the key).

use keyreeve_core::gate::pairs::{Kind, kind};
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::{KeySpec, WrappingAlgorithm, WrappingKeySpec};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ErrorCode, GetParametersForImportInput, GetParametersForImportOutput};

use crate::imported;

pub(crate) async fn get_parameters_for_import(
    cx: &mut Cx<'_>,
    input: GetParametersForImportInput,
) -> Result<GetParametersForImportOutput, Refusal> {
    let (algorithm, wrapping_key) = (input.wrapping_algorithm, input.wrapping_key_spec);
    let asked = [
        (ContextKey::KmsWrappingAlgorithm, algorithm.as_str()),
        (ContextKey::KmsWrappingKeySpec, wrapping_key.as_str()),
    ];
    let found = cx.find_without_alias::<actions::GetParametersForImport>(&input.key_id).await?;
    let ready = cx.open::<actions::GetParametersForImport>(&found, &Particulars::of(&asked)).await?;
    imported::check_external(&ready)?;
    check_wrapping(cx, ready.record().spec, algorithm, wrapping_key)?;
    let made = cx.service.import_parameters(ready.arn(), ready.record(), (algorithm, wrapping_key), cx.now);
    let made = made.await?;
    Ok(GetParametersForImportOutput {
        import_token: made.token.into(),
        key_id: ready.arn_text().to_owned(),
        parameters_valid_to: made.valid_to,
        public_key: made.public_key.into(),
    })
}

/// Refuses an algorithm that does not fit the wrapping key, or that the material would not fit into.
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html>.
fn check_wrapping(
    cx: &Cx<'_>,
    spec: KeySpec,
    algorithm: WrappingAlgorithm,
    wrapping_key: WrappingKeySpec,
) -> Result<(), Refusal> {
    // AWS: unverified. The texts are not known, but for the last.
    let unsupported = |text: String| Err(Refusal::new(ErrorCode::UnsupportedOperation, text));
    let is_sm2 = wrapping_key == WrappingKeySpec::Sm2;
    if is_sm2 && !cx.service.makes_sm2(cx.region) {
        return unsupported(format!("WrappingKeySpec {wrapping_key} is not supported in this Region"));
    }
    let (fits_key, fits_spec) = match algorithm {
        // Refused since 2023-10-10.
        WrappingAlgorithm::RsaesPkcs1V15 => {
            return unsupported(format!("WrappingAlgorithm {algorithm} is not supported."));
        }
        WrappingAlgorithm::RsaesOaepSha1 | WrappingAlgorithm::RsaesOaepSha256 => {
            let is_rsa = matches!(spec, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096);
            // The documentation bars P-521 alone, which would be too long; a refusal of Ed25519 was recorded, too.
            let is_too_long = spec == KeySpec::EccNistP521 && wrapping_key == WrappingKeySpec::Rsa2048;
            (!is_sm2, !is_rsa && !is_too_long)
        }
        WrappingAlgorithm::RsaAesKeyWrapSha1 | WrappingAlgorithm::RsaAesKeyWrapSha256 => {
            (!is_sm2, kind(spec) == Kind::Pair)
        }
        WrappingAlgorithm::Sm2Pke => (is_sm2, !matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096)),
    };
    if !fits_key {
        return unsupported(format!(
            "WrappingAlgorithm {algorithm} is not compatible with WrappingKeySpec {wrapping_key}."
        ));
    }
    if !fits_spec {
        let message = format!(
            "Wrapping algorithm {algorithm} and wrapping key spec {wrapping_key} cannot be used to import a {spec} key."
        );
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    Ok(())
}
