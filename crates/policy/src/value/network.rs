//! Addresses and networks: IPv4 and IPv6, in the notation of CIDR (RFC 4632, RFC 4291), and as recorded answers of AWS read them.
//!
//! An IPv4 address of a request that is written as an IPv6 one (`::ffff:203.0.113.10`) is the IPv4 address. A network of a policy
//! is of the family that it is written in; one of IPv6 has no bits behind its prefix and no dots, or it is none.

use core::net::Ipv6Addr;

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
    /// Reads the address of a request. Dots are read behind `::ffff:` alone.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.contains(':') {
            return read_v4(text);
        }
        let is_dotted = text.contains('.');
        let v6 = if is_dotted { text.parse().ok()? } else { read_v6(text)? };
        match v6.to_ipv4_mapped() {
            Some(v4) => Some(Self { is_v4: true, bits: u128::from(v4.to_bits()) }),
            None if is_dotted => None,
            None => Some(Self { is_v4: false, bits: v6.to_bits() }),
        }
    }
}

impl Network {
    /// Reads an address, or an address with the length of the prefix. Behind that, IPv4 has bits that do not count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let (address, whole): (_, u32) = if address.contains(':') {
            let v6 = read_v6(address).filter(|_| !address.contains('.'))?;
            (Address { is_v4: false, bits: v6.to_bits() }, 128)
        } else {
            (read_v4(address)?, 32)
        };
        let length = length.map_or(Some(whole), read_length)?;
        let free = whole.checked_sub(length)?;
        let mask = u128::MAX.checked_shl(free).unwrap_or(0);
        let bits = address.bits & mask;
        (address.is_v4 || bits == address.bits).then_some(Self { first: Address { bits, ..address }, mask })
    }

    pub(crate) fn contains(&self, address: Address) -> bool {
        self.first.is_v4 == address.is_v4 && address.bits & self.mask == self.first.bits
    }
}

/// Four decimal numbers, with as many zeros before them as there are.
fn read_v4(text: &str) -> Option<Address> {
    let mut parts = text.split('.');
    let mut bits = 0;
    for _ in 0..4 {
        let octet = read_decimal(parts.next()?).filter(|octet| *octet <= 255)?;
        bits = bits << 8 | u128::from(octet);
    }
    parts.next().is_none().then_some(Address { is_v4: true, bits })
}

fn read_length(text: &str) -> Option<u32> {
    read_decimal(text.strip_prefix('+').unwrap_or(text))
}

fn read_decimal(text: &str) -> Option<u32> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal)
}

/// The longest text that may be an address of IPv6, and room for one more digit.
const LONGEST_V6: usize = 48;

/// Also what AWS reads besides: one colon too many at the end or next to `::`, and no digit before the first.
fn read_v6(text: &str) -> Option<Ipv6Addr> {
    let ends_oddly = text.ends_with(':') && !text.ends_with("::");
    let text = if ends_oddly { text.strip_suffix(':')? } else { text };
    let (head, tail) = match text.find(":::") {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, ""),
    };
    let zero = if text.starts_with(':') && !text.starts_with("::") { "0" } else { "" };
    let mut written = [0; LONGEST_V6];
    let mut len = 0;
    for byte in [zero, head, tail].into_iter().flat_map(str::bytes) {
        *written.get_mut(len)? = byte;
        len += 1;
    }
    core::str::from_utf8(written.get(..len)?).ok()?.parse().ok()
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
            ("203.0.113.0/24", "::FFFF:cb00:710a", true),
            ("::ffff:cb00:7100/120", "203.0.113.10", false),
            ("::ffff:cb00:7100/120", "::ffff:203.0.113.10", false),
            ("::/0", "::ffff:203.0.113.10", false),
            ("::fffe:0:0/95", "::fffe:cb00:710a", true),
            ("203.000.0113.0/024", "203.0.113.10", true),
            ("203.0.113.0/+24", "203.0.113.010", true),
            ("2001:db8::4/127", "2001:db8::5", true),
            ("2001:db8::4/127", "2001:db8::6", false),
            ("2001:DB8::/064", "2001:db8::1", true),
            ("2001:db8:::1", "2001:db8::1", true),
            ("2001:db8::1/128", "2001:db8:::1", true),
            ("2001:db8::1:/128", "2001:db8::1", true),
            ("2001:db8::1", "2001:db8::1:", true),
            ("2001:db8::1", ":2001:db8::1", false),
            ("0:2001:db8::1", ":2001:db8::1", true),
            ("::/0", ":::", true),
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
            "203.0.113.0/",
            "203.0.113.0/24/1",
            "203.0.113.256",
            "203.0.113.0/++8",
            "203.0.113.+1",
            "3405803786",
            "2001:db8::/129",
            "2001:db8::g",
            "2001:db8::5/64",
            "2001:db8::1/0",
            "::ffff:0:0/95",
            "::ffff:203.0.113.0/120",
            "::ffff:203.0.113.10",
            "2001:db8::203.0.113.0/120",
            "2001:db8::::1",
            "2001::db8:::1",
            "2001:db8:1",
            ":",
            "/24",
            "fe80::1%eth0",
            "example.com",
            "*",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
        for text in [
            "",
            "host",
            "203.0.513",
            "3405803786",
            "203.0.113.10/32",
            "::203.0.113.10",
            "2001:db8::203.0.113.10",
            "2001:db8::::1",
            "2001::db8::1",
            "2001::db8:::1",
            "::ffff:::203.0.113.10",
            "fe80::1%eth0",
            "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
