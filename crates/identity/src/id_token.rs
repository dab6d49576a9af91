//! ID tokens of OpenID Connect providers: JSON Web Tokens (RFC 7519), signed (RFC 7515).
//!
//! Source: <https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>.

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use keyreeve_domain::Timestamp;
use serde_json::{Map, Value};

/// The algorithms that are accepted: signatures with a public key, never a shared secret.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// A token is not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum IdTokenError {
    /// It is no signed token, or its claims are not of their types.
    #[error("the token is not well formed")]
    Malformed,
    /// No key of the provider fits.
    #[error("no key of the provider fits the token")]
    NoKey,
    /// The signature is not the provider's.
    #[error("the signature of the token is not the provider's")]
    Signature,
    /// Its time is over.
    #[error("the time of the token is over")]
    Expired {
        /// When it ended, in seconds since the epoch.
        at: i64,
        /// The time, in seconds since the epoch.
        now: i64,
    },
    /// A claim that every token has is not there.
    #[error("the token has no claim `{0}`")]
    Missing(&'static str),
    /// It is not valid yet.
    #[error("the token is not valid yet")]
    NotYet,
}

/// The claims of a token whose signature was verified.
#[derive(Clone, Debug)]
pub(crate) struct Claims(Map<String, Value>);

/// Who issued the token, as it says itself: nothing is verified.
pub(crate) fn issuer(token: &str) -> Result<String, IdTokenError> {
    let claims: Map<String, Value> = insecure_decode_claims(token).or(Err(IdTokenError::Malformed))?;
    claims.get("iss").and_then(Value::as_str).map(str::to_owned).ok_or(IdTokenError::Missing("iss"))
}

/// Verifies `token` with the key set `keys` at `now`.
pub(crate) fn verify(token: &str, keys: &str, now: Timestamp) -> Result<Claims, IdTokenError> {
    let header = decode_header(token).or(Err(IdTokenError::Malformed))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(IdTokenError::Signature);
    }
    let keys: JwkSet = serde_json::from_str(keys).or(Err(IdTokenError::NoKey))?;
    let key = find(&keys, header.kid.as_deref(), header.alg).ok_or(IdTokenError::NoKey)?;
    let key = DecodingKey::from_jwk(key).or(Err(IdTokenError::NoKey))?;
    let mut validation = Validation::new(header.alg);
    // The time of day and what is accepted are asked for below: here counts the signature alone.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = decode::<Map<String, Value>>(token, &key, &validation);
    let claims = Claims(decoded.or(Err(IdTokenError::Signature))?.claims);
    let seconds = now.millis().div_euclid(1000);
    let ends = claims.seconds("exp").ok_or(IdTokenError::Missing("exp"))?;
    if ends <= seconds {
        return Err(IdTokenError::Expired { at: ends, now: seconds });
    }
    if claims.seconds("nbf").is_some_and(|from| from > seconds + SKEW_SECONDS) {
        return Err(IdTokenError::NotYet);
    }
    Ok(claims)
}

/// How far the clock of a provider may be ahead.
const SKEW_SECONDS: i64 = 300;

/// The key that a header names; without a name, the only one for its algorithm.
fn find<'k>(keys: &'k JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<&'k Jwk> {
    let fits = |key: &&Jwk| {
        let signs =
            key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
        signs && key.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm))
    };
    match id {
        Some(id) => keys.keys.iter().filter(fits).find(|key| key.common.key_id.as_deref() == Some(id)),
        None => {
            let mut fitting = keys.keys.iter().filter(fits);
            fitting.next().filter(|_| fitting.next().is_none())
        }
    }
}

impl Claims {
    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a text or a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A claim that is an object.
    pub(crate) fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.0.get(name)?.as_object()
    }

    fn seconds(&self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        // RFC 7519 allows fractions.
        value.as_i64().or_else(|| value.to_string().split('.').next()?.parse().ok())
    }
}
