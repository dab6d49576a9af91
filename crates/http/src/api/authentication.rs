//! Who has signed a request: the access key that it names, its account's turn, and the signature over its body.

use core::time::Duration;
use std::sync::Arc;

use http::HeaderValue;
use http::header::HOST;
use http::request::Parts;
use keyreeve_core::Caller;
use keyreeve_core::bracket::Trail;
use keyreeve_core::caller::Acting;
use keyreeve_core::credential::{Credential, CredentialError};
use keyreeve_core::vault::VaultError;
use keyreeve_crypto::digest;
use keyreeve_domain::Region;
use keyreeve_sigv4::{
    CheckedClaim, Claim, Expected, Headers, Regions, RequestHead, ScopeFaults, SigV4Error, SigningKey,
};
use tokio::time::Instant;

use super::{Api, Call};
use crate::shares::Whose;

/// A request that takes longer than this until it begins has its access key looked up once more.
const FRESH: Duration = Duration::from_millis(10);

/// A request whose access key is known; its signature is not yet checked.
pub(super) struct Claimed<'h> {
    pub(super) claim: CheckedClaim<'h>,
    pub(super) credential: Arc<Credential>,
    pub(super) region: Region,
}

/// An authenticated request's identity and Region.
pub(super) struct Authenticated {
    pub(super) credential: Arc<Credential>,
    pub(super) region: Region,
    /// Whom a service calls for, where it calls for somebody.
    pub(super) forwarded: Option<Box<Caller>>,
}

impl Authenticated {
    pub(super) fn caller(&self) -> &Caller {
        self.forwarded.as_deref().unwrap_or_else(|| self.credential.caller())
    }
}

/// A request of nobody who is known.
pub(super) struct Unauthenticated {
    pub(super) cause: Cause,
    /// The Region that it named, as far as it is known.
    pub(super) region: Option<Region>,
}

/// Why somebody is not known.
pub(super) enum Cause {
    Signature(SigV4Error),
    Vault(VaultError),
}

