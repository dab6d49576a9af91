//! Where the public keys of OpenID Connect identity providers come from.

use core::future::Future;
use core::pin::Pin;
use std::sync::Arc;

/// No keys could be had.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the keys of the identity provider cannot be had: {0}")]
pub struct IssuerError(pub String);

/// What [`IssuerKeys::keys`] answers with.
pub type KeysFuture<'a> = Pin<Box<dyn Future<Output = Result<Arc<str>, IssuerError>> + 'a>>;

/// A source of the keys of identity providers.
pub trait IssuerKeys: Send + Sync {
    /// The JSON Web Key Set (RFC 7517 section 5) of the provider with this URL, without `https://`. Where a key is missing in it,
    /// `fresh` asks for one that was not kept from before; a source may keep one for a while nevertheless.
    fn keys<'a>(&'a self, url: &'a str, fresh: bool) -> KeysFuture<'a>;
}

/// A source that has no keys at all.
#[derive(Clone, Copy, Debug)]
pub struct NoIssuers;

impl IssuerKeys for NoIssuers {
    fn keys<'a>(&'a self, _: &'a str, _: bool) -> KeysFuture<'a> {
        Box::pin(core::future::ready(Err(IssuerError("no identity provider is configured".to_owned()))))
    }
}
