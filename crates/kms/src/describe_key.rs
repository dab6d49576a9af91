//! DescribeKey: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::{DescribeKeyInput, DescribeKeyOutput};

use crate::{grant_tokens, managed_key, metadata};

pub(crate) async fn describe_key(
    cx: &mut Cx<'_>,
    input: DescribeKeyInput,
) -> Result<DescribeKeyOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = managed_key::find::<actions::DescribeKey>(cx, &input.key_id).await?;
    let ready = cx.open::<actions::DescribeKey>(&found, &Particulars::NONE).await?;
    Ok(DescribeKeyOutput { key_metadata: metadata::of(ready.arn(), ready.record(), cx.now) })
}
