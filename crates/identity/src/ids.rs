//! Ids that are drawn: unique ids, ids of access keys, and secrets.
//!
//! The id of an access key tells its account, as those of AWS do: 40 bits after the first, in base32 (RFC 4648).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_core::cx::Service;
use keyreeve_crypto::random;
use keyreeve_domain::AccountId;
use zeroize::Zeroizing;

use crate::refusal::Refusal;

/// What a unique id is of: its first four letters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IdKind {
    Group,
    Policy,
    Role,
    User,
}

impl IdKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Group => "AGPA",
            Self::Policy => "ANPA",
            Self::Role => "AROA",
            Self::User => "AIDA",
        }
    }
}

/// A new unique id: 21 characters in all.
pub(crate) fn unique_id(service: &Service, kind: IdKind) -> Result<String, Refusal> {
    let bytes: [u8; 17] = random::array(service.vault().random())?;
    let letters = bytes.iter().map(|byte| letter(u64::from(*byte)));
    Ok(kind.prefix().chars().chain(letters).collect())
}

/// A new access key id: `AKIA` for a long-term key, `ASIA` for a temporary one, and 16 characters.
///
/// # Errors
/// Where there is no randomness.
pub fn access_key_id(service: &Service, prefix: &str, account: AccountId) -> Result<String, Refusal> {
    let bytes: [u8; 8] = random::array(service.vault().random())?;
    let number: u64 = account.to_string().parse().or(Err(Refusal::internal()))?;
    // 80 bits: one that is set, 40 of the account, 39 that are drawn.
    let drawn = u128::from(u64::from_be_bytes(bytes)) & ((1 << DRAWN) - 1);
    let bits = 1 << 79 | u128::from(number) << DRAWN | drawn;
    let letters = (0..16).rev().map(|at| letter(u64::try_from(bits >> (5 * at) & 31).unwrap_or_default()));
    Ok(prefix.chars().chain(letters).collect())
}

/// The account that an access key id tells.
#[must_use]
pub fn access_key_account(id: &str) -> Option<AccountId> {
    let letters = id.get(4..).filter(|letters| letters.len() == 16)?;
    let bits = letters.bytes().try_fold(0_u128, |bits, byte| {
        let value = LETTERS.iter().position(|letter| *letter == byte)?;
        Some(bits << 5 | u128::try_from(value).ok()?)
    })?;
    let number = bits >> DRAWN & ((1 << 40) - 1);
    format!("{number:012}").parse().ok()
}

/// A new secret access key: 40 characters.
///
/// # Errors
/// Where there is no randomness.
pub fn secret_access_key(service: &Service) -> Result<Zeroizing<String>, Refusal> {
    let bytes = Zeroizing::new(random::array::<30>(service.vault().random())?);
    Ok(Zeroizing::new(STANDARD.encode(bytes)))
}

const DRAWN: u32 = 39;
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The letter of the lowest five bits.
fn letter(bits: u64) -> char {
    let at = usize::try_from(bits & 31).unwrap_or_default();
    LETTERS.get(at).copied().map_or('A', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_stands_in_the_id_as_in_those_of_aws() {
        for (id, account) in [
            // Of the documentation and of published examples.
            ("ASIAY34FZKBOKMUTVV7A", Some("609629065308")),
            ("ASIAQNZGKIQY56JQ7WML", Some("029608264753")),
            ("AKIA", None),
            ("AKIA0000000000000000", None),
        ] {
            assert_eq!(access_key_account(id).map(|account| account.to_string()).as_deref(), account, "{id}");
        }
    }
}
