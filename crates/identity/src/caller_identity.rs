//! GetCallerIdentity: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
//!
//! No policy can allow or deny it.

use keyreeve_core::Cx;
use keyreeve_wire::sts::{GetCallerIdentityInput, GetCallerIdentityOutput};

use crate::refusal::Refusal;

pub(crate) async fn get_caller_identity(
    cx: &mut Cx<'_>,
    _: GetCallerIdentityInput,
) -> Result<GetCallerIdentityOutput, Refusal> {
    Ok(GetCallerIdentityOutput {
        user_id: cx.caller.user_id().to_owned(),
        account: cx.caller.account().to_string(),
        arn: cx.caller.arn().to_owned(),
    })
}
