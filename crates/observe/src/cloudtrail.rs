//! The operations that tell of the trail itself.
//!
//! An account has one trail, which was not made by anybody and cannot be changed over the API: the configuration says what it is
//! called and how often it is delivered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_core::Cx;
use keyreeve_core::gate::{Elsewhere, Particulars, authorize_elsewhere};
use keyreeve_domain::Timestamp;
use keyreeve_wire::InputError;
use keyreeve_wire::auditing::{
    AuditInput, DescribeTrailsInput, ListPublicKeysInput, ListTrailsInput, NamedTrailInput,
};
use serde_json::{Value, json};

use crate::answer::Asked;
use crate::archive::{PublicKey, Status};
use crate::refusal::Refusal;

/// Reads the input, and notes it for the trail.
pub(crate) fn read<I: AuditInput>(cx: &mut Cx<'_>, body: &[u8]) -> Result<I, Refusal> {
    let input = I::decode(body).map_err(|error| match error {
        InputError::Serialization(text) => Refusal::new("SerializationException", text.unwrap_or_default()),
        InputError::Validation(text) => Refusal::new(I::OUTSIDE, text),
    })?;
    let mut noted = Vec::new();
    input.write_parameters(&mut noted);
    if noted != b"{}" {
        cx.notes.request_parameters = noted;
    }
    Ok(input)
}

/// Lets the caller through for the action `cloudtrail:…`.
pub(crate) async fn authorize(cx: &Cx<'_>, action: &str, resource: &str) -> Result<(), Refusal> {
    let account = cx.caller.account();
    let resource = Elsewhere { arn: resource, account, policy: None, tags: &[] };
    Ok(authorize_elsewhere(cx, action, resource, &Particulars::NONE).await?)
}

/// A time, as JSON of AWS has it.
pub(crate) fn epoch(time: Timestamp) -> Value {
    let millis = time.millis();
    if millis % 1000 == 0 { json!(millis / 1000) } else { json!(as_f64(millis) / 1000.0) }
}

/// The same in words, to the second.
fn iso(time: Timestamp) -> String {
    let mut quoted = Vec::new();
    keyreeve_audit::event::write_time(&mut quoted, time);
    String::from_utf8_lossy(&quoted).trim_matches('"').to_owned()
}

fn as_f64(millis: i64) -> f64 {
    // Exact for every time that a calendar has.
    i32::try_from(millis / 1000).map_or(f64::MAX, |seconds| f64::from(seconds) * 1000.0)
        + f64::from(i16::try_from(millis % 1000).unwrap_or_default())
}

fn describe(cx: &Cx<'_>, asked: &Asked<'_>) -> Value {
    let names = asked.names;
    let mut described = json!({
        "Name": names.trail,
        "S3BucketName": names.bucket,
        "IncludeGlobalServiceEvents": true,
        "IsMultiRegionTrail": true,
        "HomeRegion": names.home.as_str(),
        "TrailARN": names.arn(cx.caller.account()),
        "LogFileValidationEnabled": true,
        "HasCustomEventSelectors": false,
        "HasInsightSelectors": false,
        "IsOrganizationTrail": false,
    });
    let prefix = names.prefix.strip_suffix('/');
    if let Some(members) = described.as_object_mut() {
        members.extend(prefix.map(|prefix| ("S3KeyPrefix".to_owned(), json!(prefix))));
        members.extend(names.kms_key.as_ref().map(|key| ("KmsKeyId".to_owned(), json!(key))));
    }
    described
}

