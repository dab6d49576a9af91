//! Names: of the trail, its files and its times, in the form that CloudTrail has.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html>.

use keyreeve_domain::{AccountId, Region, Timestamp};
use time::OffsetDateTime;

/// What a trail is called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrailNames {
    /// The trail.
    pub trail: String,
    /// The bucket that its files seem to be in.
    pub bucket: String,
    /// What the names of all files in the bucket begin with: nothing, or a name with a slash at its end.
    pub prefix: String,
    /// The ARN of the KMS key that they are encrypted under, if any, or of its alias.
    pub kms_key: Option<String>,
    /// Its home Region.
    pub home: Region,
}

impl TrailNames {
    /// The ARN of the trail of an account.
    #[must_use]
    pub fn arn(&self, account: AccountId) -> String {
        let Self { trail, home, .. } = self;
        format!("arn:{}:cloudtrail:{home}:{account}:trail/{trail}", home.partition())
    }

    /// The ARN of the object `key` in the bucket.
    #[must_use]
    pub fn object_arn(&self, key: &str) -> String {
        format!("arn:{}:s3:::{}/{key}", self.home.partition(), self.bucket)
    }

    /// The name of a log file that is delivered at `at`.
    #[must_use]
    pub fn log_key(&self, account: AccountId, region: Region, at: Timestamp, unique: &str) -> String {
        let (day, minute) = (day(at), minute(at));
        format!(
            "{}CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{minute}_{unique}.json.gz",
            account_prefix(&self.prefix, account)
        )
    }

    /// The name of the digest that ends at `end`.
    #[must_use]
    pub fn digest_key(&self, account: AccountId, region: Region, end: Timestamp) -> String {
        let Self { trail, home, .. } = self;
        let (day, second) = (day(end), second(end));
        format!(
            "{}{region}/{day}/{account}_CloudTrail-Digest_{region}_{trail}_{home}_{second}.json.gz",
            digest_prefix(&self.prefix, account)
        )
    }
}

/// What the names of all files of an account begin with, in a bucket where they begin with `prefix`.
#[must_use]
pub fn account_prefix(prefix: &str, account: AccountId) -> String {
    format!("{prefix}{TOP}{account}/")
}

/// What the names of all digests of an account begin with.
#[must_use]
pub fn digest_prefix(prefix: &str, account: AccountId) -> String {
    format!("{prefix}{TOP}{account}/CloudTrail-Digest/")
}

/// Whether the name of a file is that of a digest.
#[must_use]
pub fn is_digest(key: &str) -> bool {
    key.contains("/CloudTrail-Digest/")
}

/// What the names of all files begin with, after the prefix of the bucket.
pub const TOP: &str = "AWSLogs/";

fn utc(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.millis().div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn day(at: Timestamp) -> String {
    let at = utc(at);
    format!("{:04}/{:02}/{:02}", at.year(), u8::from(at.month()), at.day())
}

fn minute(at: Timestamp) -> String {
    let at = utc(at);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    format!("{year:04}{month:02}{day:02}T{:02}{:02}Z", at.hour(), at.minute())
}

fn second(at: Timestamp) -> String {
    let at = utc(at);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second())
}

/// `2026-01-02T03:04:05Z`.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    let at = utc(at);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second())
}

/// The time that [`iso`] wrote.
#[must_use]
pub fn parse_iso(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    Some(Timestamp::from_millis(at.unix_timestamp().checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_cloudtrail() {
        let home = "us-east-2".parse().unwrap();
        let account = "111122223333".parse().unwrap();
        let names = TrailNames {
            trail: "keyreeve".to_owned(),
            bucket: "b".to_owned(),
            prefix: String::new(),
            kms_key: None,
            home,
        };
        let at = Timestamp::from_millis(1_439_773_825_000);
        let region = "eu-west-1".parse().unwrap();
        assert_eq!(
            names.log_key(account, region, at, "0123456789abcdef"),
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2015/08/17/\
             111122223333_CloudTrail_eu-west-1_20150817T0110Z_0123456789abcdef.json.gz"
        );
        assert_eq!(
            names.digest_key(account, region, at),
            "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2015/08/17/\
             111122223333_CloudTrail-Digest_eu-west-1_keyreeve_us-east-2_20150817T011025Z.json.gz"
        );
        let below = TrailNames { prefix: "logs/".to_owned(), ..names.clone() };
        assert_eq!(
            below.digest_key(account, region, at),
            format!("logs/{}", names.digest_key(account, region, at))
        );
        assert!(is_digest(&below.digest_key(account, region, at)));
        assert!(!is_digest(&below.log_key(account, region, at, "0123456789abcdef")));
        assert_eq!(names.arn(account), "arn:aws:cloudtrail:us-east-2:111122223333:trail/keyreeve");
        assert_eq!(parse_iso(&iso(at)), Some(at));
    }
}
