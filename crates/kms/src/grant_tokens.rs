//! Grant tokens. A grant takes effect at once here, so a token gives nothing; but one that was never issued is refused.

use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::ErrorCode;

/// Refuses what is no token of a grant.
pub(crate) fn check(cx: &Cx<'_>, tokens: &[String]) -> Result<(), Refusal> {
    if tokens.iter().all(|token| cx.service.vault().open_grant_token(token).is_some()) {
        return Ok(());
    }
    Err(invalid())
}

/// The refusal of a token.
pub(crate) fn invalid() -> Refusal {
    // AWS: unverified. The text of this exception is not known.
    Refusal::new(ErrorCode::InvalidGrantToken, "The grant token is not valid.")
}
