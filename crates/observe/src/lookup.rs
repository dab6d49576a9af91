//! LookupEvents.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>.

use keyreeve_core::Cx;
use keyreeve_domain::{KeyArn, KeyId};
use keyreeve_wire::auditing::{LookupAttribute, LookupEventsInput};
use serde_json::{Value, json};

use crate::answer::Asked;
use crate::archive::{AttributeKey, Found, Place, Wanted};
use crate::cloudtrail::{TIME_RANGE, authorize, epoch, read};
use crate::event::Event;
use crate::refusal::Refusal;

/// Events of a page, at most, and where nothing is said.
const MOST: i64 = 50;

/// Errors, in this order: InvalidLookupAttributesException, InvalidTimeRangeException, InvalidMaxResultsException,
/// InvalidEventCategoryException, AccessDeniedException, InvalidNextTokenException.
pub(crate) async fn lookup_events(cx: &mut Cx<'_>, asked: &Asked<'_>, body: &[u8]) -> Result<Value, Refusal> {
    let input: LookupEventsInput = read(cx, body)?;
    let attribute = attribute(&input.lookup_attributes)?.map(|attribute| with_arn(cx, attribute));
    let (from, to) = (input.start_time, input.end_time);
    if from.zip(to).is_some_and(|(from, to)| from > to) || from.is_some_and(|from| from > cx.now) {
        return Err(Refusal::new("InvalidTimeRangeException", TIME_RANGE));
    }
    let limit = match input.max_results {
        None => MOST,
        Some(most @ 1..=MOST) => most,
        Some(_) => {
            return Err(Refusal::new(
                "InvalidMaxResultsException",
                "A maximum results value of between 1 and 50 is required.",
            ));
        }
    };
    match input.event_category.as_deref() {
        None | Some("insight") => {}
        Some(_) => {
            return Err(Refusal::new("InvalidEventCategoryException", "The event category is not valid."));
        }
    }
    authorize(cx, "cloudtrail:LookupEvents", "*").await?;
    let scope = format!(
        "LookupEvents/{}/{}/{attribute:?}/{from:?}/{to:?}/{:?}",
        cx.caller.account(),
        cx.region,
        input.event_category
    );
    let after =
        input.next_token.map(|token| read_place(cx, &scope, token.as_str(), bad_token)).transpose()?;
    // There are no insights.
    if input.event_category.is_some() {
        return Ok(json!({ "Events": [] }));
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    let wanted = Wanted {
        account: cx.caller.account(),
        region: cx.region,
        attribute,
        from,
        to,
        after,
        oldest_first: false,
        limit: limit.saturating_add(1),
        bytes: usize::MAX,
    };
    let mut found = asked.archive.lookup(wanted).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let events: Vec<Value> = found.iter().filter_map(shown).collect();
    let mut answer = json!({ "Events": events });
    if let (true, Some(last), Some(members)) = (more, found.last(), answer.as_object_mut()) {
        members.insert("NextToken".to_owned(), json!(write_place(cx, &scope, &last.place)?));
    }
    Ok(answer)
}

fn attribute(attributes: &[LookupAttribute]) -> Result<Option<(AttributeKey, String)>, Refusal> {
    let refused = |text: String| Err(Refusal::new("InvalidLookupAttributesException", text));
    let one = match attributes {
        [] => return Ok(None),
        [one] => one,
        _ => return refused("You can only use one lookup attribute per request.".to_owned()),
    };
    let LookupAttribute { attribute_key, attribute_value } = one;
    let Some((_, key)) = AttributeKey::ALL.iter().find(|(name, _)| name == attribute_key) else {
        return refused(format!("{attribute_key} is not a valid lookup attribute key."));
    };
    if attribute_value.is_empty() || attribute_value.len() > VALUE_MOST {
        return refused("The value of a lookup attribute must be 1 to 2000 characters long.".to_owned());
    }
    if *key == AttributeKey::ReadOnly && !["true", "false"].contains(&attribute_value.as_str()) {
        return refused("The value of the lookup attribute ReadOnly must be true or false.".to_owned());
    }
    Ok(Some((*key, attribute_value.clone())))
}

/// A resource is found by its ARN, and one of the account's keys by its id, too.
// AWS: unverified. "The name or ID of the resource", says the documentation of the attribute; events of KMS name ARNs.
fn with_arn(cx: &Cx<'_>, (key, value): (AttributeKey, String)) -> (AttributeKey, String) {
    match (key, value.parse::<KeyId>()) {
        (AttributeKey::ResourceName, Ok(id)) => {
            let arn = KeyArn { region: cx.region, account: cx.caller.account(), key: id };
            (key, arn.to_string())
        }
        _ => (key, value),
    }
}

fn bad_token() -> Refusal {
    let message = "Invalid token: a token is good for the request that it was given for.";
    Refusal::new("InvalidNextTokenException", message)
}

/// The token that leads on from a place, for the request that `scope` stands for.
pub(crate) fn write_place(cx: &Cx<'_>, scope: &str, place: &Place) -> Result<String, Refusal> {
    let Place { time, stream, sequence } = place;
    cx.service.marker(scope, format!("{time} {stream} {sequence}").as_bytes()).map_err(|error| {
        tracing::error!(%error, "a request failed inside");
        Refusal::internal()
    })
}

/// Where the page before ended; `invalid` for what is no token of such a request.
pub(crate) fn read_place(
    cx: &Cx<'_>,
    scope: &str,
    token: &str,
    invalid: impl Fn() -> Refusal + Copy,
) -> Result<Place, Refusal> {
    let at = cx.service.read_marker(scope, token).ok().ok_or_else(invalid)?;
    let text = String::from_utf8(at).ok().ok_or_else(invalid)?;
    let mut parts = text.splitn(3, ' ');
    let mut next = || parts.next().ok_or_else(invalid);
    Ok(Place {
        time: next()?.parse().ok().ok_or_else(invalid)?,
        stream: next()?.to_owned(),
        sequence: next()?.parse().ok().ok_or_else(invalid)?,
    })
}

/// An event, as the answer has it.
fn shown(found: &Found) -> Option<Value> {
    let event = Event::read(&found.json)?;
    let resources: Vec<Value> = event
        .resources
        .iter()
        .map(|resource| json!({ "ResourceType": resource.kind, "ResourceName": resource.arn }))
        .collect();
    let mut value = json!({
        "EventId": event.event_id,
        "EventName": event.event_name,
        "ReadOnly": if event.read_only { "true" } else { "false" },
        "EventTime": epoch(event.time()?),
        "EventSource": event.event_source,
        "Resources": resources,
        "CloudTrailEvent": String::from_utf8_lossy(&found.json),
    });
    let members = value.as_object_mut()?;
    for (name, text) in [("AccessKeyId", event.access_key_id()), ("Username", event.username())] {
        members.extend(text.map(|text| (name.to_owned(), json!(text))));
    }
    Some(value)
}

const VALUE_MOST: usize = 2000;
