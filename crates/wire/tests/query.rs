//! What holds for every request and answer of IAM, STS and CloudWatch.
#![expect(clippy::expect_used, reason = "test code")]

use keyreeve_domain::Timestamp;
use keyreeve_wire::query::{
    Api, Fault, Form, QueryError, QueryErrorCode, QueryInput, QueryModel, write_answer, write_elements,
    write_empty_answer, write_error,
};
use keyreeve_wire::{Kind, Member, SensitiveText, Shape, cloudwatch, iam, sts};
use proptest::prelude::*;

fn models() -> Vec<&'static QueryModel> {
    let iam = iam::Operation::ALL.iter().map(|operation| operation.model());
    iam.chain(sts::Operation::ALL.iter().map(|operation| operation.model()))
        .chain(cloudwatch::Operation::ALL.iter().map(|operation| operation.model()))
        .collect()
}

/// A value inside every limit of a shape, of the least length it allows.
fn least(name: &str, shape: &Shape, form: &mut Vec<(String, String)>) {
    let value = match shape.kind() {
        Kind::List(element) => return least(&format!("{name}.member.1"), element, form),
        Kind::Structure(members) => return request(&format!("{name}."), members, form),
        Kind::Enumeration { values, .. } => (*values.first().expect("a value")).to_owned(),
        Kind::Integer => shape.min().unwrap_or(0).to_string(),
        Kind::Boolean => "true".to_owned(),
        Kind::Double => "1.5".to_owned(),
        Kind::Timestamp => "2026-11-30T08:00:00.500Z".to_owned(),
        Kind::Blob | Kind::Map | Kind::Text => text(shape),
    };
    form.push((name.to_owned(), value));
}

fn text(shape: &Shape) -> String {
    let length = usize::try_from(shape.min().unwrap_or(0).max(1)).expect("a length");
    let fill = |c: &str| c.repeat(length);
    let candidates = [fill("1"), fill("/"), "v1".to_owned()];
    let fits = |text: &String| shape.pattern().is_none_or(|pattern| pattern.matches(text));
    candidates.into_iter().find(fits).expect("a text that fits")
}

fn request(prefix: &str, members: &[Member], form: &mut Vec<(String, String)>) {
    for member in members {
        least(&format!("{prefix}{}", member.name), member.shape, form);
    }
}

fn encoded(form: &[(String, String)]) -> String {
    form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn check(model: &QueryModel, form: &[(String, String)]) -> Result<(), QueryError> {
    (model.check)(&Form::parse(encoded(form).as_bytes())?)
}

fn refused(error: Result<(), QueryError>) -> String {
    let error = error.expect_err("a refusal");
    assert_eq!(error.code, QueryErrorCode::ValidationError);
    error.message
}

fn lower(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_lowercase())
}

#[test]
fn every_request_with_all_its_members_is_read() {
    for model in models() {
        let mut form = Vec::new();
        request("", model.input, &mut form);
        assert_eq!(check(model, &form), Ok(()), "{} {}", model.name, encoded(&form));
    }
}

/// Whether the errors of an operation show no values: IAM's do not.
fn hides_values(model: &QueryModel) -> bool {
    iam::Operation::ALL.iter().any(|operation| core::ptr::eq(operation.model(), model))
}

#[test]
fn a_required_member_that_is_missing_is_named() {
    for model in models() {
        for missing in model.input.iter().filter(|member| member.required) {
            let mut form = Vec::new();
            let others: Vec<_> =
                model.input.iter().filter(|member| member.name != missing.name).copied().collect();
            request("", &others, &mut form);
            let shown = if missing.shape.is_sensitive() || hides_values(model) { "" } else { " null" };
            assert_eq!(
                refused(check(model, &form)),
                format!(
                    "1 validation error detected: Value{shown} at '{}' failed to satisfy constraint: Member must not be null",
                    lower(missing.name)
                ),
                "{}",
                model.name
            );
        }
    }
}

