//! Key policies: their grammar, and the check that nobody locks himself out.
//!
//! Pure functions. A policy that parses is well formed; nothing here decides a request.
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>.

mod document;
mod json;
mod lockout;
mod principal;

pub use document::{Document, Effect, ParsePolicyError, Statement};
pub use lockout::allows_root_to_put_policy;
pub use principal::{AwsPrincipal, ParsePrincipalError, Principals};

/// The name of the only policy that a key has.
pub const DEFAULT_NAME: &str = "default";

/// The policy of a key that was made without one, as it is read back.
#[must_use]
pub fn default_text(account: keyreeve_domain::AccountId, partition: &str) -> String {
    format!(
        "{{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n  \"Statement\" : [ {{\n    \
         \"Sid\" : \"Enable IAM User Permissions\",\n    \"Effect\" : \"Allow\",\n    \"Principal\" : {{\n      \
         \"AWS\" : \"arn:{partition}:iam::{account}:root\"\n    }},\n    \"Action\" : \"kms:*\",\n    \
         \"Resource\" : \"*\"\n  }} ]\n}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_is_well_formed_and_locks_nobody_out() {
        let account = "111122223333".parse().unwrap();
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let policy = Document::parse(&default_text(account, "aws")).unwrap();
        assert!(allows_root_to_put_policy(&policy, account, arn));
    }
}
