//! Requests of CloudTrail and CloudWatch Logs, as far as the trail is read with them (awsJson 1.1).
//!
//! Limits that the service models state and CloudTrail answers with errors of its own are not here: whoever handles the request
//! names them. Sources: the service models `cloudtrail-2013-11-01` and `logs-2014-03-28`.

use keyreeve_domain::Timestamp;

use crate::declare::structure;
use crate::decode::FromJson;
use crate::error::InputError;
use crate::json::Json;
use crate::parameters::Parameter;
use crate::shape::Member;
use crate::violation::{Place, Violations};

/// A request of CloudTrail or CloudWatch Logs.
pub trait AuditInput: Sized {
    /// The code of the error for a member that is outside its limits.
    const OUTSIDE: &'static str;
    /// Its members, with their limits.
    const SHAPE: &'static [Member];

    /// Reads the body of a request. An empty body is a request without members.
    ///
    /// # Errors
    /// As [`crate::Input::decode`].
    fn decode(body: &[u8]) -> Result<Self, InputError>;

    /// Appends the `requestParameters` of the request's event. A token is long and says nothing to an auditor.
    fn write_parameters(&self, out: &mut Vec<u8>);
}

/// A token that leads on from a page: long, and nothing that an auditor reads.
#[derive(Clone, Debug)]
pub struct PageToken(String);

impl PageToken {
    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromJson for PageToken {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        Ok(String::from_json(json, at, found)?.map(Self))
    }
}

impl Parameter for PageToken {
    fn is_logged(&self) -> bool {
        false
    }

    fn write_parameter(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"null");
    }
}

