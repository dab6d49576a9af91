//! Addresses and networks: IPv4 and IPv6, in the notation of CIDR (RFC 4632, RFC 4291).
//!
//! An IPv4 address that is written as an IPv6 one (`::ffff:203.0.113.10`) is the IPv4 address.

use core::net::IpAddr;

/// An address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Address {
    is_v4: bool,
    bits: u128,
}

/// The addresses that share a prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Network {
    first: Address,
    mask: u128,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(Self::of(text.parse().ok()?))
    }

    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self { is_v4: true, bits: u128::from(v4.to_bits()) },
            IpAddr::V6(v6) => Self { is_v4: false, bits: v6.to_bits() },
        }
    }
}

impl Network {
    /// Reads an address, or an address with the length of the prefix; the bits behind it do not count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().ok()?;
        let address = Address::of(written);
        let whole: u32 = if written.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => length.parse().ok()?,
            Some(_) => return None,
            None => whole,
        };
        let free = whole.checked_sub(length)?;
        let mask = u128::MAX.checked_shl(free).unwrap_or(0);
        if address.is_v4 && free > 32 {
            // Written as IPv6, and more than the IPv4 addresses: it is a network of IPv6.
            let IpAddr::V6(v6) = written else { return None };
            let first = Address { is_v4: false, bits: v6.to_bits() & mask };
            return Some(Self { first, mask });
        }
        Some(Self { first: Address { bits: address.bits & mask, ..address }, mask })
    }

    pub(crate) fn contains(&self, address: Address) -> bool {
        self.first.is_v4 == address.is_v4 && address.bits & self.mask == self.first.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_the_addresses_of_its_prefix() {
        for (network, address, inside) in [
            ("203.0.113.0/24", "203.0.113.10", true),
            ("203.0.113.0/24", "203.0.114.10", false),
            ("203.0.113.77/24", "203.0.113.10", true),
            ("203.0.113.10", "203.0.113.10", true),
            ("203.0.113.10", "203.0.113.11", false),
            ("203.0.113.10/32", "203.0.113.10", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.0/9", "10.127.255.255", true),
            ("10.0.0.0/9", "10.128.0.0", false),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:9abc::1", true),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1", false),
            ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
            ("2001:db8::1", "2001:0db8:0000:0000:0000:0000:0000:0001", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "203.0.113.10", false),
            ("203.0.113.0/24", "::ffff:203.0.113.10", true),
            ("::ffff:203.0.113.0/120", "203.0.113.10", true),
            ("::ffff:0:0/96", "203.0.113.10", true),
            ("::ffff:203.0.113.10", "203.0.113.10", true),
            ("::ffff:0:0/95", "::fffe:203.0.113.10", true),
        ] {
            let contains = Network::parse(network).unwrap().contains(Address::parse(address).unwrap());
            assert_eq!(contains, inside, "{network} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in [
            "",
            "203.0.113",
            "203.0.113.0/33",
            "203.0.113.0/-1",
            "203.0.113.0/+8",
            "203.0.113.0/",
            "203.0.113.0/24/1",
            "203.0.113.256",
            "203.0.113.010",
            "2001:db8::/129",
            "2001:db8::g",
            "fe80::1%eth0",
            "example.com",
            "*",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
