//! ListKeyPolicies: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied. There is one policy, so no page ever has a successor.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::marker::MarkerError;
use keyreeve_core::{Cx, Refusal};
use keyreeve_policy::DEFAULT_NAME;
use keyreeve_wire::{ListKeyPoliciesInput, ListKeyPoliciesOutput};

pub(crate) async fn list_key_policies(
    cx: &mut Cx<'_>,
    input: ListKeyPoliciesInput,
) -> Result<ListKeyPoliciesOutput, Refusal> {
    let found = cx.find_without_alias::<actions::ListKeyPolicies>(&input.key_id).await?;
    cx.open::<actions::ListKeyPolicies>(&found, &Particulars::NONE).await?;
    if input.marker.is_some() {
        return Err(MarkerError.into());
    }
    Ok(ListKeyPoliciesOutput {
        next_marker: None,
        policy_names: vec![DEFAULT_NAME.to_owned()],
        truncated: false,
    })
}
