//! The patterns of IAM and STS.

pub(crate) use crate::pattern::{POLICY, POLICY_NAME as WORD};
use crate::pattern::{Pattern, alphanumeric_or, patterns, some};

const NAMES: &str = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
const PATHS: &str =
    "It must begin and end with / and contain only alphanumeric characters and/or / characters.";

/// What IAM says of a prefix of paths, whatever its pattern.
pub(crate) const PREFIXES: &str =
    "It must begin with the / character and contain only alphanumeric characters and/or / characters.";

patterns! {
    ACCOUNT_ALIAS = r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", account_alias;
    CONTEXT_ASSERTION = r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+",
        |s| some(s, |c| matches!(c,
            '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..));
    DESCRIPTION = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*",
        |s| s.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'));
    DEVICE = r"[\w+=/:,.@-]*", |s| s.chars().all(|c| alphanumeric_or(c, "_+=/:,.@-"));
    DIGITS = r"[\d]*", |s| s.chars().all(|c| c.is_ascii_digit());
    EXTERNAL = r"[\w+=,.@:-]*", |s| s.chars().all(|c| alphanumeric_or(c, "_+=,.@:-"));
    EXTERNAL_ID = r"[\w+=,.@:\/-]*", |s| s.chars().all(|c| alphanumeric_or(c, "_+=,.@:/-"));
    FEDERATED_NAME = r"[\w+=,.@\:-]*", |s| s.chars().all(|c| alphanumeric_or(c, "_+=,.@:-"));
    MARKER = r"[\u0020-\u00FF]+", |s| some(s, |c| matches!(c, ' '..='\u{ff}'));
    NAME = r"[\w+=,.@-]+", |s| some(s, |c| alphanumeric_or(c, "_+=,.@-")), explained NAMES;
    NAME_OR_NONE = r"[\w+=,.@-]*", |s| s.chars().all(|c| alphanumeric_or(c, "_+=,.@-"));
    PATH = r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)",
        |s| s == "/" || s.len() > 2 && s.starts_with('/') && s.ends_with('/') && s.bytes().all(|b| matches!(b, b'!'..=b'~')),
        explained PATHS;
    PATH_PREFIX = r"\u002F[\u0021-\u007F]*",
        |s| s.strip_prefix('/').is_some_and(|rest| rest.chars().all(|c| matches!(c, '!'..='\u{7f}'))),
        explained PREFIXES;
    POLICY_PATH = r"((/[A-Za-z0-9\.,\+@=_-]+)*)/", |s| {
        s.strip_suffix('/').is_some_and(|rest| rest.is_empty()
            || rest.strip_prefix('/').is_some_and(|parts| parts.split('/').all(|part| some(part, |c| alphanumeric_or(c, ".,+@=_-")))))
    }, explained PATHS;
    POLICY_VERSION = r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?", policy_version;
    SERIAL_NUMBER = r"[\w+=/:,.@-]+", |s| some(s, |c| alphanumeric_or(c, "_+=/:,.@-"));
    TAG_KEY = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", |s| some(s, is_tag);
    TAG_VALUE = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", |s| s.chars().all(is_tag);
    WORD_OR_NONE = r"[\w]*", |s| s.chars().all(|c| alphanumeric_or(c, "_"));
}

fn account_alias(text: &str) -> bool {
    let ends = text.starts_with(|c: char| c != '-') && text.ends_with(|c: char| c != '-');
    (3..=63).contains(&text.len())
        && ends
        && !text.contains("--")
        && text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
}

/// Letters, separators and numbers of Unicode, and some signs.
fn is_tag(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() && !c.is_control() || "_.:/=+-@".contains(c)
}

fn policy_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let (number, suffix) = rest.split_once('.').unwrap_or((rest, ""));
    number.starts_with(|c: char| matches!(c, '1'..='9'))
        && number.chars().all(|c| c.is_ascii_digit())
        && suffix.chars().all(|c| alphanumeric_or(c, "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_takes_what_its_text_says() {
        for (pattern, text, ok) in [
            (ACCOUNT_ALIAS, "a-b-1", true),
            (ACCOUNT_ALIAS, "ab", false),
            (ACCOUNT_ALIAS, "-ab", false),
            (ACCOUNT_ALIAS, "a--b", false),
            (ACCOUNT_ALIAS, "Abc", false),
            (CONTEXT_ASSERTION, "arn:aws:iam::1:role/ä😀", true),
            (CONTEXT_ASSERTION, "", false),
            (CONTEXT_ASSERTION, "\u{7f}", false),
            (DESCRIPTION, "", true),
            (DESCRIPTION, "a\n\tÿ", true),
            (DESCRIPTION, "\u{a0}", false),
            (DESCRIPTION, "Ā", false),
            (DEVICE, "arn:aws:iam::1:mfa/a", true),
            (DEVICE, "a b", false),
            (DIGITS, "123456", true),
            (DIGITS, "12345a", false),
            (EXTERNAL, "AROA:me@x", true),
            (EXTERNAL, "a/b", false),
            (EXTERNAL_ID, "a/b:c", true),
            (EXTERNAL_ID, "a b", false),
            (FEDERATED_NAME, "1:bob", true),
            (FEDERATED_NAME, "1/bob", false),
            (MARKER, "ab", true),
            (MARKER, "", false),
            (NAME, "a+b=c,d.e@f-g_H1", true),
            (NAME, "", false),
            (NAME, "a/b", false),
            (NAME, "ä", false),
            (NAME_OR_NONE, "", true),
            (NAME_OR_NONE, "a b", false),
            (PATH, "/", true),
            (PATH, "/a/", true),
            (PATH, "/a/b!/", true),
            (PATH, "//", false),
            (PATH, "///", true),
            (PATH, "/a", false),
            (PATH, "a/", false),
            (PATH, "/a b/", false),
            (PATH_PREFIX, "/", true),
            (PATH_PREFIX, "/a", true),
            (PATH_PREFIX, "a", false),
            (PATH_PREFIX, "", false),
            (POLICY_PATH, "/", true),
            (POLICY_PATH, "/a.b/c@d/", true),
            (POLICY_PATH, "//", false),
            (POLICY_PATH, "/a!/", false),
            (POLICY_PATH, "/a", false),
            (POLICY_VERSION, "v1", true),
            (POLICY_VERSION, "v10.a-B", true),
            (POLICY_VERSION, "v0", false),
            (POLICY_VERSION, "1", false),
            (POLICY_VERSION, "v1x", false),
            (SERIAL_NUMBER, "a", true),
            (SERIAL_NUMBER, "", false),
            (TAG_KEY, "α β_.:/=+-@1", true),
            (TAG_KEY, "", false),
            (TAG_KEY, "a*", false),
            (TAG_KEY, "a\n", false),
            (TAG_VALUE, "", true),
            (TAG_VALUE, "a!", false),
            (WORD_OR_NONE, "", true),
            (WORD_OR_NONE, "A_1", true),
            (WORD_OR_NONE, "a-b", false),
        ] {
            assert_eq!(pattern.matches(text), ok, "{} {text:?}", pattern.text());
        }
    }

    #[test]
    fn no_two_patterns_have_the_same_text() {
        let texts: std::collections::BTreeSet<_> = ALL.iter().map(Pattern::text).collect();
        assert_eq!(texts.len(), ALL.len());
    }
}
