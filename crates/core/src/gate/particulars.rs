//! What a request says that policies may ask for, beyond who asks and for what.

use std::collections::BTreeMap;

use keyreeve_policy::ContextKey;

/// What a request says, as far as policies may ask for it. What is not there is absent from the request's context.
#[derive(Clone, Copy, Default)]
pub struct Particulars<'a> {
    /// The encryption context; of a grant that is to be made, the pairs of its constraint.
    pub encryption_context: Option<&'a BTreeMap<String, String>>,
    /// Keys with one value.
    pub texts: &'a [(ContextKey, &'a str)],
    /// Keys with many values.
    pub lists: &'a [(ContextKey, &'a [&'a str])],
    /// Keys that are known by no name here, such as the claims of an identity provider.
    pub others: &'a [(&'a str, &'a [&'a str])],
    /// The tags that a request brings: `aws:RequestTag/…` and `aws:TagKeys`.
    pub tags: &'a [(&'a str, &'a str)],
    /// Whether the key was found by a ciphertext: a refusal then names no key.
    pub by_ciphertext: bool,
}

impl<'a> Particulars<'a> {
    /// Nothing that a policy may ask for.
    pub const NONE: Self = Self {
        encryption_context: None,
        texts: &[],
        lists: &[],
        others: &[],
        tags: &[],
        by_ciphertext: false,
    };

    /// Keys with one value each.
    #[must_use]
    pub fn of(texts: &'a [(ContextKey, &'a str)]) -> Self {
        Self { texts, ..Self::NONE }
    }
}