/// Checks a name, or an ARN as far as it is one of a trail. The texts are those that others have collected of the service.
// AWS: unverified. Which rule is named where a name breaks two of them, and the texts for ARNs and adjacent signs.
fn check_name(name: &str) -> Result<(), Refusal> {
    let invalid = |text: String| Err(Refusal::new("InvalidTrailNameException", text));
    if name.starts_with("arn:") {
        let mut parts = name.splitn(6, ':');
        let is_trail = parts.nth(2) == Some("cloudtrail")
            && parts
                .nth(2)
                .and_then(|resource| resource.strip_prefix("trail/"))
                .is_some_and(|name| !name.is_empty());
        return match is_trail {
            true => Ok(()),
            false => Err(Refusal::new(
                "CloudTrailARNInvalidException",
                format!("The specified trail ARN is not valid: {name}"),
            )),
        };
    }
    if name.is_empty() {
        return invalid("Trail name cannot be blank!".to_owned());
    }
    let len = name.chars().count();
    let is_plain = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let is_sign = |letter: char| matches!(letter, '.' | '_' | '-');
    let is_known = |letter: char| letter.is_ascii_alphanumeric() || is_sign(letter);
    if len < NAME_LEAST {
        return invalid(format!(
            "Trail name too short. Minimum allowed length: {NAME_LEAST} characters. Specified name length: {len} characters."
        ));
    }
    if len > NAME_MOST {
        return invalid(format!(
            "Trail name too long. Maximum allowed length: {NAME_MOST} characters. Specified name length: {len} characters."
        ));
    }
    if !is_plain(name.chars().next()) {
        return invalid("Trail name must starts with a letter or number.".to_owned());
    }
    if !is_plain(name.chars().next_back()) {
        return invalid("Trail name must ends with a letter or number.".to_owned());
    }
    if !name.chars().all(is_known) {
        return invalid(
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), \
             hyphens (-), and underscores (_)."
                .to_owned(),
        );
    }
    if name.chars().zip(name.chars().skip(1)).any(|(one, next)| is_sign(one) && is_sign(next)) {
        return invalid("Trail name must not have adjacent periods, underscores or dashes.".to_owned());
    }
    match name.parse::<core::net::Ipv4Addr>() {
        Ok(_) => invalid("Trail name must not be formatted as an IP address.".to_owned()),
        Err(_) => Ok(()),
    }
}

/// The shortest and the longest name, in characters.
const NAME_LEAST: usize = 3;
const NAME_MOST: usize = 128;

/// Whether `name` is the trail, by name or ARN.
fn is_named(cx: &Cx<'_>, asked: &Asked<'_>, name: &str) -> bool {
    name == asked.names.trail || name == asked.names.arn(cx.caller.account())
}

