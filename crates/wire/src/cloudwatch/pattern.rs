//! The patterns of CloudWatch.

use crate::pattern::Pattern;

/// Of a namespace.
pub(crate) const NAMESPACE: Pattern =
    Pattern::new(r"[^:].*", |text| text.starts_with(|c: char| c != ':') && !text.contains('\n'));