#[test]
fn a_text_beyond_its_length_is_named() {
    for model in models() {
        for member in model.input.iter().filter(|member| matches!(member.shape.kind(), Kind::Text)) {
            let Some(max) = member.shape.max() else { continue };
            let mut form = Vec::new();
            request("", model.input, &mut form);
            let fill = if text(member.shape).starts_with('/') { "/" } else { "1" };
            let long = fill.repeat(usize::try_from(max).expect("a length") + 1);
            form.iter_mut()
                .filter(|(name, _)| name == member.name)
                .for_each(|(_, value)| value.clone_from(&long));
            let message = refused(check(model, &form));
            let limit = format!(
                "at '{}' failed to satisfy constraint: Member must have length less than or equal to {max}",
                lower(member.name)
            );
            assert!(message.contains(&limit), "{} {message}", model.name);
        }
    }
}

#[test]
fn the_texts_of_iam_are_answered() {
    let absent = |number: usize, name: &str| {
        format!(
            "Value at 'tags.{number}.member.{name}' failed to satisfy constraint: Member must not be null"
        )
    };
    let five: Vec<String> =
        (1..=5).flat_map(|number| [absent(number, "value"), absent(number, "key")]).collect();
    let decode = |text: &str| {
        let form = Form::parse(text.as_bytes())?;
        iam::CreateUserInput::decode(&form).map(drop)
    };
    let many: String =
        (1..=51).map(|n| format!("&Tags.member.{n}.Key=k{n}&Tags.member.{n}.Value=")).collect();
    for (text, code, message) in [
        (
            "UserName=a%2Fb",
            QueryErrorCode::ValidationError,
            "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ),
        (
            "UserName=a&Path=x",
            QueryErrorCode::ValidationError,
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        ),
        (
            "UserName=a&Tags.member.1.Key=%2A&Tags.member.1.Value=v",
            QueryErrorCode::ValidationError,
            r"1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+",
        ),
        (
            "UserName=a%2Fb&Path=x",
            QueryErrorCode::ValidationError,
            r"2 validation errors detected: Value at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: (\u002F)|(\u002F[\u0021-\u007E]+\u002F); Value at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+",
        ),
        (
            &format!("UserName=a{many}"),
            QueryErrorCode::ValidationError,
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
        ),
        (
            "UserName=a&Tags.member.x.Key=1",
            QueryErrorCode::ValidationError,
            "2 validation errors detected: Value at 'tags.1.member.value' failed to satisfy constraint: Member must not be null; \
             Value at 'tags.1.member.key' failed to satisfy constraint: Member must not be null",
        ),
        (
            "UserName=a&Tags.member.7.Key=k&Tags.member.7.Value=",
            QueryErrorCode::ValidationError,
            &format!("10 validation errors detected: {}", five.join("; ")),
        ),
        (
            "UserName=a&Tags.member.1.0.Key=1",
            QueryErrorCode::MalformedInput,
            "Two index elements may not occur back to back",
        ),
        (
            "UserName=a&Tags.member.01.Key=1",
            QueryErrorCode::ValidationError,
            "1 validation error detected: Value at 'tags.1.member.value' failed to satisfy constraint: Member must not be null",
        ),
        (
            "UserName=a&Tags.member.01.Key=1&Tags.member.1.Key=1&Tags.member.1.Value=1",
            QueryErrorCode::MalformedInput,
            "The input is not of the form that the operation takes.",
        ),
        (
            "UserName=a&Tags.member.2.Key=k&Tags.member.2.Value=",
            QueryErrorCode::ValidationError,
            "2 validation errors detected: Value at 'tags.1.member.value' failed to satisfy constraint: Member must not be null; \
             Value at 'tags.1.member.key' failed to satisfy constraint: Member must not be null",
        ),
        (
            "UserName=a&UserName=b",
            QueryErrorCode::MalformedQueryString,
            "The query string contains a syntax error.",
        ),
    ] {
        assert_eq!(decode(text), Err(QueryError::new(code, message)), "{text}");
    }
    for fine in [
        "UserName=a&Tags=",
        "UserName=a",
        "UserName=a&Unknown=1&Tags.member.01.Key=k&Tags.member.1.Value=&Tags.member.1.Unknown=",
    ] {
        assert_eq!(decode(fine), Ok(()), "{fine}");
    }
}

#[test]
fn elements_of_a_list_stand_in_the_order_of_their_numbers() {
    let keys = |text: String| {
        let form = Form::parse(text.as_bytes()).expect("a form");
        iam::UntagUserInput::decode(&form).map(|input| input.tag_keys)
    };
    let numbered = |numbers: &[&str]| {
        let member = |number: &&str| format!("&TagKeys.member.{number}=k{number}");
        keys(format!("UserName=a{}", numbers.iter().map(member).collect::<String>()))
    };
    let ten = ["10", "9", "8", "7", "6", "5", "4", "3", "2", "1"];
    let expected: Vec<String> = (1..=10).map(|number| format!("k{number}")).collect();
    assert_eq!(numbered(&ten), Ok(expected));
    assert_eq!(numbered(&["2", "001"]), Ok(vec!["k001".to_owned(), "k2".to_owned()]));

    let malformed = QueryErrorCode::MalformedInput;
    let lacking = r"1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+]";
    for (numbers, code, text) in [
        (&["%2B1"][..], malformed, "Start of list found where not expected"),
        (&["one"], malformed, "Start of list found where not expected"),
        (&["0"], malformed, "0 is not a valid index"),
        (&["-1"], malformed, "Key -1 may not have a leading '-'"),
        (&["11"], QueryErrorCode::ValidationError, lacking),
        (&["1", "8", "15"], QueryErrorCode::ValidationError, lacking),
        (&["12"], malformed, "Excessively sparse input would skip 11 list elements"),
        (&["12", "1"], malformed, "Excessively sparse input would skip 11 list elements"),
        (&["1", "22", "43"], malformed, "Excessively sparse input would skip 21 list elements"),
        (&["99999999999"], malformed, "The input is not of the form that the operation takes."),
    ] {
        assert_eq!(numbered(numbers), Err(QueryError::new(code, text)), "{numbers:?}");
    }
    let far = [&ten[..], &["21"]].concat();
    let text = "Excessively sparse input would skip 11 list elements";
    assert_eq!(numbered(&far), Err(QueryError::new(malformed, text)));
}

#[test]
fn an_element_of_a_list_is_never_passed_over() {
    let untag = |form: &str| {
        let form = format!("UserName=u{form}");
        let form = Form::parse(form.as_bytes()).expect("a form");
        iam::UntagUserInput::decode(&form).map(|input| input.tag_keys).map_err(|error| error.code)
    };
    let tag = |form: &str| {
        let form = format!("UserName=u{form}");
        let form = Form::parse(form.as_bytes()).expect("a form");
        iam::TagUserInput::decode(&form).map(|input| input.tags.len()).map_err(|error| error.code)
    };
    let malformed = QueryErrorCode::MalformedInput;
    assert_eq!(untag("&TagKeys.member.1=a&TagKeys.member.2=b"), Ok(vec!["a".to_owned(), "b".to_owned()]));
    // A text has no members, and is not there for having some.
    assert_eq!(untag("&TagKeys.member.1.x=a&TagKeys.member.2=b"), Err(malformed));
    // Neither does an element stand twice.
    assert_eq!(untag("&TagKeys.member.1=a&TagKeys.member.01=b"), Err(malformed));

    assert_eq!(tag("&Tags.member.01.Key=k&Tags.member.1.Value=v"), Ok(1));
    // Names that are no numbers are of the first element, and none of its members.
    let names: String = (0..900).map(|name| format!("&Tags.member.a{name}=x")).collect();
    assert_eq!(tag(&names), Err(QueryErrorCode::ValidationError));
    assert_eq!(tag(&format!("&Tags.member.1.Key=k&Tags.member.1.Value=v{names}")), Ok(1));
}

#[test]
fn numbers_and_truth_values_are_written_in_few_ways() {
    for (text, expected) in [
        ("MaxItems=01", Ok(())),
        ("MaxItems=%2B1", Ok(())),
        ("MaxItems=1001", Err(QueryErrorCode::ValidationError)),
        ("MaxItems=-1", Err(QueryErrorCode::ValidationError)),
        ("MaxItems=+1", Err(QueryErrorCode::MalformedInput)),
        ("MaxItems=1.0", Err(QueryErrorCode::MalformedInput)),
        ("MaxItems=1e0", Err(QueryErrorCode::MalformedInput)),
        ("MaxItems=2147483648", Err(QueryErrorCode::MalformedInput)),
        ("OnlyAttached=true", Ok(())),
        ("OnlyAttached=1", Ok(())),
        ("OnlyAttached=false", Ok(())),
        ("OnlyAttached=0", Ok(())),
        ("OnlyAttached=True", Err(QueryErrorCode::MalformedInput)),
        ("OnlyAttached=true%20", Err(QueryErrorCode::MalformedInput)),
        ("OnlyAttached=", Err(QueryErrorCode::MalformedInput)),
        ("OnlyAttached=null", Err(QueryErrorCode::MalformedInput)),
    ] {
        let form = Form::parse(text.as_bytes()).expect("a form");
        let said = iam::ListPoliciesInput::decode(&form).map(drop).map_err(|error| error.code);
        assert_eq!(said, expected, "{text}");
    }
}

#[test]
fn a_request_asks_for_an_operation_of_its_version() {
    for (text, expected) in [
        ("Action=GetUser&Version=2010-05-08", Ok(iam::Operation::GetUser)),
        ("Action=GetUser&Version=2011-06-15", Err("Could not find operation GetUser for version 2011-06-15")),
        ("Action=GetUser", Err("Could not find operation GetUser for version NO_VERSION_SPECIFIED")),
        ("Action=getUser&Version=2010-05-08", Err("Could not find operation getUser for version 2010-05-08")),
        ("Version=2010-05-08", Err("The request must contain the parameter Action.")),
    ] {
        let form = Form::parse(text.as_bytes()).expect("a form");
        let found = iam::Operation::of(&form).map_err(|error| error.message);
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    }
}

#[test]
fn an_answer_is_xml_in_its_envelope() {
    let key = iam::CreateAccessKeyOutput {
        access_key: iam::AccessKey {
            user_name: "a&b<c>\"'\r\u{1}".into(),
            access_key_id: "AKIA0".into(),
            status: iam::Status::Active,
            secret_access_key: SensitiveText::from("s3cret/+".to_owned()),
            create_date: Timestamp::from_millis(1_795_633_509_999),
        },
    };
    let mut out = Vec::new();
    write_answer(&key, "r-1", &mut out);
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "<CreateAccessKeyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateAccessKeyResult><AccessKey>\
         <UserName>a&amp;b&lt;c&gt;&quot;&#39;&#xD;\u{fffd}</UserName><AccessKeyId>AKIA0</AccessKeyId><Status>Active</Status>\
         <SecretAccessKey>s3cret/+</SecretAccessKey><CreateDate>2026-11-25T19:05:09Z</CreateDate></AccessKey>\
         </CreateAccessKeyResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></CreateAccessKeyResponse>"
    );
    let mut elements = Vec::new();
    write_elements(&key, &mut elements);
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&elements).expect("JSON"),
        serde_json::json!({"accessKey": {
            "userName": "a&b<c>\"'\r\u{1}",
            "accessKeyId": "AKIA0",
            "status": "Active",
            "createDate": "2026-11-25T19:05:09Z",
        }})
    );
}

