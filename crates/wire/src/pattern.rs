//! The patterns of the service model as predicates.
//!
//! A pattern holds for a whole text, as in AWS KMS, whether or not it is anchored. Each predicate is the regular
//! expression of its text; the expressions are Java's (`\w`, `\d` and `\s` are ASCII).

use std::fmt;

/// A pattern that a text has to match.
#[derive(Clone, Copy)]
pub struct Pattern {
    text: &'static str,
    matches: fn(&str) -> bool,
    explanation: Option<&'static str>,
}

impl Pattern {
    pub(crate) const fn new(text: &'static str, matches: fn(&str) -> bool) -> Self {
        Self { text, matches, explanation: None }
    }

    pub(crate) const fn explained(mut self, explanation: &'static str) -> Self {
        self.explanation = Some(explanation);
        self
    }

    /// The regular expression, as it stands in error texts.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// What IAM says in place of the expression.
    pub(crate) const fn explanation(&self) -> Option<&'static str> {
        self.explanation
    }

    /// Whether the whole of `value` matches.
    pub fn matches(&self, value: &str) -> bool {
        (self.matches)(value)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

macro_rules! patterns {
    ($($(#[$meta:meta])* $name:ident = $text:literal, $matches:expr $(, explained $explanation:expr)?;)+) => {
        $($(#[$meta])* pub(crate) const $name: Pattern = Pattern::new($text, $matches)$(.explained($explanation))?;)+

        #[cfg(test)]
        const ALL: &[Pattern] = &[$($name,)+];
    };
}

pub(crate) use patterns;

patterns! {
    /// Of a key identifier; enforced by AWS KMS, not in the public model.
    ASCII = r"^\p{ASCII}+$", |s| some(s, |c| c.is_ascii());
    ACCOUNT_ID = "[0-9]{12}", |s| s.len() == 12 && some(s, |c| c.is_ascii_digit());
    ALIAS_NAME = "^[a-zA-Z0-9:/_-]+$", |s| some(s, |c| alphanumeric_or(c, ":/_-"));
    HEX = "^[a-f0-9]+$", |s| some(s, |c| matches!(c, 'a'..='f' | '0'..='9'));
    CLUSTER_ID = "cluster-[2-7a-zA-Z]{11,16}", |s| s.strip_prefix("cluster-").is_some_and(|id| {
        (11..=16).contains(&id.len()) && some(id, |c| c.is_ascii_alphabetic() || matches!(c, '2'..='7'))
    });
    SOURCE_ARN = "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$", source_arn;
    KEY_MATERIAL_DESCRIPTION = r"^[a-zA-Z0-9:/_\s.-]+$",
        |s| some(s, |c| alphanumeric_or(c, ":/_.- \t\n\u{b}\u{c}\r"));
    MARKER = r"[\u0020-\u00FF]*", |s| s.chars().all(|c| matches!(c, ' '..='\u{ff}'));
    POLICY_NAME = r"[\w]+", |s| some(s, |c| alphanumeric_or(c, "_"));
    // AWS: the explanation is unverified for the session policies of STS.
    POLICY = r"[\u0009\u000A\u000D\u0020-\u00FF]+",
        |s| some(s, |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}')),
        explained "It must contain only printable ASCII characters.";
    PRINCIPAL = r"^[\w+=,.@:/-]+$", |s| some(s, |c| alphanumeric_or(c, "_+=,.@:/-"));
    REGION = r"^([a-z]+-){2,3}\d+$", region;
    SERVICE_PRINCIPAL = r"^([A-Za-z0-9\-]+)\.([A-Za-z0-9\-]+)(\.[A-Za-z0-9\-]+)+$", |s| {
        s.split('.').count() >= 3 && s.split('.').all(|part| some(part, |c| alphanumeric_or(c, "-")))
    };
    XKS_KEY_ID = "^[a-zA-Z0-9-_.]+$", |s| some(s, |c| alphanumeric_or(c, "-_."));
    XKS_ACCESS_KEY_ID = "^[A-Z2-7]+$", |s| some(s, |c| matches!(c, 'A'..='Z' | '2'..='7'));
    XKS_SECRET_ACCESS_KEY = r"^[a-zA-Z0-9\/+=]+$", |s| some(s, |c| alphanumeric_or(c, "/+="));
    XKS_URI_ENDPOINT = "^https://[a-zA-Z0-9.-]+$",
        |s| s.strip_prefix("https://").is_some_and(|host| some(host, |c| alphanumeric_or(c, ".-")));
    XKS_URI_PATH = r"^(/[a-zA-Z0-9\/_-]+/kms/xks/v\d{1,2})$|^(/kms/xks/v\d{1,2})$", xks_uri_path;
    XKS_VPC_SERVICE_NAME = r"^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$", vpc_service_name;
}

/// One or more characters of a class.
pub(crate) fn some(text: &str, class: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(class)
}

pub(crate) fn alphanumeric_or(c: char, others: &str) -> bool {
    c.is_ascii_alphanumeric() || others.contains(c)
}

fn region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    (2..=3).contains(&words.split('-').count())
        && words.split('-').all(|word| some(word, |c| c.is_ascii_lowercase()))
        && some(number, |c| c.is_ascii_digit())
}

fn source_arn(text: &str) -> bool {
    let part = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.next().and_then(|p| p.strip_prefix("aws")).is_some_and(|p| p.chars().all(part))
        && parts.next().is_some_and(|service| some(service, part))
        && parts.next().is_some_and(|region| region.chars().all(part))
        && parts.next().is_some_and(|account| ACCOUNT_ID.matches(account))
        && parts.next().is_some_and(|rest| some(rest, |c| !"\n\r\u{85}\u{2028}\u{2029}".contains(c)))
}

fn xks_uri_path(text: &str) -> bool {
    let Some((before, version)) = text.rsplit_once("/kms/xks/v") else { return false };
    let prefix = match before.strip_prefix('/') {
        Some(rest) => some(rest, |c| alphanumeric_or(c, "/_-")),
        None => before.is_empty(),
    };
    prefix && (1..=2).contains(&version.len()) && some(version, |c| c.is_ascii_digit())
}

fn vpc_service_name(text: &str) -> bool {
    let rest = text.strip_prefix("com").or_else(|| text.strip_prefix("eu"));
    let Some((place, id)) =
        rest.and_then(|r| r.strip_prefix(".amazonaws.vpce.")).and_then(|r| r.split_once(".vpce-svc-"))
    else {
        return false;
    };
    region(place) && some(id, |c| matches!(c, '0'..='9' | 'a'..='z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_takes_what_its_text_says() {
        for (pattern, text, ok) in [
            (ASCII, "alias/\u{0}~", true),
            (ASCII, "", false),
            (ASCII, "キー", false),
            (ACCOUNT_ID, "111122223333", true),
            (ACCOUNT_ID, "11112222333", false),
            (ACCOUNT_ID, "11112222333x", false),
            (ALIAS_NAME, "alias/a:B_0-", true),
            (ALIAS_NAME, "alias/a!", false),
            (ALIAS_NAME, "alias/a\n", false),
            (HEX, "09af", true),
            (HEX, "09aF", false),
            (HEX, "", false),
            (CLUSTER_ID, "cluster-2abcdefghi7", true),
            (CLUSTER_ID, "cluster-2abcdefghi", false),
            (CLUSTER_ID, "cluster-1abcdefghi7", false),
            (CLUSTER_ID, "xcluster-2abcdefghi7", false),
            (SOURCE_ARN, "arn:aws:s3::111122223333:bucket:x", true),
            (SOURCE_ARN, "arn:aws-cn:s3:cn-north-1:111122223333:b", true),
            (SOURCE_ARN, "arn:aws:s3:::bucket", false),
            (SOURCE_ARN, "arn:aws:s3::111122223333:", false),
            (SOURCE_ARN, "arn:aws:s3::111122223333:a\nb", false),
            (SOURCE_ARN, "arn:gcp:s3::111122223333:b", false),
            (KEY_MATERIAL_DESCRIPTION, "made 2026:\t/x_y.z-", true),
            (KEY_MATERIAL_DESCRIPTION, "a,b", false),
            (MARKER, "", true),
            (MARKER, "aÿ", true),
            (MARKER, "Ā", false),
            (MARKER, "\t", false),
            (POLICY_NAME, "default_1", true),
            (POLICY_NAME, "de-fault", false),
            (POLICY, "{\r\n\t\"ÿ\"}", true),
            (POLICY, "\u{0}", false),
            (PRINCIPAL, "arn:aws:iam::1:user/a+b=c,d.e@f-g_h", true),
            (PRINCIPAL, "a b", false),
            (REGION, "us-east-1", true),
            (REGION, "us-gov-west-12", true),
            (REGION, "us-1", false),
            (REGION, "a-b-c-d-1", false),
            (REGION, "us-east-", false),
            (REGION, "us--1", false),
            (REGION, "US-east-1", false),
            (SERVICE_PRINCIPAL, "s3.amazonaws.com", true),
            (SERVICE_PRINCIPAL, "a.b.c.d", true),
            (SERVICE_PRINCIPAL, "amazonaws.com", false),
            (SERVICE_PRINCIPAL, "a..b", false),
            (XKS_KEY_ID, "a-b_c.d", true),
            (XKS_KEY_ID, "a/b", false),
            (XKS_ACCESS_KEY_ID, "ABZ27", true),
            (XKS_ACCESS_KEY_ID, "AB1", false),
            (XKS_SECRET_ACCESS_KEY, "aZ0/+=", true),
            (XKS_SECRET_ACCESS_KEY, "a-b", false),
            (XKS_URI_ENDPOINT, "https://a.b-c", true),
            (XKS_URI_ENDPOINT, "http://a.b-c", false),
            (XKS_URI_ENDPOINT, "https://a.b:443", false),
            (XKS_URI_PATH, "/kms/xks/v1", true),
            (XKS_URI_PATH, "/a/b_c-d/kms/xks/v12", true),
            (XKS_URI_PATH, "//kms/xks/v1", false),
            (XKS_URI_PATH, "a/kms/xks/v1", false),
            (XKS_URI_PATH, "/kms/xks/v123", false),
            (XKS_URI_PATH, "/kms/xks/v", false),
            (XKS_VPC_SERVICE_NAME, "com.amazonaws.vpce.us-east-1.vpce-svc-0a", true),
            (XKS_VPC_SERVICE_NAME, "eu.amazonaws.vpce.eusc-de-east-1.vpce-svc-0a", true),
            (XKS_VPC_SERVICE_NAME, "com.amazonaws.vpce.us-east-1.vpce-svc-", false),
            (XKS_VPC_SERVICE_NAME, "org.amazonaws.vpce.us-east-1.vpce-svc-0a", false),
        ] {
            assert_eq!(pattern.matches(text), ok, "{} {text:?}", pattern.text());
        }
    }

    #[test]
    fn no_two_patterns_have_the_same_text() {
        for (index, pattern) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.text() != pattern.text()), "{pattern:?}");
        }
    }
}
