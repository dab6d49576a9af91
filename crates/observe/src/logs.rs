//! The trail as a log group of CloudWatch Logs: DescribeLogGroups, DescribeLogStreams, GetLogEvents, FilterLogEvents.
//!
//! An account has in each Region one group with one stream, which hold its events, the oldest first; nobody can write to them.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html>.

mod search;

use std::sync::Arc;

use keyreeve_audit::event::Resource;
use keyreeve_audit::json::Object;
use keyreeve_core::Cx;
use keyreeve_domain::Timestamp;
use keyreeve_wire::auditing::{
    DescribeLogGroupsInput, DescribeLogStreamsInput, FilterLogEventsInput, GetLogEventsInput, PageToken,
};
use serde_json::{Value, json};

use crate::answer::Asked;
use crate::archive::{Found, Place, Wanted};
use crate::cloudtrail::{authorize, read};
use crate::event::Event;
use crate::filter_pattern::FilterPattern;
use crate::log_token::LogToken;
use crate::refusal::Refusal;

use self::search::{Page, Search};

/// The log group.
const GROUP: &str = "CloudTrail/KMS";
/// Events of a page, at most, and where nothing is said.
const MOST: usize = 10_000;
/// Bytes of the events of a page, at most.
const BYTES_MOST: usize = 1 << 20;
/// Events that are read at once, at most.
const BATCH: usize = 500;
/// Their bytes; the last one may have more.
const BATCH_BYTES: usize = 1 << 20;

fn stream_name(cx: &Cx<'_>) -> String {
    format!("{}_CloudTrail_{}", cx.caller.account(), cx.region)
}

fn group_arn(cx: &Cx<'_>) -> String {
    arn_of(cx, GROUP)
}

/// The ARN of a group of this name, whether there is one or not.
fn arn_of(cx: &Cx<'_>, group: &str) -> String {
    format!("arn:{}:logs:{}:{}:log-group:{group}", cx.region.partition(), cx.region, cx.caller.account())
}

/// Notes which group a request names, or which of its streams, whether they are there or not.
fn note(cx: &mut Cx<'_>, (name, identifier): (Option<&str>, Option<&str>), stream: Option<&str>) {
    let account = cx.caller.account();
    let group = match (name, identifier) {
        (Some(name), _) => arn_of(cx, name),
        (None, Some(arn)) if arn.starts_with("arn:") => arn.trim_end_matches(":*").to_owned(),
        (None, Some(name)) => arn_of(cx, name),
        (None, None) => return,
    };
    cx.notes.resource(match stream {
        Some(stream) => Resource::LogStream { account, arn: format!("{group}:log-stream:{stream}") },
        None => Resource::LogGroup { account, arn: group },
    });
}

