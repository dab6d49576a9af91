//! The functions of AWS-LC that aws-lc-rs does not offer.
//!
//! Signatures of a message representative (ML-DSA, FIPS 204 section 6.2) and of a message that is hashed first (Ed25519ph,
//! RFC 8032 section 5.1), and the raw keys of an ML-KEM seed (FIPS 203 section 6.1). Each function is safe: lengths are
//! types or are checked, and the library keeps no pointer that it is given.
//!
//! The library is the one that aws-lc-rs links: the names of its symbols carry its version, so that another version of
//! `aws-lc-sys` would be another library beside it.

#[cfg(feature = "fips")]
use aws_lc_fips_sys as lc;
#[cfg(not(feature = "fips"))]
use aws_lc_sys as lc;

pub mod memory;

use core::ffi::c_int;
use core::ptr::{NonNull, null, null_mut};

/// A private key, of the kind that was asked for.
///
/// The library wipes what it holds when it frees it. Missing on purpose: `Clone`, `Debug`.
pub struct PrivateKey(Key);

/// A public key, of the kind that was asked for.
pub struct PublicKey(Key);

/// A kind of key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// ML-DSA of any parameter set.
    MlDsa,
    /// ML-KEM of any parameter set.
    MlKem,
}

impl Kind {
    fn id(self) -> c_int {
        match self {
            Self::MlDsa => lc::EVP_PKEY_PQDSA,
            Self::MlKem => lc::EVP_PKEY_KEM,
        }
    }
}

/// A parameter set of ML-KEM.
#[cfg(feature = "fips")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MlKemSet {
    /// ML-KEM-512.
    MlKem512,
    /// ML-KEM-768.
    MlKem768,
    /// ML-KEM-1024.
    MlKem1024,
}

#[cfg(feature = "fips")]
impl MlKemSet {
    fn nid(self) -> c_int {
        match self {
            Self::MlKem512 => lc::NID_MLKEM512,
            Self::MlKem768 => lc::NID_MLKEM768,
            Self::MlKem1024 => lc::NID_MLKEM1024,
        }
    }
}

impl PrivateKey {
    /// The key of a PKCS#8 document; `None` where it is malformed or of another kind.
    #[must_use]
    pub fn parse(kind: Kind, pkcs8: &[u8]) -> Option<Self> {
        // SAFETY: see `Key::parse`; `EVP_parse_private_key` reads the CBS and returns a new key or null.
        unsafe { Key::parse(kind, pkcs8, lc::EVP_parse_private_key) }.map(Self)
    }

    /// The ML-KEM key of a seed, d followed by z. The module does not read a document that holds a seed.
    #[cfg(feature = "fips")]
    #[must_use]
    pub fn from_ml_kem_seed(set: MlKemSet, seed: &[u8; 64]) -> Option<Self> {
        // SAFETY: no engine is given; the context is owned.
        let context = NonNull::new(unsafe { lc::EVP_PKEY_CTX_new_id(lc::EVP_PKEY_KEM, null_mut()) })?;
        let context = Context(context);
        let (mut key, mut len) = (null_mut(), seed.len());
        // SAFETY: the context is live; the seed is read within its length; `key` is null or a new key that we own.
        unsafe {
            if lc::EVP_PKEY_CTX_kem_set_params(context.0.as_ptr(), set.nid()) == 1
                && lc::EVP_PKEY_keygen_init(context.0.as_ptr()) == 1
            {
                lc::EVP_PKEY_keygen_deterministic(
                    context.0.as_ptr(),
                    &raw mut key,
                    seed.as_ptr(),
                    &raw mut len,
                );
            }
        }
        NonNull::new(key).map(|key| Self(Key { key, kind: Kind::MlKem }))
    }

    /// Writes the raw private key to `out`, which must be exactly as long.
    #[must_use]
    pub fn write_raw_private(&self, out: &mut [u8]) -> bool {
        // SAFETY: see `Key::write_raw`.
        unsafe { self.0.write_raw(out, lc::EVP_PKEY_get_raw_private_key) }
    }

    /// Writes the raw public key to `out`, which must be exactly as long.
    #[must_use]
    pub fn write_raw_public(&self, out: &mut [u8]) -> bool {
        // SAFETY: see `Key::write_raw`.
        unsafe { self.0.write_raw(out, lc::EVP_PKEY_get_raw_public_key) }
    }