macro_rules! requests {
    ($outside:literal $($(#[$meta:meta])* $name:ident { $($members:tt)* })+) => {$(
        structure! { $(#[$meta])* input $name = "" { $($members)* } }

        impl AuditInput for $name {
            const OUTSIDE: &'static str = $outside;
            const SHAPE: &'static [Member] = Self::MEMBERS;

            fn decode(body: &[u8]) -> Result<Self, InputError> {
                crate::decode::body(body)
            }

            fn write_parameters(&self, out: &mut Vec<u8>) {
                self.write_parameter(out);
            }
        }
    )+};
}

requests! { "ValidationException"
    /// The request of DescribeTrails.
    DescribeTrailsInput {
        trail_name_list: default Vec<String> = "trailNameList" NAMES,
        include_shadow_trails: optional bool = "includeShadowTrails" BOOLEAN,
    }
    /// The request of GetTrail and of GetTrailStatus.
    NamedTrailInput {
        name: default String = "Name" TEXT,
    }
    /// The request of ListTrails.
    ListTrailsInput {
        next_token: optional PageToken = "NextToken" TEXT,
    }
    /// The request of ListPublicKeys.
    ListPublicKeysInput {
        start_time: optional Timestamp = "StartTime" TIME,
        end_time: optional Timestamp = "EndTime" TIME,
        next_token: optional PageToken = "NextToken" TEXT,
    }
    /// The request of LookupEvents.
    LookupEventsInput {
        lookup_attributes: default Vec<LookupAttribute> = "LookupAttributes" ATTRIBUTES,
        start_time: optional Timestamp = "StartTime" TIME,
        end_time: optional Timestamp = "EndTime" TIME,
        event_category: optional String = "EventCategory" TEXT,
        max_results: optional i64 = "MaxResults" NUMBER,
        next_token: optional PageToken = "NextToken" TEXT,
    }
}

structure! {
    /// What is looked up of an event.
    input LookupAttribute = "LookupAttribute" {
        attribute_key: required String = "AttributeKey" TEXT,
        attribute_value: required String = "AttributeValue" TEXT,
    }
}

requests! { "InvalidParameterException"
    /// The request of DescribeLogGroups.
    DescribeLogGroupsInput {
        log_group_name_prefix: optional String = "logGroupNamePrefix" GROUP_NAME,
        log_group_name_pattern: optional String = "logGroupNamePattern" GROUP_NAME_PATTERN,
        log_group_identifiers: default Vec<String> = "logGroupIdentifiers" NAMES,
        log_group_class: optional String = "logGroupClass" TEXT,
        next_token: optional PageToken = "nextToken" TOKEN,
        limit: optional i64 = "limit" FEW,
    }
    /// The request of DescribeLogStreams.
    DescribeLogStreamsInput {
        log_group_name: optional String = "logGroupName" GROUP_NAME,
        log_group_identifier: optional String = "logGroupIdentifier" GROUP_IDENTIFIER,
        log_stream_name_prefix: optional String = "logStreamNamePrefix" STREAM_NAME,
        order_by: optional String = "orderBy" TEXT,
        descending: optional bool = "descending" BOOLEAN,
        next_token: optional PageToken = "nextToken" TOKEN,
        limit: optional i64 = "limit" FEW,
    }
    /// The request of FilterLogEvents.
    FilterLogEventsInput {
        log_group_name: optional String = "logGroupName" GROUP_NAME,
        log_group_identifier: optional String = "logGroupIdentifier" GROUP_IDENTIFIER,
        log_stream_names: optional Vec<String> = "logStreamNames" STREAM_NAMES,
        log_stream_name_prefix: optional String = "logStreamNamePrefix" STREAM_NAME,
        start_time: optional i64 = "startTime" MILLIS,
        end_time: optional i64 = "endTime" MILLIS,
        filter_pattern: optional String = "filterPattern" FILTER_PATTERN,
        next_token: optional PageToken = "nextToken" TOKEN,
        limit: optional i64 = "limit" MANY,
        unmask: optional bool = "unmask" BOOLEAN,
    }
    /// The request of GetLogEvents.
    GetLogEventsInput {
        log_group_name: optional String = "logGroupName" GROUP_NAME,
        log_group_identifier: optional String = "logGroupIdentifier" GROUP_IDENTIFIER,
        log_stream_name: required String = "logStreamName" STREAM_NAME,
        start_time: optional i64 = "startTime" MILLIS,
        end_time: optional i64 = "endTime" MILLIS,
        next_token: optional PageToken = "nextToken" TOKEN,
        limit: optional i64 = "limit" MANY,
        start_from_head: optional bool = "startFromHead" BOOLEAN,
        unmask: optional bool = "unmask" BOOLEAN,
    }
}

mod shapes {
    use super::LookupAttribute;
    use crate::pattern::Pattern;
    use crate::pattern::{alphanumeric_or, some};
    use crate::shape::{Kind, Shape};
    use crate::shapes::shapes;

    shapes! {
        ATTRIBUTE = "LookupAttribute" Kind::Structure(LookupAttribute::MEMBERS);
        ATTRIBUTES = "LookupAttributesList" Kind::List(&ATTRIBUTE);
        BOOLEAN = "Boolean" Kind::Boolean;
        FEW = "DescribeLimit" Kind::Integer, limits(1, 50);
        FILTER_PATTERN = "FilterPattern" Kind::Text, limits(0, 1024);
        GROUP_IDENTIFIER = "LogGroupIdentifier" Kind::Text, limits(1, 2048), pattern_of(IDENTIFIERS);
        GROUP_NAME = "LogGroupName" Kind::Text, limits(1, 512), pattern_of(NAMED);
        GROUP_NAME_PATTERN = "LogGroupNamePattern" Kind::Text, limits(0, 512), pattern_of(NAME_PATTERNS);
        MANY = "EventsLimit" Kind::Integer, limits(1, 10_000);
        MILLIS = "Timestamp" Kind::Integer, min_of(0);
        NAMES = "TrailNameList" Kind::List(&TEXT);
        NUMBER = "MaxResults" Kind::Integer;
        STREAM_NAME = "LogStreamName" Kind::Text, limits(1, 512), pattern_of(STREAMS);
        STREAM_NAMES = "InputLogStreamNames" Kind::List(&STREAM_NAME), limits(1, 100);
        TEXT = "String" Kind::Text;
        TIME = "Date" Kind::Timestamp;
        TOKEN = "NextToken" Kind::Text, min_of(1);
    }

    const IDENTIFIERS: Pattern =
        Pattern::new(r"[\w#+=/:,.@-]*", |s| s.chars().all(|c| alphanumeric_or(c, "_#+=/:,.@-")));
    const NAMED: Pattern = Pattern::new(r"[\.\-_/#A-Za-z0-9]+", |s| some(s, |c| alphanumeric_or(c, ".-_/#")));
    const NAME_PATTERNS: Pattern =
        Pattern::new(r"[\.\-_/#A-Za-z0-9]*", |s| s.chars().all(|c| alphanumeric_or(c, ".-_/#")));
    const STREAMS: Pattern = Pattern::new("[^:*]*", |s| !s.contains([':', '*']));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<I: AuditInput>(body: &str) -> (Option<&'static str>, Option<String>) {
        match I::decode(body.as_bytes()) {
            Ok(_) => (None, None),
            Err(InputError::Serialization(message)) => (Some("SerializationException"), message),
            Err(InputError::Validation(message)) => (Some(I::OUTSIDE), Some(message)),
        }
    }

    #[test]
    fn what_cannot_be_read_or_is_outside_its_limits_is_named_as_the_service_names_it() {
        let serialization = |text: &str| (Some("SerializationException"), Some(text.to_owned()));
        let invalid = |text: &str| {
            (Some("InvalidParameterException"), Some(format!("1 validation error detected: {text}")))
        };
        assert_eq!(refused::<LookupEventsInput>("{"), (Some("SerializationException"), None));
        assert_eq!(
            refused::<LookupEventsInput>(r#"{"MaxResults":"many"}"#),
            serialization("STRING_VALUE can not be converted to an Integer")
        );
        assert_eq!(
            refused::<NamedTrailInput>(r#"{"Name":5}"#),
            serialization("NUMBER_VALUE can not be converted to a String")
        );
        assert_eq!(
            refused::<LookupEventsInput>(r#"{"LookupAttributes":[{"AttributeKey":"EventName"}]}"#),
            (
                Some("ValidationException"),
                Some(
                    "1 validation error detected: Value null at 'lookupAttributes.1.member.attributeValue' failed to \
                     satisfy constraint: Member must not be null"
                        .to_owned()
                )
            )
        );
        assert_eq!(
            refused::<GetLogEventsInput>("{}"),
            invalid("Value null at 'logStreamName' failed to satisfy constraint: Member must not be null")
        );
        assert_eq!(
            refused::<FilterLogEventsInput>(r#"{"limit":10001}"#),
            invalid(
                "Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000"
            )
        );
        assert_eq!(
            refused::<FilterLogEventsInput>(r#"{"startTime":-1}"#),
            invalid(
                "Value '-1' at 'startTime' failed to satisfy constraint: Member must have value greater than or equal to 0"
            )
        );
        assert_eq!(
            refused::<DescribeLogStreamsInput>(r#"{"logGroupName":"a b"}"#),
            invalid(
                r"Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
            )
        );
        assert_eq!(refused::<FilterLogEventsInput>(r#"{"endTime":9007199254740993}"#), (None, None));
    }

    #[test]
    fn a_trail_says_what_was_asked_but_no_token() {
        let mut out = Vec::new();
        let body = r#"{"LookupAttributes":[{"AttributeKey":"a","AttributeValue":"b"}],"StartTime":1609531200,"MaxResults":5,"NextToken":"t"}"#;
        LookupEventsInput::decode(body.as_bytes()).unwrap().write_parameters(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"lookupAttributes":[{"attributeKey":"a","attributeValue":"b"}],"startTime":"2021-01-01T20:00:00Z","maxResults":5}"#
        );
        let mut out = Vec::new();
        DescribeTrailsInput::decode(br#"{"includeShadowTrails":false}"#).unwrap().write_parameters(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"includeShadowTrails":false}"#);
    }
}
