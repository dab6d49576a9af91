//! Where the service is reached: an address and a port, or the name of a host and a port.
//!
//! A name is resolved once, when it is read. What holds of an address must hold of every address of its name.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use serde::Deserialize;
use tokio::net::TcpListener;

use crate::exit::Failure;

/// An address to listen on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub(crate) struct ListenAddress {
    /// As it was given.
    text: String,
    /// What it stands for, IPv4 first; never empty.
    addresses: Vec<SocketAddr>,
}

/// A text is no address to listen on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenAddressError {
    #[error("an address to listen on has a host and a port, such as 127.0.0.1:4599 or localhost:4599")]
    Malformed,
    #[error("the host `{0}` has no address")]
    NoAddress(String),
    #[error("the host `{host}` cannot be resolved: {error}")]
    Unresolved { host: String, error: io::Error },
}

impl Default for ListenAddress {
    fn default() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 4599));
        Self { text: address.to_string(), addresses: vec![address] }
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { text: text.to_owned(), addresses: vec![address] });
        }
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddressError::Malformed)?;
        let is_name = !host.is_empty() && !host.contains([':', '[', ']', '/', ' ']);
        let Some(port) = port.parse::<u16>().ok().filter(|_| is_name) else {
            return Err(ListenAddressError::Malformed);
        };
        let found = (host, port).to_socket_addrs();
        let found = found.map_err(|error| ListenAddressError::Unresolved { host: host.to_owned(), error })?;
        let mut addresses: Vec<SocketAddr> = found.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses.dedup();
        match addresses.is_empty() {
            true => Err(ListenAddressError::NoAddress(host.to_owned())),
            false => Ok(Self { text: text.to_owned(), addresses }),
        }
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = ListenAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl ListenAddress {
    /// As it was given.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether other machines can reach none of its addresses.
    pub(crate) fn is_loopback(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().is_loopback())
    }

    /// Listens on the first of its addresses on which that is possible.
    ///
    /// # Errors
    /// Where it is possible on none of them: why not on the first.
    pub(crate) fn listen(&self) -> Result<TcpListener, Failure> {
        let mut failed = None;
        for address in &self.addresses {
            match bound(*address) {
                Ok(listener) => return Ok(listener),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let error = failed.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into());
        Err(Failure::Listen { address: self.text.clone(), error })
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for (text, ok) in [
            ("127.0.0.1:4599", true),
            ("[::1]:0", true),
            ("localhost:4599", true),
            ("localhost", false),
            ("localhost:", false),
            ("localhost:65536", false),
            (":4599", false),
            ("::1:4599:x", false),
            ("http://localhost:4599", false),
            ("4599", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<ListenAddress>().is_ok(), ok, "{text}");
        }
    }

    #[test]
    fn every_address_of_a_name_counts() {
        let of = |addresses: &[&str]| ListenAddress {
            text: "host:1".to_owned(),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        };
        for (addresses, is_loopback) in [
            (&["127.0.0.1:1", "[::1]:1"][..], true),
            (&["127.0.0.1:1", "192.0.2.1:1"], false),
            (&["0.0.0.0:1"], false),
        ] {
            assert_eq!(of(addresses).is_loopback(), is_loopback, "{addresses:?}");
        }
        assert!("localhost:1".parse::<ListenAddress>().unwrap().is_loopback());
    }
}
