//! ECDSA over P-384 with SHA-384: signatures of others, to be verified.
//!
//! Source: FIPS 186-5; the forms of a key and of a signature are SEC 1 section 2.3.3, RFC 3279 section 2.2.3 and RFC 9053
//! section 2.1.

use core::fmt;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};

/// The length of an uncompressed point: `04 ‖ x ‖ y`.
pub const POINT_LEN: usize = 97;

/// The length of a signature `r ‖ s`.
pub const FIXED_SIGNATURE_LEN: usize = 96;

/// The bytes are no point in uncompressed form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an uncompressed point of P-384")]
pub struct PointError;

/// The signature is not one of this key over this message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not fit")]
pub struct SignatureError;

/// A public key. Whether the point is on the curve shows when it is used.
#[derive(Clone, Eq, PartialEq)]
pub struct PublicKey([u8; POINT_LEN]);

impl PublicKey {
    /// A key in the uncompressed form.
    ///
    /// # Errors
    /// Where the form is another.
    pub fn from_point(point: &[u8]) -> Result<Self, PointError> {
        let point: [u8; POINT_LEN] = point.try_into().or(Err(PointError))?;
        if point.first() == Some(&0x04) { Ok(Self(point)) } else { Err(PointError) }
    }

    /// Verifies a signature in the form `SEQUENCE { r INTEGER, s INTEGER }`.
    ///
    /// # Errors
    /// Where it does not fit.
    pub fn verify_asn1(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, &self.0)
            .verify(message, signature)
            .or(Err(SignatureError))
    }

    /// Verifies a signature in the form `r ‖ s` of [`FIXED_SIGNATURE_LEN`] bytes.
    ///
    /// # Errors
    /// Where it does not fit.
    pub fn verify_fixed(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &self.0)
            .verify(message, signature)
            .or(Err(SignatureError))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("p384::PublicKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        KeyPair,
    };

    fn signed(algorithm: &'static EcdsaSigningAlgorithm, message: &[u8]) -> (PublicKey, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let signature = pair.sign(&SystemRandom::new(), message).unwrap();
        (PublicKey::from_point(pair.public_key().as_ref()).unwrap(), signature.as_ref().to_vec())
    }

    #[test]
    fn a_signature_fits_its_message_its_key_and_its_form() {
        let (key, signature) = signed(&ECDSA_P384_SHA384_ASN1_SIGNING, b"message");
        assert_eq!(key.verify_asn1(b"message", &signature), Ok(()));
        assert_eq!(key.verify_fixed(b"message", &signature), Err(SignatureError));
        assert_eq!(key.verify_asn1(b"messagE", &signature), Err(SignatureError));
        let (other, fixed) = signed(&ECDSA_P384_SHA384_FIXED_SIGNING, b"message");
        assert_eq!(fixed.len(), FIXED_SIGNATURE_LEN);
        assert_eq!(other.verify_fixed(b"message", &fixed), Ok(()));
        assert_eq!(other.verify_asn1(b"message", &fixed), Err(SignatureError));
        assert_eq!(key.verify_fixed(b"message", &fixed), Err(SignatureError));
        assert_eq!(other.verify_fixed(b"message", &[0; FIXED_SIGNATURE_LEN]), Err(SignatureError));
    }

    #[test]
    fn a_point_is_uncompressed_and_on_the_curve() {
        let mut point = [0; POINT_LEN];
        assert_eq!(PublicKey::from_point(&point), Err(PointError));
        point[0] = 4;
        let key = PublicKey::from_point(&point).unwrap();
        assert_eq!(key.verify_fixed(b"", &[1; FIXED_SIGNATURE_LEN]), Err(SignatureError));
        point[0] = 2;
        assert_eq!(PublicKey::from_point(&point[..49]), Err(PointError));
    }
}
