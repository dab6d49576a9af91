//! Account identifiers: twelve decimal digits.

use core::fmt;
use core::str::FromStr;

/// An AWS account id, such as `000000000000`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AccountId(u64);

/// The text is not twelve decimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an account id is twelve decimal digits")]
pub struct ParseAccountIdError;

impl FromStr for AccountId {
    type Err = ParseAccountIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseAccountIdError);
        }
        text.parse().map(Self).or(Err(ParseAccountIdError))
    }
}

impl AccountId {
    /// The twelve digits, in ASCII.
    #[must_use]
    pub fn digits(&self) -> [u8; 12] {
        let mut digits = [b'0'; 12];
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            // A remainder of ten fits a byte.
            *digit += u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        digits
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_account_id_is_exactly_twelve_digits() {
        for (text, ok) in [
            ("000000000000", true),
            ("111122223333", true),
            ("999999999999", true),
            ("11112222333", false),
            ("1111222233334", false),
            ("11112222333a", false),
            ("+11112222333", false),
            ("", false),
        ] {
            assert_eq!(
                text.parse::<AccountId>().map(|id| id.to_string()).ok(),
                ok.then(|| text.into()),
                "{text:?}"
            );
        }
    }
}
