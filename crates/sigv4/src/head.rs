//! A borrowed view of a request head.

/// The headers of a request in the order they were received: name in any case, value as bytes.
///
/// Over HTTP/2 the caller gives `:authority` under the name `host`, in place of any header of that name.
pub trait Headers<'a>: Iterator<Item = (&'a str, &'a [u8])> + Clone {}

impl<'a, T: Iterator<Item = (&'a str, &'a [u8])> + Clone> Headers<'a> for T {}

/// What a signature covers, but for the body.
#[derive(Clone, Debug)]
pub struct RequestHead<'a, H> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path, as sent: before any decoding.
    pub path: &'a str,
    /// What follows the question mark, as sent; empty where there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: H,
}

impl<'a, H: Headers<'a>> RequestHead<'a, H> {
    /// The values of the header `name`, in order.
    pub(crate) fn values<'n>(&self, name: &'n [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n, H> {
        self.headers
            .clone()
            .filter(move |(found, _)| found.as_bytes().eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}
