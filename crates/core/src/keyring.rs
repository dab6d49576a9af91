//! The keyring: the domain keys and the secret that keys material ids, wrapped as one object under the root key.

use keyreeve_crypto::key::{KeyMaterial, MakeKeyError, MaterialIdSecret, RootKey, WrappingKey};
use keyreeve_crypto::random::Random;
use keyreeve_crypto::wrap::{self, Binding, Kind, UnwrapError, WrapError, WrappingKeyId};
use keyreeve_crypto::{LockedMemoryError, random};
use keyreeve_domain::{KeyId, KeyMaterialId};
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
/// The wrapping key id under which the root key stands in a keyring's header.
const ROOT_KEY_ID: WrappingKeyId = [0; 16];
const FIELD_DEPLOYMENT: u8 = 1;

/// The id of a deployment: 16 random bytes, made once. Everything wrapped is bound to it.
pub type DeploymentId = [u8; 16];

/// A keyring could not be made or opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyringError {
    /// The root key does not open it: another seal, or damage.
    #[error("the root key does not open the keyring")]
    Sealed,
    /// It is of a format that this release does not know.
    #[error("the keyring is of an unknown format")]
    Format,
    /// No locked memory is left.
    #[error(transparent)]
    Memory(#[from] LockedMemoryError),
    /// A key could not be made.
    #[error(transparent)]
    Make(#[from] MakeKeyError),
    /// The wrapping failed.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}

struct DomainKey {
    id: WrappingKeyId,
    key: WrappingKey,
}

/// The keys that protect everything in the store. One domain key is active; the others only open.
pub struct Keyring {
    deployment: DeploymentId,
    active: DomainKey,
    retired: Vec<DomainKey>,
    material_ids: MaterialIdSecret,
}

impl Keyring {
    /// A new keyring of a new deployment.
    ///
    /// # Errors
    /// Where randomness or locked memory is missing.
    pub fn make(deployment: DeploymentId, random: &dyn Random) -> Result<Self, KeyringError> {
        let id = random::array(random).map_err(MakeKeyError::from)?;
        Ok(Self {
            deployment,
            active: DomainKey { id, key: WrappingKey::make(random)? },
            retired: Vec::new(),
            material_ids: MaterialIdSecret::make(random)?,
        })
    }

    /// As [`Keyring::make`], with a secret of material ids that was chosen: whoever chooses the same one gives the same material of
    /// a key the same id. For tests alone, since ids under a secret that is known tell of material that can be guessed.
    ///
    /// # Errors
    /// As [`Keyring::make`].
    pub fn make_with(
        deployment: DeploymentId,
        material_ids: MaterialIdSecret,
        random: &dyn Random,
    ) -> Result<Self, KeyringError> {
        Ok(Self { material_ids, ..Self::make(deployment, random)? })
    }

    /// The keyring under the root key:
    /// `format u8 ‖ material id secret 32 ‖ count u8 ‖ count × (id 16 ‖ key 32)`, the active domain key first.
    ///
    /// # Errors
    /// Where the wrapping fails.
    pub fn seal(&self, root: &RootKey, random: &dyn Random) -> Result<Vec<u8>, KeyringError> {
        let mut content = Zeroizing::new(Vec::with_capacity(34 + 48 * (1 + self.retired.len())));
        content.push(FORMAT);
        // EXPOSE: the content is wrapped below and wiped on return.
        content.extend_from_slice(self.material_ids.expose());
        content.push(u8::try_from(1 + self.retired.len()).or(Err(KeyringError::Format))?);
        for domain in core::iter::once(&self.active).chain(&self.retired) {
            content.extend_from_slice(&domain.id);
            // EXPOSE: as above.
            content.extend_from_slice(domain.key.expose());
        }
        let binding = Binding::default().field(FIELD_DEPLOYMENT, &self.deployment);
        // EXPOSE: the wrapping reads the root key.
        Ok(wrap::wrap(root.expose(), &ROOT_KEY_ID, Kind::Keyring, &binding, &content, random)?)
    }

    /// Opens a sealed keyring.
    ///
    /// # Errors
    /// [`KeyringError::Sealed`] where the root key is another one.
    pub fn open(deployment: DeploymentId, root: &RootKey, sealed: &[u8]) -> Result<Self, KeyringError> {
        let binding = Binding::default().field(FIELD_DEPLOYMENT, &deployment);
        // EXPOSE: the unwrapping reads the root key.
        let content =
            wrap::unwrap(root.expose(), Kind::Keyring, &binding, sealed).or(Err(KeyringError::Sealed))?;
        let (format, rest) = content.split_first().ok_or(KeyringError::Format)?;
        let (secret, rest) = rest.split_at_checked(32).ok_or(KeyringError::Format)?;
        let (count, rest) = rest.split_first().ok_or(KeyringError::Format)?;
        if *format != FORMAT || rest.len() != usize::from(*count) * 48 {
            return Err(KeyringError::Format);
        }
        let material_ids = MaterialIdSecret::init_with(|slot| copy(slot, secret))?;
        let mut domains = rest.chunks_exact(48).map(|entry| {
            let (id, key) = entry.split_first_chunk::<16>().ok_or(KeyringError::Format)?;
            Ok::<_, KeyringError>(DomainKey { id: *id, key: WrappingKey::init_with(|slot| copy(slot, key))? })
        });
        let active = domains.next().ok_or(KeyringError::Format)??;
        let retired = domains.collect::<Result<_, _>>()?;
        Ok(Self { deployment, active, retired, material_ids })
    }

    /// The deployment.
    #[must_use]
    pub fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    /// A binding that starts with the deployment.
    #[must_use]
    pub fn binding(&self) -> Binding {
        Binding::default().field(FIELD_DEPLOYMENT, &self.deployment)
    }

    /// Wraps `content` under the active domain key.
    ///
    /// # Errors
    /// Where randomness or the library fails.
    pub fn wrap(
        &self,
        kind: Kind,
        binding: &Binding,
        content: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, WrapError> {
        // EXPOSE: the wrapping reads the domain key.
        wrap::wrap(self.active.key.expose(), &self.active.id, kind, binding, content, random)
    }

    /// Unwraps under whichever domain key made `wrapped`.
    ///
    /// # Errors
    /// One error for every reason.
    pub fn unwrap(
        &self,
        kind: Kind,
        binding: &Binding,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        let id = wrap::wrapping_key_id(kind, wrapped)?;
        let mut all = core::iter::once(&self.active).chain(&self.retired);
        let domain = all.find(|domain| domain.id == id).ok_or(UnwrapError)?;
        // EXPOSE: the unwrapping reads the domain key.
        wrap::unwrap(domain.key.expose(), kind, binding, wrapped)
    }

    /// The id of `material` under `key`.
    #[must_use]
    pub fn material_id(&self, material: &KeyMaterial, key: &KeyId) -> KeyMaterialId {
        material.derive_id(&self.material_ids, key)
    }
}

fn copy(slot: &mut [u8], bytes: &[u8]) -> Result<(), KeyringError> {
    if slot.len() != bytes.len() {
        return Err(KeyringError::Format);
    }
    slot.copy_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use keyreeve_crypto::random::SystemRandom;

    use super::*;

    #[test]
    fn a_keyring_opens_under_its_own_root_key_and_deployment_alone() {
        let (root, other) = (RootKey::make(&SystemRandom).unwrap(), RootKey::make(&SystemRandom).unwrap());
        let keyring = Keyring::make([1; 16], &SystemRandom).unwrap();
        let sealed = keyring.seal(&root, &SystemRandom).unwrap();
        let opened = Keyring::open([1; 16], &root, &sealed).unwrap();
        assert_eq!(Keyring::open([1; 16], &other, &sealed).err(), Some(KeyringError::Sealed));
        assert_eq!(Keyring::open([2; 16], &root, &sealed).err(), Some(KeyringError::Sealed));
        let binding = keyring.binding().field(9, b"x");
        let wrapped = keyring.wrap(Kind::Record, &binding, b"value", &SystemRandom).unwrap();
        assert_eq!(opened.unwrap(Kind::Record, &binding, &wrapped).unwrap().as_slice(), b"value");
    }
}