    /// The ML-DSA signature of the message representative `mu`; `None` where the library fails or the key is of another
    /// kind.
    #[must_use]
    pub fn sign_mu(&self, mu: &[u8; 64]) -> Option<Vec<u8>> {
        let context = self.0.context(Kind::MlDsa)?;
        let mut len = 0usize;
        // SAFETY: the context is live and its key is an ML-DSA key; a null signature asks for the length alone.
        let sized = unsafe {
            lc::EVP_PKEY_sign_init(context.0.as_ptr()) == 1
                && lc::EVP_PKEY_sign(context.0.as_ptr(), null_mut(), &raw mut len, mu.as_ptr(), mu.len()) == 1
        };
        let mut signature = vec![0; if sized { len } else { return None }];
        // SAFETY: as above; `signature` has room for the `len` bytes that are announced.
        let signed = unsafe {
            let out = signature.as_mut_ptr();
            lc::EVP_PKEY_sign(context.0.as_ptr(), out, &raw mut len, mu.as_ptr(), mu.len()) == 1
        };
        (signed && len == signature.len()).then_some(signature)
    }
}

impl PublicKey {
    /// The key of a `SubjectPublicKeyInfo`; `None` where it is malformed or of another kind.
    #[must_use]
    pub fn parse(kind: Kind, spki: &[u8]) -> Option<Self> {
        // SAFETY: see `Key::parse`; `EVP_parse_public_key` reads the CBS and returns a new key or null.
        unsafe { Key::parse(kind, spki, lc::EVP_parse_public_key) }.map(Self)
    }

    /// Whether `signature` is an ML-DSA signature of the message representative `mu`.
    #[must_use]
    pub fn verify_mu(&self, mu: &[u8; 64], signature: &[u8]) -> bool {
        self.0.context(Kind::MlDsa).is_some_and(|context| {
            // SAFETY: the context is live and its key is an ML-DSA key; both buffers are read within their lengths, and
            // the library compares the length of the signature with that of the parameter set before it reads it.
            unsafe {
                lc::EVP_PKEY_verify_init(context.0.as_ptr()) == 1
                    && lc::EVP_PKEY_verify(
                        context.0.as_ptr(),
                        signature.as_ptr(),
                        signature.len(),
                        mu.as_ptr(),
                        mu.len(),
                    ) == 1
            }
        })
    }
}

/// The Ed25519ph signature of `message`, which is hashed here, without a context. `private_key` is the seed followed by the
/// public key.
#[must_use]
pub fn ed25519ph_sign(private_key: &[u8; 64], message: &[u8]) -> Option<[u8; 64]> {
    let mut signature = [0; 64];
    // SAFETY: the signature and the private key have the 64 bytes that the function writes and reads; the message is read
    // within its length; a null context of length zero is not read.
    let signed = unsafe {
        lc::ED25519ph_sign(
            signature.as_mut_ptr(),
            message.as_ptr(),
            message.len(),
            private_key.as_ptr(),
            null(),
            0,
        ) == 1
    };
    signed.then_some(signature)
}

/// Whether `signature` is an Ed25519ph signature of `message`, which is hashed here, without a context.
#[must_use]
pub fn ed25519ph_verify(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    // SAFETY: the signature and the public key have the 64 and 32 bytes that the function reads; the rest is as in
    // `ed25519ph_sign`.
    unsafe {
        lc::ED25519ph_verify(
            message.as_ptr(),
            message.len(),
            signature.as_ptr(),
            public_key.as_ptr(),
            null(),
            0,
        ) == 1
    }
}

/// How many approved services this thread has used of the FIPS module.
#[cfg(feature = "fips")]
#[must_use]
pub fn approved_services() -> u64 {
    // SAFETY: the function reads a counter of the calling thread.
    unsafe { lc::FIPS_service_indicator_after_call() }
}

/// An owned `EVP_PKEY` of a known kind.
struct Key {
    key: NonNull<lc::EVP_PKEY>,
    kind: Kind,
}

// SAFETY: a key is bound to no thread, and its reference count is atomic.
unsafe impl Send for Key {}
// SAFETY: nothing here changes a key after it was parsed; the library allows concurrent use by functions that do not
// (`openssl/evp.h`, at `EVP_PKEY`).
unsafe impl Sync for Key {}

impl Key {
    /// # Safety
    /// `parse` reads from the CBS within its length and returns null or a new key that the caller owns.
    unsafe fn parse(
        kind: Kind,
        der: &[u8],
        parse: unsafe extern "C" fn(*mut lc::CBS) -> *mut lc::EVP_PKEY,
    ) -> Option<Self> {
        let mut cbs = lc::CBS { data: der.as_ptr(), len: der.len() };
        // SAFETY: the CBS spans `der`, which outlives the call; the rest is the contract of this function.
        let key = NonNull::new(unsafe { parse(&raw mut cbs) }).map(|key| Self { key, kind })?;
        // SAFETY: the key is live.
        (cbs.len == 0 && unsafe { lc::EVP_PKEY_id(key.key.as_ptr()) } == kind.id()).then_some(key)
    }