/// Notes that nothing was to be unmasked where the request did not say so.
fn note_unmask(cx: &mut Cx<'_>, unmask: Option<bool>) {
    if unmask.is_none() {
        let mut parameters = Object::go_on(&mut cx.notes.request_parameters);
        parameters.boolean("unmask", false);
        parameters.end();
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

/// The class of the group.
const STANDARD: &str = "STANDARD";
/// The classes that there are.
const CLASSES: [&str; 3] = [STANDARD, "INFREQUENT_ACCESS", "DELIVERY"];

/// What streams are put in order by.
const ORDERS: [&str; 2] = ["LogStreamName", LAST_EVENT_TIME];
/// The time of the last event.
const LAST_EVENT_TIME: &str = "LastEventTime";

/// Refuses a value that is not one of those that there are.
fn check_listed(member: &str, given: Option<&str>, listed: &[&str]) -> Result<(), Refusal> {
    match given.filter(|given| !listed.contains(given)) {
        None => Ok(()),
        Some(unknown) => Err(invalid(format!(
            "1 validation error detected: Value '{unknown}' at '{member}' failed to satisfy constraint: Member must satisfy enum value \
             set: [{}]",
            listed.join(", ")
        ))),
    }
}

/// Whether this is the name or the ARN of the group.
fn is_group(cx: &Cx<'_>, identifier: &str) -> bool {
    identifier == GROUP || identifier.trim_end_matches(":*") == group_arn(cx)
}

/// Refuses every group but the one, by name or ARN.
fn check_group(cx: &Cx<'_>, name: Option<&str>, identifier: Option<&str>) -> Result<(), Refusal> {
    let given = match (name, identifier) {
        (Some(given), None) | (None, Some(given)) => given,
        (Some(_), Some(_)) => {
            let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
            return Err(Refusal::new("ValidationException", message));
        }
        (None, None) => {
            return Err(invalid("Exactly one of logGroupName and logGroupIdentifier must be given."));
        }
    };
    match is_group(cx, given) {
        true => Ok(()),
        false => Err(Refusal::new("ResourceNotFoundException", "The specified log group does not exist.")),
    }
}

fn limit(asked: Option<i64>) -> usize {
    asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(MOST)
}

pub(crate) async fn describe_log_groups(
    cx: &mut Cx<'_>,
    asked: &Asked<'_>,
    body: &[u8],
) -> Result<Value, Refusal> {
    let input: DescribeLogGroupsInput = read(cx, body)?;
    // Of no group in particular, which AWS writes so.
    authorize(cx, "logs:DescribeLogGroups", &format!("{}:log-stream:", arn_of(cx, ""))).await?;
    note(cx, (input.log_group_name_prefix.as_deref(), None), None);
    let (prefix, pattern) = (input.log_group_name_prefix, input.log_group_name_pattern);
    if prefix.is_some() && pattern.is_some() {
        return Err(invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let class = input.log_group_class.as_deref();
    check_listed("logGroupClass", class, &CLASSES)?;
    let is_search = pattern.is_some();
    let names = &input.log_group_identifiers;
    let is_meant = prefix.is_none_or(|prefix| GROUP.starts_with(&prefix))
        && pattern.is_none_or(|pattern| GROUP.contains(&pattern))
        && class.is_none_or(|class| class == STANDARD)
        && (names.is_empty() || names.iter().any(|name| is_group(cx, name)));
    if !is_meant {
        return Ok(json!({ "logGroups": [] }));
    }
    let arn = group_arn(cx);
    let created = match started(cx, asked) {
        Some(started) => started,
        // Not to know is no reason to say nothing else.
        None => edge(cx, asked, true).await.ok().flatten().unwrap_or_else(|| cx.now.millis()),
    };
    let mut group = json!({
        "logGroupName": GROUP, "arn": format!("{arn}:*"), "logGroupArn": arn, "creationTime": created,
        "metricFilterCount": 0, "logGroupClass": STANDARD,
    });
    // A search by pattern tells less.
    if let Some(members) = group.as_object_mut().filter(|_| !is_search) {
        members.insert("storedBytes".to_owned(), json!(0));
        members.insert("deletionProtectionEnabled".to_owned(), json!(false));
        members.insert("bearerTokenAuthenticationEnabled".to_owned(), json!(false));
    }
    Ok(json!({ "logGroups": [group] }))
}

pub(crate) async fn describe_log_streams(
    cx: &mut Cx<'_>,
    asked: &Asked<'_>,
    body: &[u8],
) -> Result<Value, Refusal> {
    let input: DescribeLogStreamsInput = read(cx, body)?;
    let order = input.order_by.as_deref();
    check_listed("orderBy", order, &ORDERS)?;
    if order == Some(LAST_EVENT_TIME) && input.log_stream_name_prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    authorize(cx, "logs:DescribeLogStreams", &format!("{}:*", group_arn(cx))).await?;
    note(cx, (input.log_group_name.as_deref(), input.log_group_identifier.as_deref()), None);
    check_group(cx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let name = stream_name(cx);
    if input.log_stream_name_prefix.is_some_and(|prefix| !name.starts_with(&prefix)) {
        return Ok(json!({ "logStreams": [] }));
    }
    let (first, last) = (edge(cx, asked, true).await?, edge(cx, asked, false).await?);
    let created = started(cx, asked).or(first).unwrap_or_else(|| cx.now.millis());
    let mut stream = json!({
        "logStreamName": name, "creationTime": created, "storedBytes": 0,
        "arn": format!("{}:log-stream:{name}", group_arn(cx)),
    });
    if let (Some(members), Some((first, last))) = (stream.as_object_mut(), first.zip(last)) {
        members.insert("firstEventTimestamp".to_owned(), json!(first));
        members.insert("lastEventTimestamp".to_owned(), json!(last));
        members.insert("lastIngestionTime".to_owned(), json!(last));
    }
    Ok(json!({ "logStreams": [stream] }))
}

/// Since when the group and its stream are there, in milliseconds: since the trail is delivered, or else since the first event,
/// which is not the first for ever.
fn started(cx: &Cx<'_>, asked: &Asked<'_>) -> Option<i64> {
    asked.archive.status(cx.caller.account()).started.map(Timestamp::millis)
}

/// When the first event was, or the last, in milliseconds.
async fn edge(cx: &Cx<'_>, asked: &Asked<'_>, oldest_first: bool) -> Result<Option<i64>, Refusal> {
    let found = asked.archive.lookup(Wanted { oldest_first, limit: 1, ..everything(cx) }).await?;
    Ok(found.first().map(|found| found.place.time))
}

/// Every event of the account in the Region.
fn everything(cx: &Cx<'_>) -> Wanted {
    Wanted {
        account: cx.caller.account(),
        region: cx.region,
        attribute: None,
        from: None,
        to: None,
        after: None,
        oldest_first: true,
        limit: BATCH,
        bytes: BATCH_BYTES,
    }
}

pub(crate) async fn filter_log_events(
    cx: &mut Cx<'_>,
    asked: &Asked<'_>,
    body: &[u8],
) -> Result<Value, Refusal> {
    let input: FilterLogEventsInput = read(cx, body)?;
    note_unmask(cx, input.unmask);
    let limit = limit(input.limit);
    let (from, to) =
        (input.start_time.map(Timestamp::from_millis), input.end_time.map(Timestamp::from_millis));
    let pattern = FilterPattern::parse(input.filter_pattern.as_deref().unwrap_or_default())
        .map_err(|error| invalid(error.to_string()))?;
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(invalid("logStreamNames and logStreamNamePrefix exclude each other."));
    }
    authorize(cx, "logs:FilterLogEvents", &format!("{}:*", group_arn(cx))).await?;
    note(cx, (input.log_group_name.as_deref(), input.log_group_identifier.as_deref()), None);
    check_group(cx, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let stream = stream_name(cx);
    let scope = format!(
        "FilterLogEvents/{}/{}/{:?}/{from:?}/{to:?}",
        cx.caller.account(),
        cx.region,
        input.filter_pattern
    );
    let passed = input.next_token.as_ref().map(PageToken::as_str);
    let token = match passed {
        Some(token) => LogToken::read(cx, &scope, token).ok_or_else(bad_token)?,
        None => LogToken::beginning(cx.now),
    };
    let names_other = |names: &Vec<String>| !names.contains(&stream);
    if input.log_stream_names.as_ref().is_some_and(names_other)
        || input.log_stream_name_prefix.as_ref().is_some_and(|prefix| !stream.starts_with(prefix))
    {
        return Ok(json!({ "events": [], "searchedLogStreams": [] }));
    }
    // The first page has everything that is there, and the others nothing that came since then.
    let token_of_end = passed.is_some().then_some(&token);
    let search = Search { pattern: Arc::new(pattern), limit, until: token_of_end };
    let after = token.after.clone();
    let Page { events, next } = search.page(cx, asked, Wanted { from, to, after, ..everything(cx) }).await?;
    let events: Vec<Value> = events
        .iter()
        .map(|found| {
            let mut event = shown(found);
            if let Some(members) = event.as_object_mut() {
                members.insert("logStreamName".to_owned(), json!(stream));
                let id = Event::read(&found.json).map(|event| event.event_id.to_owned());
                members.insert("eventId".to_owned(), json!(id.unwrap_or_default()));
            }
            event
        })
        .collect();
    let mut answer = json!({ "events": events, "searchedLogStreams": [] });
    if let (Some(place), Some(members)) = (next, answer.as_object_mut()) {
        let next = token.at(Some(place));
        members.insert("nextToken".to_owned(), json!(next.write(cx, &scope)?));
    }
    Ok(answer)
}

fn bad_token() -> Refusal {
    invalid("The specified nextToken is invalid.")
}

/// The newest events unless `startFromHead`; the tokens lead on from both ends of a page, for ever: at an end, to itself.
pub(crate) async fn get_log_events(
    cx: &mut Cx<'_>,
    asked: &Asked<'_>,
    body: &[u8],
) -> Result<Value, Refusal> {
    let input: GetLogEventsInput = read(cx, body)?;
    note_unmask(cx, input.unmask);
    let limit = limit(input.limit);
    let from = input.start_time.map(Timestamp::from_millis);
    // Documented: events at the end are not included, unlike those of FilterLogEvents.
    let to = input.end_time.map(|end| Timestamp::from_millis(end.saturating_sub(1)));
    authorize(cx, "logs:GetLogEvents", &format!("{}:log-stream:{}", group_arn(cx), input.log_stream_name))
        .await?;
    let named = (input.log_group_name.as_deref(), input.log_group_identifier.as_deref());
    note(cx, named, Some(&input.log_stream_name));
    check_group(cx, named.0, named.1)?;
    if input.log_stream_name != stream_name(cx) {
        let message = "The specified log stream does not exist.";
        return Err(Refusal::new("ResourceNotFoundException", message));
    }
    let scope = format!("GetLogEvents/{}/{}/{from:?}/{to:?}", cx.caller.account(), cx.region);
    let wanted = Wanted { from, to, limit, bytes: BYTES_MOST, ..everything(cx) };
    // The first letter of a token says which way it leads.
    let Some(passed) = input.next_token.as_ref().map(PageToken::as_str) else {
        let oldest_first = input.start_from_head.unwrap_or_default();
        let mut found = stretch(asked, Wanted { oldest_first, ..wanted }).await?;
        if !oldest_first {
            found.reverse();
        }
        let mut token = LogToken::beginning(cx.now);
        let back = token.at(found.first().map(|found| found.place.clone()));
        token.come_to(&places(&found), oldest_first || found.len() < limit);
        return Ok(page(&found, &lead(cx, &scope, "f", &token)?, &lead(cx, &scope, "b", &back)?));
    };
    let (way, token) = passed.split_once('/').ok_or_else(bad_token)?;
    let mut token = LogToken::read(cx, &scope, token).ok_or_else(bad_token)?;
    let before = token.clone();
    if way == "b" {
        let wanted = Wanted { after: token.after.clone(), oldest_first: false, ..wanted };
        let mut found = stretch(asked, wanted).await?;
        found.reverse();
        // Documented: at an end, the token is the one that was passed.
        let Some((first, last)) = found.first().zip(found.last()) else {
            return Ok(page(&[], &lead(cx, &scope, "f", &token)?, passed));
        };
        let (back, on) = (before.at(Some(first.place.clone())), before.at(Some(last.place.clone())));
        return Ok(page(&found, &lead(cx, &scope, "f", &on)?, &lead(cx, &scope, "b", &back)?));
    }
    if way != "f" {
        return Err(bad_token());
    }
    let mut found = onward(asked, &wanted, &mut token).await?;
    if found.is_empty()
        && let Some(anew) = before.anew(cx.now)
    {
        token = anew;
        found = onward(asked, &wanted, &mut token).await?;
    }
    let Some(first) = found.first() else {
        return Ok(page(&[], passed, &lead(cx, &scope, "b", &before)?));
    };
    let back = before.at(Some(first.place.clone()));
    Ok(page(&found, &lead(cx, &scope, "f", &token)?, &lead(cx, &scope, "b", &back)?))
}

fn places(found: &[Found]) -> Vec<Place> {
    found.iter().map(|found| found.place.clone()).collect()
}

fn page(found: &[Found], forward: &str, backward: &str) -> Value {
    let events: Vec<Value> = found.iter().map(shown).collect();
    json!({ "events": events, "nextForwardToken": forward, "nextBackwardToken": backward })
}

fn lead(cx: &Cx<'_>, scope: &str, way: &str, token: &LogToken) -> Result<String, Refusal> {
    Ok(format!("{way}/{}", token.write(cx, scope)?))
}

/// The next events of a reading, which notes that they were shown.
async fn onward(asked: &Asked<'_>, wanted: &Wanted, token: &mut LogToken) -> Result<Vec<Found>, Refusal> {
    let mut after = token.after.clone();
    loop {
        let mut found = stretch(asked, Wanted { after, oldest_first: true, ..wanted.clone() }).await?;
        let Some(last) = found.last() else { return Ok(found) };
        after = Some(last.place.clone());
        if !token.reaches(&last.place) {
            // Nothing behind this page either.
            found.retain(|found| token.reaches(&found.place));
        }
        let is_last = found.last().map(|found| &found.place) != after.as_ref();
        found.retain(|found| {
            !(token.has_shown(&found.place) || token.is_open(&found.place) && is_reading(found))
        });
        if !found.is_empty() || is_last {
            token.come_to(&places(&found), true);
            return Ok(found);
        }
    }
}

/// Whether an event is of a request of [`get_log_events`]: those of the second in which a reading began may be its own.
fn is_reading(found: &Found) -> bool {
    Event::read(&found.json).is_some_and(|event| event.event_name == "GetLogEvents")
}

/// As many of the wanted events as fit into a page, in the order in which they were looked for.
async fn stretch(asked: &Asked<'_>, wanted: Wanted) -> Result<Vec<Found>, Refusal> {
    let mut found = asked.archive.lookup(wanted).await?;
    let mut bytes = 0_usize;
    let fits = found
        .iter()
        .take_while(|found| {
            bytes = bytes.saturating_add(found.json.len());
            bytes <= BYTES_MOST
        })
        .count();
    found.truncate(fits.max(1));
    Ok(found)
}

fn shown(found: &Found) -> Value {
    let time = found.place.time;
    json!({ "timestamp": time, "message": String::from_utf8_lossy(&found.json), "ingestionTime": time })
}