#[test]
fn lists_and_maps_are_written_as_the_protocol_says() {
    let policies = iam::ListUserPoliciesOutput {
        policy_names: vec!["a".into(), "b".into()],
        is_truncated: true,
        marker: Some("m".into()),
    };
    let summary = iam::GetAccountSummaryOutput {
        summary_map: [(iam::SummaryKey::Users, 3), (iam::SummaryKey::MfaDevices, 0)].into(),
    };
    let (mut list, mut map, mut none, mut elements) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    write_answer(&policies, "r", &mut list);
    write_answer(&summary, "r", &mut map);
    write_empty_answer(sts::Operation::GetCallerIdentity, "r", &mut none);
    write_elements(&policies, &mut elements);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    assert!(text(list).contains(
        "<ListUserPoliciesResult><PolicyNames><member>a</member><member>b</member></PolicyNames>\
         <IsTruncated>true</IsTruncated><Marker>m</Marker></ListUserPoliciesResult>"
    ));
    assert!(text(map).contains(
        "<GetAccountSummaryResult><SummaryMap><entry><key>Users</key><value>3</value></entry>\
         <entry><key>MFADevices</key><value>0</value></entry></SummaryMap></GetAccountSummaryResult>"
    ));
    assert_eq!(
        text(none),
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
    assert_eq!(text(elements), r#"{"policyNames":["a","b"],"isTruncated":true,"marker":"m"}"#);
}

#[test]
fn an_error_says_whose_fault_it_is() {
    let mut out = Vec::new();
    let error = QueryError::new(QueryErrorCode::NoSuchEntity, "The user with name <a> cannot be found.");
    write_error(&error, iam::Operation::NAMESPACE, "r", &mut out);
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>NoSuchEntity</Code><Message>The user with name &lt;a&gt; cannot be found.</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    let faults: Vec<_> = QueryErrorCode::ALL
        .iter()
        .filter(|code| code.fault() == Fault::Receiver)
        .map(|code| code.as_str())
        .collect();
    assert_eq!(
        faults,
        [
            "InternalServiceError",
            "PolicyEvaluation",
            "ServiceFailure",
            "InternalFailure",
            "ServiceUnavailable"
        ]
    );
}

#[test]
fn parameters_of_an_event_hold_no_secret() {
    let form = Form::parse(
        b"RoleArn=arn:aws:iam::111122223333:role/r&RoleSessionName=me&WebIdentityToken=eyJhbGciOi&DurationSeconds=900",
    );
    let input = sts::AssumeRoleWithWebIdentityInput::decode(&form.expect("a form")).expect("an input");
    let mut out = Vec::new();
    input.write_parameters(&mut out);
    assert_eq!(
        String::from_utf8(out).expect("text"),
        r#"{"roleArn":"arn:aws:iam::111122223333:role/r","roleSessionName":"me","durationSeconds":900}"#
    );
}

proptest! {
    #[test]
    fn an_arbitrary_form_is_an_input_or_an_error(
        which in 0..models().len(),
        values in proptest::collection::vec("[a-zA-Z0-9/%+ä<&\\[\\]{}\":,.-]{0,12}", 24),
        numbers in proptest::collection::vec(0_u32..4, 24),
    ) {
        let model = models()[which];
        let mut form = Vec::new();
        request("", model.input, &mut form);
        let changed = form.iter().zip(values.iter().zip(&numbers)).filter(|(_, (_, number))| **number > 0);
        let text: Vec<_> = changed
            .map(|((name, value), (other, number))| {
                let name = name.replace(".1", &format!(".{number}"));
                format!("{name}={}", if *number == 1 { other } else { value })
            })
            .collect();
        let checked = Form::parse(text.join("&").as_bytes()).and_then(|form| (model.check)(&form));
        if let Err(error) = checked {
            let mut out = Vec::new();
            write_error(&error, "n", "r", &mut out);
            prop_assert!(String::from_utf8(out).is_ok_and(|text| text.matches('<').count() == text.matches('>').count()));
        }
    }
}