fn not_found(cx: &Cx<'_>, name: &str) -> Refusal {
    let account = cx.caller.account();
    Refusal::new("TrailNotFoundException", format!("Unknown trail: {name} for the user: {account}"))
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html>. A name that is not there is left out.
pub(crate) async fn describe_trails(
    cx: &mut Cx<'_>,
    asked: &Asked<'_>,
    body: &[u8],
) -> Result<Value, Refusal> {
    let input: DescribeTrailsInput = read(cx, body)?;
    authorize(cx, "cloudtrail:DescribeTrails", "*").await?;
    let is_shadow = cx.region != asked.names.home;
    let names = &input.trail_name_list;
    let is_wanted = names.is_empty() || names.iter().any(|name| is_named(cx, asked, name));
    let is_shown = !is_shadow || input.include_shadow_trails != Some(false);
    let list = if is_wanted && is_shown { vec![describe(cx, asked)] } else { Vec::new() };
    Ok(json!({ "trailList": list }))
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrail.html>
pub(crate) async fn get_trail(cx: &mut Cx<'_>, asked: &Asked<'_>, body: &[u8]) -> Result<Value, Refusal> {
    let input: NamedTrailInput = read(cx, body)?;
    check_name(&input.name)?;
    authorize(cx, "cloudtrail:GetTrail", &asked.names.arn(cx.caller.account())).await?;
    match is_named(cx, asked, &input.name) {
        true => Ok(json!({ "Trail": describe(cx, asked) })),
        false => Err(not_found(cx, &input.name)),
    }
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html>
pub(crate) async fn get_trail_status(
    cx: &mut Cx<'_>,
    asked: &Asked<'_>,
    body: &[u8],
) -> Result<Value, Refusal> {
    let input: NamedTrailInput = read(cx, body)?;
    check_name(&input.name)?;
    authorize(cx, "cloudtrail:GetTrailStatus", &asked.names.arn(cx.caller.account())).await?;
    if !is_named(cx, asked, &input.name) {
        // This operation speaks of a trail by its ARN, however it was named.
        let arn = match input.name.starts_with("arn:") {
            true => input.name,
            false => format!(
                "arn:{}:cloudtrail:{}:{}:trail/{}",
                cx.region.partition(),
                cx.region,
                cx.caller.account(),
                input.name
            ),
        };
        return Err(not_found(cx, &arn));
    }
    let Status { started, delivered, digested, error } = asked.archive.status(cx.caller.account());
    let mut answer = json!({ "IsLogging": true });
    if let Some(members) = answer.as_object_mut() {
        for (name, time) in [
            ("StartLoggingTime", started),
            ("LatestDeliveryTime", delivered),
            ("LatestDigestDeliveryTime", digested),
        ] {
            members.extend(time.map(|time| (name.to_owned(), epoch(time))));
        }
        // Members that "are no longer used", and are told all the same.
        for (name, time) in [
            ("LatestDeliveryAttemptTime", delivered),
            ("LatestDeliveryAttemptSucceeded", delivered),
            ("LatestNotificationAttemptTime", None),
            ("LatestNotificationAttemptSucceeded", None),
            ("TimeLoggingStarted", started),
            ("TimeLoggingStopped", None),
        ] {
            members.insert(name.to_owned(), json!(time.map(iso).unwrap_or_default()));
        }
        members.extend(error.map(|error| ("LatestDeliveryError".to_owned(), json!(error))));
    }
    Ok(answer)
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListTrails.html>
pub(crate) async fn list_trails(cx: &mut Cx<'_>, asked: &Asked<'_>, body: &[u8]) -> Result<Value, Refusal> {
    let _: ListTrailsInput = read(cx, body)?;
    authorize(cx, "cloudtrail:ListTrails", "*").await?;
    let names = asked.names;
    let arn = names.arn(cx.caller.account());
    Ok(json!({ "Trails": [{ "TrailARN": arn, "Name": names.trail, "HomeRegion": names.home.as_str() }] }))
}

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html>: without times, the key that signs now. A
/// token is not read, whatever it says, as AWS does not.
pub(crate) async fn list_public_keys(
    cx: &mut Cx<'_>,
    asked: &Asked<'_>,
    body: &[u8],
) -> Result<Value, Refusal> {
    let input: ListPublicKeysInput = read(cx, body)?;
    authorize(cx, "cloudtrail:ListPublicKeys", "*").await?;
    let to = input.end_time.unwrap_or(cx.now);
    let from = input.start_time.unwrap_or(to);
    if from > to {
        return Err(Refusal::new("InvalidTimeRangeException", TIME_RANGE));
    }
    let keys = asked.archive.public_keys();
    let valid = keys.iter().filter(|key| {
        // A digest is of the time before it was signed.
        key.since.millis().saturating_sub(SLACK) <= to.millis()
            && key.until.is_none_or(|until| until.millis().saturating_add(SLACK) >= from.millis())
    });
    let list: Vec<Value> = valid.map(|key| shown(key, cx.now)).collect();
    Ok(json!({ "PublicKeyList": list }))
}

fn shown(key: &PublicKey, now: Timestamp) -> Value {
    // AWS: unverified. A key in use is shown as valid for a while yet.
    let until = key.until.unwrap_or_else(|| now.plus_days(30));
    json!({
        "Value": STANDARD.encode(&key.der),
        "ValidityStartTime": epoch(key.since),
        "ValidityEndTime": epoch(until),
        "Fingerprint": key.fingerprint,
    })
}

pub(crate) const TIME_RANGE: &str = "Start time must be before end time. Please provide a valid time range.";

/// A day, in milliseconds: keys are shown for times a little before and after their use.
const SLACK: i64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_trail_can_have_is_refused_with_the_rule_that_it_breaks() {
        let long = "a".repeat(129);
        for (name, text) in [
            (
                "ab",
                "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters.",
            ),
            (
                &long,
                "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters.",
            ),
            ("-trail", "Trail name must starts with a letter or number."),
            ("trail!", "Trail name must ends with a letter or number."),
            (
                "my#trail",
                "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), \
                 and underscores (_).",
            ),
            ("my-_trail", "Trail name must not have adjacent periods, underscores or dashes."),
            ("192.168.5.4", "Trail name must not be formatted as an IP address."),
        ] {
            let refusal = check_name(name).err().unwrap();
            assert_eq!(refusal.for_trail(), ("InvalidTrailNameException", Some(text)), "{name}");
        }
        for arn in ["arn:aws:s3:::b", "arn:aws:cloudtrail:us-east-1:111122223333:channel/c", "arn:"] {
            let refusal = check_name(arn).err().unwrap();
            assert_eq!(refusal.for_trail().0, "CloudTrailARNInvalidException", "{arn}");
        }
        for name in ["abc", "keyreeve", "my.trail-1_a", "arn:aws:cloudtrail:us-east-1:111122223333:trail/t"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }
}
