//! Signing keys that have verified a request before.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use keyreeve_crypto::digest::SHA256_LEN;

use crate::{CheckedClaim, Headers, RequestHead, SigV4Error, SigningKey, Verified};

/// A bounded cache of signing keys, for one thread.
///
/// INVARIANT: a key enters only after it has verified a request, so that nobody without a secret can push a key out. A key
/// derived from an older generation of the secret is never used.
pub struct SigningKeyCache {
    /// By the credential as sent: access key id, date, Region, service.
    entries: HashMap<Box<str>, Entry>,
    capacity: NonZeroUsize,
    clock: u64,
}

struct Entry {
    key: SigningKey,
    generation: u64,
    used: u64,
}

impl SigningKeyCache {
    /// An empty cache that keeps at most `capacity` keys.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { entries: HashMap::new(), capacity, clock: 0 }
    }

    /// The number of keys kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// [`CheckedClaim::verify`] with the key of the claim. `generation` is the number of the secret that is in force for the
    /// access key, and changes whenever the secret does; `derive` makes the key from that secret, and runs only when the
    /// cache does not hold it.
    pub fn verify<'a, H: Headers<'a>>(
        &mut self,
        claim: CheckedClaim<'a>,
        generation: u64,
        head: &RequestHead<'a, H>,
        payload_hash: &[u8; SHA256_LEN],
        derive: impl FnOnce(&CheckedClaim<'a>) -> SigningKey,
    ) -> Result<Verified<'a>, SigV4Error> {
        self.clock = self.clock.wrapping_add(1);
        if let Some(entry) = self.entries.get_mut(claim.claim().credential_text())
            && entry.generation == generation
        {
            entry.used = self.clock;
            return claim.verify(head, payload_hash, &entry.key);
        }
        let key = derive(&claim);
        let verified = claim.verify(head, payload_hash, &key)?;
        self.insert(verified.claim().credential_text().into(), Entry { key, generation, used: self.clock });
        Ok(verified)
    }

    /// Forgets every key of an access key. Not needed where its generation has changed; frees memory.
    pub fn forget(&mut self, access_key_id: &str) {
        self.entries.retain(|credential, _| credential.split('/').next() != Some(access_key_id));
    }

    fn insert(&mut self, credential: Box<str>, entry: Entry) {
        if self.entries.len() >= self.capacity.get() && !self.entries.contains_key(&credential) {
            let oldest =
                self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                self.entries.remove(&oldest);
            }
        }
        self.entries.insert(credential, entry);
    }
}
