//! ECDH: the elliptic curve cofactor Diffie-Hellman primitive (SP 800-56A section 5.7.1.2).

use aws_lc_rs::agreement::{
    self, Algorithm, ParsedPublicKey, ParsedPublicKeyFormat, PrivateKey, UnparsedPublicKey,
};
use zeroize::Zeroizing;

use super::{AgreeError, ParseKeyError, der};

pub(super) struct Private {
    algorithm: &'static Algorithm,
    private: PrivateKey,
}

impl Private {
    pub(super) fn from_pkcs8(algorithm: &'static Algorithm, pkcs8: &[u8]) -> Result<Self, ParseKeyError> {
        let private = PrivateKey::from_private_key_der(algorithm, pkcs8).or(Err(ParseKeyError::Rejected))?;
        Ok(Self { algorithm, private })
    }

    /// `peer` is a `SubjectPublicKeyInfo` and nothing more: the library would take a bare point as well.
    pub(super) fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, AgreeError> {
        if !der::spki_algorithm(peer).is_some_and(der::names_curve) {
            return Err(AgreeError::PeerKey);
        }
        let peer: ParsedPublicKey =
            UnparsedPublicKey::new(self.algorithm, peer).try_into().or(Err(AgreeError::PeerKey))?;
        if peer.format() != ParsedPublicKeyFormat::X509 {
            return Err(AgreeError::PeerKey);
        }
        agreement::agree(&self.private, peer, AgreeError::Library, |secret| {
            Ok(Zeroizing::new(secret.to_vec()))
        })
    }
}
