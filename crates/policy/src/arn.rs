//! ARNs: six segments between colons, each matched by itself.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>. That page says in
//! one place that wildcards work within segments, and in another that a `*` at the end of a segment may reach beyond it. A
//! statement that allows is read in the first way, one that denies in both.

use alloc::boxed::Box;
use core::array;

use crate::context::KeyName;
use crate::document::Version;
use crate::pattern::{Pattern, Scope, Syntax};

const SEGMENTS: usize = 6;

/// What a request is about: the ARN of a key or an alias, or `*`.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    text: &'a str,
    segments: Option<[&'a str; SEGMENTS]>,
}

/// A `Resource` of a policy.
#[derive(Clone, Debug)]
pub(crate) enum ResourcePattern {
    Any,
    Exact(Box<str>),
    Segments {
        segments: Box<[Pattern; SEGMENTS]>,
        /// The whole text, as one pattern.
        whole: Pattern,
    },
}

/// The value of an ARN condition in a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arn<'a> {
    text: &'a str,
    segments: [&'a str; SEGMENTS],
}

/// The value of an ARN condition in a policy.
#[derive(Clone, Debug)]
pub(crate) enum ArnPattern {
    Any,
    Exact(Box<str>),
    /// Fewer than six segments: no ARN is compared with it.
    Incomplete,
    Segments(Box<[Pattern; SEGMENTS]>),
}

/// How far a wildcard reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    /// To the end of its segment.
    Narrow,
    /// Beyond it.
    Wide,
}

impl<'a> Resource<'a> {
    /// The resource whose ARN is `text`, or `*`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, segments: split(text) }
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The account in its ARN.
    #[must_use]
    pub fn account(&self) -> Option<&'a str> {
        self.segments.map(|[_, _, _, _, account, _]| account)
    }

    /// What stands behind the fifth colon.
    pub(crate) fn name(&self) -> &'a str {
        self.segments.map_or("", |[.., name]| name)
    }
}

impl ResourcePattern {
    /// Variables count behind the fifth colon alone. Segments that are missing are `*`.
    pub(crate) fn compile(text: &str, version: Version) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let variables = version == Version::V2012;
        if split(text).is_some() && !text.contains(['*', '?']) && !(variables && text.contains("${")) {
            return Self::Exact(text.into());
        }
        let mut parts = text.splitn(SEGMENTS, ':');
        let mut index = 0;
        let segments = array::from_fn(|_| {
            index += 1;
            let variables = variables && index == SEGMENTS;
            Pattern::compile(parts.next().unwrap_or("*"), Syntax { wildcards: true, variables })
        });
        let whole = Pattern::compile(text, Syntax { wildcards: true, variables });
        Self::Segments { segments: Box::new(segments), whole }
    }

    /// Calls `with` for the key of each variable.
    pub(crate) fn mention<'p>(&'p self, with: &mut dyn FnMut(&'p KeyName)) {
        match self {
            Self::Any | Self::Exact(_) => {}
            Self::Segments { whole, .. } => whole.mention(with),
        }
    }

    /// Whether it depends on what is not known of the request.
    pub(crate) fn is_open(&self, scope: Scope<'_, '_>) -> bool {
        match self {
            Self::Any | Self::Exact(_) => false,
            Self::Segments { whole, .. } => whole.is_open(scope),
        }
    }

    pub(crate) fn matches(&self, resource: &Resource<'_>, reach: Reach, scope: Scope<'_, '_>) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => **exact == *resource.text,
            Self::Segments { segments, whole } => {
                let within = resource.segments.is_some_and(|parts| all_match(segments, parts, scope));
                within || reach == Reach::Wide && whole.matches(resource.text, scope)
            }
        }
    }
}

impl<'a> Arn<'a> {
    /// What has six segments.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Some(Self { text, segments: split(text)? })
    }
}

