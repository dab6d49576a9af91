//! Decimal numbers, compared exactly: no rounding to a machine's float.

use core::cmp::Ordering;

/// The longest text that is read as a number.
const LONGEST: usize = 1024;

/// A decimal number: `0.d1d2d3… × 10^magnitude`, where `d1` is not zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'t> {
    negative: bool,
    magnitude: i64,
    /// From the first digit that is not zero on; a decimal point may stand among them. Empty for zero.
    digits: &'t str,
}

impl<'t> Number<'t> {
    /// Reads `-12`, `+1.50`, `.5`, `5.`, `1e3`.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
            return None;
        }
        let significant = whole.trim_start_matches('0');
        let length = |text: &str| i64::try_from(text.len()).ok();
        let (magnitude, digits) = if significant.is_empty() {
            let rest = fraction.trim_start_matches('0');
            (-(length(fraction)? - length(rest)?), rest)
        } else {
            (length(significant)?, mantissa.trim_start_matches('0'))
        };
        Some(Self { negative: negative && !digits.is_empty(), magnitude: magnitude + exponent, digits })
    }

    /// Whether this is less, equal or greater.
    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.order_of_size(other),
            (true, true) => other.order_of_size(self),
        }
    }

    fn order_of_size(self, other: Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        let digits = |number: Self| number.digits.bytes().filter(|byte| *byte != b'.');
        let length = self.digits.len().max(other.digits.len());
        let padded = |number: Self| digits(number).chain(core::iter::repeat(b'0')).take(length);
        self.magnitude.cmp(&other.magnitude).then_with(|| padded(self).cmp(padded(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly() {
        for (left, right, order) in [
            ("1", "1", Ordering::Equal),
            ("1", "1.0", Ordering::Equal),
            ("01", "1.", Ordering::Equal),
            ("+7", "7", Ordering::Equal),
            ("-0", "0", Ordering::Equal),
            ("0.00", "0", Ordering::Equal),
            (".5", "0.50", Ordering::Equal),
            ("1e3", "1000", Ordering::Equal),
            ("1.5E-1", ".15", Ordering::Equal),
            ("10", "9", Ordering::Greater),
            ("100", "99.999", Ordering::Greater),
            ("0.1", "0.01", Ordering::Greater),
            ("-1", "0", Ordering::Less),
            ("-10", "-9", Ordering::Less),
            ("-0.1", "-0.01", Ordering::Less),
            ("1", "1.0000000000000000000000001", Ordering::Less),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("123456789012345678901234567890", "123456789012345678901234567891", Ordering::Less),
            ("12.34", "1.234", Ordering::Greater),
            ("0", "0.0001", Ordering::Less),
            ("0", "-0.0001", Ordering::Greater),
        ] {
            let parsed = |text| Number::parse(text).unwrap();
            assert_eq!(parsed(left).order(parsed(right)), order, "{left} {right}");
            assert_eq!(parsed(right).order(parsed(left)), order.reverse(), "{right} {left}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", ".", "-", "+", "e3", "1e", "1e1.5", "abc", "1a", "0x10", " 1", "1 ", "1,5", "--1", "1.2.3",
            "٣",
        ] {
            assert!(Number::parse(text).is_none(), "{text:?}");
        }
        assert!(Number::parse(&"1".repeat(LONGEST)).is_some());
        assert!(Number::parse(&"1".repeat(LONGEST + 1)).is_none());
    }
}
