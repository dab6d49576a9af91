//! The typed values of conditions.
//!
//! A text that is no value of its type gives none; what that means is for the condition to say.

pub(crate) mod binary;
mod date;
mod network;
mod number;

pub(crate) use binary::{Binary, same_bytes};
pub(crate) use date::Instant;
pub(crate) use network::{Address, Network};
pub(crate) use number::Number;

/// Whether `text` is an address as conditions read that of a request.
#[must_use]
pub fn is_address(text: &str) -> bool {
    Address::parse(text).is_some()
}

/// Whether `text` is base64 as conditions read it.
#[must_use]
pub fn is_base64(text: &str) -> bool {
    binary::decode(text, |_| ()).is_some()
}

/// Whether `text` is a number as conditions read it.
#[must_use]
pub fn is_number(text: &str) -> bool {
    Number::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_is_a_value_of_is_told_as_conditions_read_it() {
        for (text, address, base64, number) in [
            ("203.0.113.9", true, false, false),
            ("2001:db8::1", true, false, false),
            ("Zm9v", false, true, false),
            ("1234", false, true, true),
            ("-1.5", false, false, true),
            ("no value", false, false, false),
        ] {
            assert_eq!(
                (is_address(text), is_base64(text), is_number(text)),
                (address, base64, number),
                "{text}"
            );
        }
    }
}