impl<T: Trail + 'static> Api<T> {
    /// Whom and what a service calls for, as headers say that it signed.
    pub(super) async fn forwarded(
        &self,
        call: &Call,
        parts: &Parts,
        service: &str,
        by: &Authenticated,
    ) -> Result<Caller, Unauthenticated> {
        let refused = |error| Unauthenticated { cause: Cause::Signature(error), region: Some(by.region) };
        let text =
            |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let source_account = text("x-amz-source-account");
        let source_place =
            match source_account.as_deref().and_then(|account| account.parse().ok()) {
                Some(account) => self.endpoint.service.source_place(account).await.map_err(|error| {
                    Unauthenticated { cause: Cause::Vault(error), region: Some(by.region) }
                })?,
                None => None,
            };
        let acting = Acting { via: None, source_arn: text("x-amz-source-arn"), source_account, source_place };
        let Some(principal) = text("x-amz-on-behalf-of") else {
            return Ok(by.credential.caller().clone().acting(acting));
        };
        let found = self.endpoint.service.forwarded(&principal, call.now).await;
        let caller = found.map_err(|error| match error {
            CredentialError::Unknown => refused(SigV4Error::UnrecognizedClient),
            CredentialError::Expired => refused(SigV4Error::ExpiredToken),
            CredentialError::Vault(error) => {
                Unauthenticated { cause: Cause::Vault(error), region: Some(by.region) }
            }
        })?;
        Ok(caller.acting(Acting { via: Some(service.to_owned()), ..acting }))
    }

    /// Waits until it is the turn of a request of `whose`.
    pub(super) async fn turn_of(&self, whose: Whose) {
        if let Some(waits) = self.shares.begin(whose, Instant::now) {
            // Only a worker that ends forgets whoever waits.
            waits.await.unwrap_or_default();
        }
    }

    /// Who `claim` says has signed the request, once it is their turn.
    pub(super) async fn claimed<'h>(
        &self,
        call: &Call,
        claim: Claim<'h>,
        service: &str,
        regions: Option<&[&str]>,
    ) -> Result<Claimed<'h>, Unauthenticated> {
        let claimed = self.of_scope(call, claim, service, regions).await;
        let whose = claimed.as_ref().ok().map(|claimed| claimed.credential.caller().account());
        self.turn_of(whose).await;
        claimed
    }

    /// Who `claim` says has signed the request, for an acceptable scope and time; for any Region where there are none.
    async fn of_scope<'h>(
        &self,
        call: &Call,
        claim: Claim<'h>,
        service: &str,
        regions: Option<&[&str]>,
    ) -> Result<Claimed<'h>, Unauthenticated> {
        let region = claim.region().parse().ok();
        let refused = |error: SigV4Error| Unauthenticated { cause: Cause::Signature(error), region };
        let regions = regions.map_or(Regions::Any, Regions::OneOf);
        let claim = claim.check(call.signed_by, &Expected { service, regions }).map_err(refused)?;
        let scope = || SigV4Error::Scope(Box::new(ScopeFaults { region: true, ..ScopeFaults::default() }));
        let region = region.ok_or_else(|| refused(scope()))?;
        let credential = self.credential_of(call, &claim, region).await?;
        Ok(Claimed { claim, credential, region })
    }

    /// The access key that `claim` names.
    async fn credential_of(
        &self,
        call: &Call,
        claim: &CheckedClaim<'_>,
        region: Region,
    ) -> Result<Arc<Credential>, Unauthenticated> {
        let (id, token) = (claim.claim().access_key_id(), claim.claim().session_token());
        let cause = match self.credential(id, token, call.now).await {
            Ok(credential) => return Ok(credential),
            Err(CredentialError::Unknown) => Cause::Signature(SigV4Error::UnrecognizedClient),
            Err(CredentialError::Expired) => Cause::Signature(SigV4Error::ExpiredToken),
            Err(CredentialError::Vault(error)) => Cause::Vault(error),
        };
        Err(Unauthenticated { cause, region: Some(region) })
    }

    /// Checks the signature, now that the body is there.
    pub(super) async fn verified<'h, H: Headers<'h>>(
        &self,
        call: &Call,
        claimed: Claimed<'h>,
        head: &RequestHead<'h, H>,
        body: &[u8],
    ) -> Result<Authenticated, Unauthenticated> {
        let Claimed { claim, mut credential, region } = claimed;
        // What was taken away while the request waited for its turn or its body is gone.
        if call.arrived.elapsed() >= FRESH {
            credential = self.credential_of(call, &claim, region).await?;
        }
        self.signed(call, claim, credential, region, head, body)
    }

    fn signed<'h, H: Headers<'h>>(
        &self,
        call: &Call,
        claim: CheckedClaim<'h>,
        credential: Arc<Credential>,
        region: Region,
        head: &RequestHead<'h, H>,
        body: &[u8],
    ) -> Result<Authenticated, Unauthenticated> {
        let payload = digest::sha256(body);
        let mut keys = self.signing_keys.borrow_mut();
        let verified = keys.verify(claim, credential.generation(), head, &payload, |claim| {
            let claim = claim.claim();
            // EXPOSE: the signing key is derived from the secret; the secret is not kept.
            SigningKey::derive(
                credential.expose_secret(),
                claim.scope_date(),
                claim.region(),
                claim.service(),
            )
        });
        let refused = |error| Unauthenticated { cause: Cause::Signature(error), region: Some(region) };
        let verified = verified.map_err(refused)?;
        self.endpoint.service.note_use(&credential, verified.claim().service(), region, call.now);
        Ok(Authenticated { credential, region, forwarded: None })
    }
}

/// The headers as the signer saw them.
pub(super) fn signed_view(parts: &Parts) -> Vec<(&str, &[u8])> {
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    // An HTTP/2 request names its host in `:authority`. A `host` header that says the same is nothing more; one that says something
    // else (RFC 9113 section 8.3.1) is seen beside it, where no signature fits.
    let host = authority.map(|authority| ("host", authority));
    let is_same = |value: &HeaderValue| authority.is_some_and(|authority| authority == value.as_bytes());
    let others = parts.headers.iter().filter(|(name, value)| **name != HOST || !is_same(value));
    let mut view = Vec::with_capacity(parts.headers.len() + 1);
    view.extend(others.map(|(name, value)| (name.as_str(), value.as_bytes())).chain(host));
    view
}