impl ArnPattern {
    pub(crate) fn compile(text: &str, version: Version) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let syntax = Syntax { wildcards: true, variables: version == Version::V2012 };
        let mut rest = text;
        let mut parts = [""; SEGMENTS];
        for (index, part) in parts.iter_mut().enumerate() {
            if index + 1 == SEGMENTS {
                *part = rest;
                continue;
            }
            let Some((head, tail)) = split_outside_variables(rest, syntax.variables) else {
                return Self::Incomplete;
            };
            (*part, rest) = (head, tail);
        }
        if !(text.contains(['*', '?']) || syntax.variables && text.contains("${")) {
            return Self::Exact(text.into());
        }
        Self::Segments(Box::new(parts.map(|part| Pattern::compile(part, syntax))))
    }

    /// Calls `with` for the key of each variable.
    pub(crate) fn mention<'p>(&'p self, with: &mut dyn FnMut(&'p KeyName)) {
        match self {
            Self::Any | Self::Exact(_) | Self::Incomplete => {}
            Self::Segments(segments) => segments.iter().for_each(|segment| segment.mention(with)),
        }
    }

    /// Whether it depends on what is not known of the request.
    pub(crate) fn is_open(&self, scope: Scope<'_, '_>) -> bool {
        match self {
            Self::Any | Self::Exact(_) | Self::Incomplete => false,
            Self::Segments(segments) => segments.iter().any(|segment| segment.is_open(scope)),
        }
    }

    /// Whether `arn` is such an ARN; none where this is none.
    pub(crate) fn matches(&self, arn: &Arn<'_>, scope: Scope<'_, '_>) -> Option<bool> {
        match self {
            Self::Any => Some(true),
            Self::Exact(exact) => Some(**exact == *arn.text),
            Self::Incomplete => None,
            Self::Segments(segments) => Some(all_match(segments, arn.segments, scope)),
        }
    }
}

fn split(text: &str) -> Option<[&str; SEGMENTS]> {
    let mut segments = [""; SEGMENTS];
    let (last, before) = segments.split_last_mut()?;
    let mut begin = 0;
    // By bytes: a colon is no part of a longer character, and a segment is too short for a search that looks at many at once.
    for segment in before {
        let len = text.as_bytes().get(begin..)?.iter().position(|byte| *byte == b':')?;
        *segment = text.get(begin..begin + len)?;
        begin += len + 1;
    }
    *last = text.get(begin..)?;
    Some(segments)
}

/// Splits at the first colon that is not within `${...}`.
fn split_outside_variables(text: &str, variables: bool) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let colon = rest.find(':')?;
        match rest.find("${").filter(|open| variables && *open < colon) {
            Some(open) => from += open + rest.get(open..)?.find('}')?,
            None => return Some((text.get(..from + colon)?, text.get(from + colon + 1..)?)),
        }
    }
}

