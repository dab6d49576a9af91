//! Who opens an object that is encrypted under a KMS key, for whoever asks for it.

use core::future::Future;
use core::pin::Pin;

use keyreeve_core::caller::Caller;
use zeroize::Zeroizing;

use crate::refusal::Refusal;
use crate::sealed_file::SealedFile;

/// What is answered with.
pub type Decrypted<'a> = Pin<Box<dyn Future<Output = Result<Zeroizing<Vec<u8>>, Refusal>> + 'a>>;

/// A KMS that decides for the caller, as S3 has it asked.
pub trait ObjectKeys {
    /// The data key of `file`, if `caller` may decrypt with its KMS key. A refusal is that of S3.
    fn decrypt<'a>(&'a self, caller: &'a Caller, file: &'a SealedFile<'a>) -> Decrypted<'a>;
}

/// What S3 answers where KMS refuses with `code`.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>; AWS: unverified for the codes of KMS.
#[must_use]
pub fn refused_by_kms(code: &str, message: String) -> Refusal {
    match code {
        "AccessDeniedException" => Refusal::new("AccessDenied", message).with_status(403),
        "DisabledException" => Refusal::new("KMS.DisabledException", message),
        "KMSInvalidStateException" => Refusal::new("KMS.KMSInvalidStateException", message),
        "NotFoundException" => Refusal::new("KMS.NotFoundException", message),
        "ThrottlingException" => {
            Refusal::new("SlowDown", "Please reduce your request rate.").with_status(503)
        }
        _ => Refusal::internal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_kms_is_one_of_s3() {
        for (code, expected, status) in [
            ("AccessDeniedException", "AccessDenied", 403),
            ("DisabledException", "KMS.DisabledException", 400),
            ("KMSInvalidStateException", "KMS.KMSInvalidStateException", 400),
            ("NotFoundException", "KMS.NotFoundException", 400),
            ("ThrottlingException", "SlowDown", 503),
            ("KMSInternalException", "InternalFailure", 500),
        ] {
            let refusal = refused_by_kms(code, String::new());
            assert_eq!((refusal.code, refusal.status), (expected, status), "{code}");
        }
    }
}
