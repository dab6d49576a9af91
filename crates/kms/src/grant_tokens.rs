//! Grant tokens. There are no grants yet, so none was ever issued and none is valid.

use keyreeve_core::Refusal;
use keyreeve_wire::ErrorCode;

/// Refuses every token.
pub(crate) fn check(tokens: &[String]) -> Result<(), Refusal> {
    if tokens.is_empty() {
        return Ok(());
    }
    // AWS: unverified. The text of this exception is not known.
    Err(Refusal::new(ErrorCode::InvalidGrantToken, "The grant token is not valid."))
}
