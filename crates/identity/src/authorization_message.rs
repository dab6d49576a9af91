//! DecodeAuthorizationMessage: <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>.
//!
//! Errors, in order: AccessDenied · InvalidAuthorizationMessage. Of the services that answer here none encodes why it refuses, in the
//! cloud neither: SimulatePrincipalPolicy and `keyreeve policy explain` say it.

use keyreeve_core::Cx;
use keyreeve_wire::query::QueryErrorCode;
use keyreeve_wire::sts::{DecodeAuthorizationMessageInput, DecodeAuthorizationMessageOutput};

use crate::gate::{Particulars, authorize};
use crate::refusal::Refusal;

pub(crate) async fn decode_authorization_message(
    cx: &mut Cx<'_>,
    _: DecodeAuthorizationMessageInput,
) -> Result<DecodeAuthorizationMessageOutput, Refusal> {
    authorize(cx, "sts:DecodeAuthorizationMessage", "*", &Particulars::default()).await?;
    // AWS: unverified. The text is ours.
    Err(Refusal::new(QueryErrorCode::InvalidAuthorizationMessage, "The authorization message is not valid."))
}