fn all_match(patterns: &[Pattern; SEGMENTS], parts: [&str; SEGMENTS], scope: Scope<'_, '_>) -> bool {
    patterns.iter().zip(parts).all(|(pattern, part)| pattern.matches(part, scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Context, ContextValue};
    use crate::fuel::Fuel;

    const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn context() -> Context<'static> {
        [
            ("aws:PrincipalTag/key", ContextValue::One("1234abcd-12ab-34cd-56ef-1234567890ab")),
            ("aws:PrincipalAccount", ContextValue::One("111122223333")),
            ("aws:username", ContextValue::One("Alice")),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn a_resource_is_matched_segment_by_segment() {
        for (pattern, narrow, wide) in [
            ("*", true, true),
            (KEY, true, true),
            ("arn:aws:kms:us-west-2:111122223333:key/*", true, true),
            ("arn:aws:kms:*:111122223333:key/*", true, true),
            ("arn:aws:kms:*:*:key/????????-*", true, true),
            ("arn:*:kms:us-*-2:111122223333:key/1234abcd*", true, true),
            ("arn:aws:kms", true, true),
            ("arn:aws:kms:*", true, true),
            ("arn:aws:kms:us-west-2", true, true),
            ("arn:aws:s3", false, false),
            ("arn:aws:kms:*:key/*", false, true),
            ("arn:aws:kms:us-west-2:*key/*", false, true),
            ("arn:aws:kms:us-west-2:111122223333:alias/*", false, false),
            ("arn:aws:kms:us-east-1:111122223333:key/*", false, false),
            ("arn:aws:kms:us-west-2:999999999999:key/*", false, false),
            ("ARN:AWS:KMS:us-west-2:111122223333:key/*", false, false),
            ("arn:aws:kms:us-west-2:111122223333:KEY/*", false, false),
            ("arn:aws:kms:us-west-2:111122223333:key/${aws:PrincipalTag/key}", true, true),
            ("arn:aws:kms:us-west-2:111122223333:${aws:nothing, 'key'}/1234*", true, true),
            ("arn:aws:kms:us-west-2:111122223333:key/${aws:nothing}", false, false),
            ("arn:aws:kms:us-west-2:${aws:PrincipalAccount}:key/*", false, true),
            ("arn:aws:kms:us-west-2:${nothing, '111122223333'}:key/*", false, true),
            ("key/*", false, false),
            ("", false, false),
        ] {
            let (context, fuel) = (context(), Fuel::full());
            let scope = Scope { context: &context, fuel: &fuel };
            let compiled = ResourcePattern::compile(pattern, Version::V2012);
            for (reach, expected) in [(Reach::Narrow, narrow), (Reach::Wide, wide)] {
                assert_eq!(
                    compiled.matches(&Resource::new(KEY), reach, scope),
                    expected,
                    "{pattern} {reach:?}"
                );
            }
        }
    }

    #[test]
    fn no_key_at_all_is_matched_by_a_star_alone() {
        let (context, fuel) = (context(), Fuel::full());
        let scope = Scope { context: &context, fuel: &fuel };
        for (pattern, expected) in
            [("*", true), ("arn:aws:kms:*:*:*", false), ("arn:aws:kms:*:*:key/*", false), (KEY, false)]
        {
            let compiled = ResourcePattern::compile(pattern, Version::V2012);
            assert_eq!(compiled.matches(&Resource::new("*"), Reach::Narrow, scope), expected, "{pattern}");
        }
    }

    #[test]
    fn an_arn_condition_is_matched_segment_by_segment() {
        let text = "arn:aws:iam::111122223333:user/dept/Alice";
        for (pattern, expected) in [
            ("*", Some(true)),
            (text, Some(true)),
            ("arn:aws:iam::111122223333:user/*", Some(true)),
            ("arn:aws:iam::*:user/dept/*", Some(true)),
            ("arn:*:*:*:*:*", Some(true)),
            ("arn:aws:iam::111122223333:user/dept/?lice", Some(true)),
            ("arn:aws:iam::111122223333:role/*", Some(false)),
            ("arn:aws:iam:*:user/*", None),
            ("arn:aws:iam::1111*", None),
            ("arn:aws:iam::${aws:PrincipalAccount}:user/dept/${aws:username}", Some(true)),
            ("arn:aws:iam::${aws:nothing}:user/*", Some(false)),
            ("arn:aws:iam::${aws:PrincipalAccount", None),
            ("arn:aws:iam:${a:}:user/*", None),
        ] {
            let (context, fuel) = (context(), Fuel::full());
            let scope = Scope { context: &context, fuel: &fuel };
            assert_eq!(
                ArnPattern::compile(pattern, Version::V2012).matches(&Arn::parse(text).unwrap(), scope),
                expected,
                "{pattern}"
            );
        }
        let (context, fuel) = (context(), Fuel::full());
        let scope = Scope { context: &context, fuel: &fuel };
        let old = ArnPattern::compile("arn:aws:iam::${aws:PrincipalAccount}:user/*", Version::V2008);
        assert_eq!(old.matches(&Arn::parse(text).unwrap(), scope), Some(false));
        for text in ["", "not an arn", "arn:aws:iam::111122223333"] {
            assert!(Arn::parse(text).is_none(), "{text}");
        }
    }
}