    /// # Safety
    /// `write` writes the length of the raw key where the buffer is null; else at most the announced length.
    unsafe fn write_raw(
        &self,
        out: &mut [u8],
        write: unsafe extern "C" fn(*const lc::EVP_PKEY, *mut u8, *mut usize) -> c_int,
    ) -> bool {
        let (key, mut len) = (self.key.as_ptr(), 0usize);
        // SAFETY: the key is live; the buffer is null, or has the room that is announced.
        unsafe {
            write(key, null_mut(), &raw mut len) == 1
                && len == out.len()
                && write(key, out.as_mut_ptr(), &raw mut len) == 1
                && len == out.len()
        }
    }

    /// A context for one operation with a key of `kind`.
    fn context(&self, kind: Kind) -> Option<Context> {
        if self.kind != kind {
            return None;
        }
        // SAFETY: the key is live; the context takes a reference of its own, and no engine is given.
        NonNull::new(unsafe { lc::EVP_PKEY_CTX_new(self.key.as_ptr(), null_mut()) }).map(Context)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: this is the reference that `parse` returned; it is given back once.
        unsafe { lc::EVP_PKEY_free(self.key.as_ptr()) }
    }
}

/// An owned `EVP_PKEY_CTX`.
struct Context(NonNull<lc::EVP_PKEY_CTX>);

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is owned and is freed once.
        unsafe { lc::EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_of_the_kind_is_none() {
        const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20\
            01234567890123456789012345678901";
        for kind in [Kind::MlDsa, Kind::MlKem] {
            for bytes in [&b""[..], b"\x30", b"\x30\x00", ED25519] {
                assert!(PrivateKey::parse(kind, bytes).is_none(), "{kind:?} {bytes:?}");
                assert!(PublicKey::parse(kind, bytes).is_none(), "{kind:?} {bytes:?}");
            }
        }
    }

    #[test]
    fn a_key_does_what_its_kind_does() {
        let document = |oid: [u8; 2], frame: [u8; 3], seed: usize| {
            let head = b"\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04";
            let mut whole = vec![0x30, frame[0]];
            whole.extend_from_slice(head);
            whole.extend_from_slice(&oid);
            whole.extend_from_slice(&[0x04, frame[1], 0x80, frame[2]]);
            whole.resize(whole.len() + seed, 7);
            whole
        };
        let signing = document([3, 0x12], [0x34, 0x22, 0x20], 32);
        let sealing = document([4, 0x02], [0x54, 0x42, 0x40], 64);
        let key = PrivateKey::parse(Kind::MlDsa, &signing).unwrap();
        assert_eq!(key.sign_mu(&[1; 64]).unwrap().len(), 3309);
        assert!(key.write_raw_public(&mut [0; 1952]));
        assert!(!key.write_raw_public(&mut [0; 1951]) && !key.write_raw_public(&mut [0; 1953]));
        assert!(PrivateKey::parse(Kind::MlKem, &signing).is_none());
        assert!(PrivateKey::parse(Kind::MlDsa, &sealing).is_none());
        assert!(PrivateKey::parse(Kind::MlKem, &[sealing.as_slice(), &[0]].concat()).is_none());
        #[cfg(not(feature = "fips"))]
        let key = PrivateKey::parse(Kind::MlKem, &sealing).unwrap();
        #[cfg(feature = "fips")]
        let key = PrivateKey::from_ml_kem_seed(MlKemSet::MlKem768, &[7; 64]).unwrap();
        assert!(key.write_raw_private(&mut [0; 2400]) && key.write_raw_public(&mut [0; 1184]));
        assert!(key.sign_mu(&[1; 64]).is_none());
    }

    /// RFC 8032 section 7.3.
    #[test]
    fn ed25519ph_gives_the_published_signature() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let public: [u8; 32] =
            hex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf").try_into().unwrap();
        let seed = hex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");
        let signature: [u8; 64] = hex("98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
             31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406")
        .try_into()
        .unwrap();
        let private = [seed.as_slice(), &public].concat().try_into().unwrap();
        assert_eq!(ed25519ph_sign(&private, b"abc"), Some(signature));
        assert!(ed25519ph_verify(&public, b"abc", &signature));
        assert!(!ed25519ph_verify(&public, b"abd", &signature));
        assert!(!ed25519ph_verify(&public, b"", &signature));
    }
}
