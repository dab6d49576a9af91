"""The trail as a log group of CloudWatch Logs, with the unmodified AWS command line and boto3."""

import json
import time

import botocore
import pytest
import raw
from botocore.exceptions import ClientError
from server import ACCOUNT, wait_until
from test_trail import aws

GROUP = "CloudTrail/KMS"


@pytest.fixture(scope="module")
def used(server):
    """The server, with a key that was used, and what a client of the logs says."""
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(5):
        kms.encrypt(KeyId=key, Plaintext=b"a secret that no log holds")
    with pytest.raises(ClientError):
        kms.encrypt(KeyId="alias/missing", Plaintext=b"x")
    return server, server.client(service="logs"), key


def messages(answer):
    return [json.loads(event["message"]) for event in answer["events"]]


def test_the_command_line_filters_the_events_of_kms(used):
    server, _, key = used
    since = str(int((time.time() - 3600) * 1000))
    for pattern in ("{ $.eventSource = kms.amazonaws.com }", '{ $.eventSource = "kms.amazonaws.com" }'):
        done = aws(
            server, "logs", "filter-log-events", "--log-group-name", GROUP, "--filter-pattern", pattern, "--start-time", since
        )
        assert done.returncode == 0, done.stderr
        events = messages(json.loads(done.stdout))
        assert {event["eventSource"] for event in events} == {"kms.amazonaws.com"}
        assert sum(event["eventName"] == "Encrypt" and key in json.dumps(event) for event in events) == 5


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        ("{ $.eventName = Encrypt && $.errorCode NOT EXISTS }", 5),
        ("{ $.eventName = Enc* }", 6),
        ("{ ($.eventName = CreateKey) || ($.errorCode = NotFoundException) }", 2),
        ("NotFoundException -CreateKey", 1),
        ("{ $.readOnly IS FALSE && $.userIdentity.type = Root }", 1),
        ("%Encr.pt|CreateK[a-f]y%", 7),
        ("{ $.eventName = %^Enc[a-z]+t$% && $.errorCode NOT EXISTS }", 5),
        ("{ $.* = %^NotFoundException$% }", 1),
        ("{ $.['eventName'] = Encrypt }", 6),
        ("{ $.resources[*].ARN = %^arn:aws:kms:us-east-1:\\d{12}:key/% }", 6),
        (f"{{ $.eventName = Encrypt && $.userIdentity.accountId = {ACCOUNT} }}", 6),
        ("?Nonexistent Encrypt", 6),
        ('" "', 7),
    ],
)
def test_patterns_choose(used, pattern, least):
    _, logs, _ = used
    found = logs.filter_log_events(logGroupName=GROUP, filterPattern=pattern)["events"]
    assert len(found) >= least
    assert [event["timestamp"] for event in found] == sorted(event["timestamp"] for event in found)
    assert all(event["logStreamName"] == f"{ACCOUNT}_CloudTrail_us-east-1" for event in found)


def test_pages_hold_every_event_once(used):
    _, logs, _ = used
    asked = {"logGroupName": GROUP, "filterPattern": "{ $.eventName = Encrypt }", "endTime": int(time.time() * 1000)}
    whole = [event["eventId"] for event in logs.filter_log_events(**asked)["events"]]
    pages = logs.get_paginator("filter_log_events").paginate(**asked, PaginationConfig={"PageSize": 2})
    assert [event["eventId"] for page in pages for event in page["events"]] == whole
    token = logs.filter_log_events(**asked, limit=1)["nextToken"]
    with pytest.raises(ClientError) as refused:
        logs.filter_log_events(logGroupName=GROUP, nextToken=token)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException", "a token of another search"


def test_the_stream_is_read_from_either_end(used):
    _, logs, _ = used
    groups = logs.describe_log_groups(logGroupNamePrefix="CloudTrail")["logGroups"]
    assert [group["logGroupName"] for group in groups] == [GROUP]
    assert logs.describe_log_groups(logGroupNamePrefix="/aws/lambda")["logGroups"] == []
    assert (groups[0]["storedBytes"], groups[0]["deletionProtectionEnabled"]) == (0, False)
    assert groups[0]["bearerTokenAuthenticationEnabled"] is False
    (searched,) = logs.describe_log_groups(logGroupNamePattern="Trail/K")["logGroups"]
    assert not {"storedBytes", "deletionProtectionEnabled"} & searched.keys(), "a search tells less"
    for asked, found in [
        ({"logGroupIdentifiers": ["other"]}, 0), ({"logGroupIdentifiers": ["other", GROUP]}, 1),
        ({"logGroupIdentifiers": [groups[0]["logGroupArn"]]}, 1),
        ({"logGroupClass": "STANDARD"}, 1), ({"logGroupClass": "DELIVERY"}, 0),
    ]:  # fmt: skip
        assert len(logs.describe_log_groups(**asked)["logGroups"]) == found, asked
    for call, both, code, text in [
        (
            logs.describe_log_groups, {"logGroupClass": "NOPE"}, "InvalidParameterException",
            "1 validation error detected: Value 'NOPE' at 'logGroupClass' failed to satisfy constraint: Member must satisfy enum "
            "value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]",
        ),
        (
            logs.describe_log_groups, {"logGroupNamePrefix": "a", "logGroupNamePattern": "abc"}, "InvalidParameterException",
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ),
        (
            logs.describe_log_streams, {"logGroupName": GROUP, "logGroupIdentifier": GROUP}, "ValidationException",
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        ),
        (
            logs.describe_log_streams, {"logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": ACCOUNT},
            "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ),
        (
            logs.describe_log_streams, {"logGroupName": GROUP, "orderBy": "Size"}, "InvalidParameterException",
            "1 validation error detected: Value 'Size' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: "
            "[LogStreamName, LastEventTime]",
        ),
    ]:  # fmt: skip
        with pytest.raises(ClientError) as refused:
            call(**both)
        assert (refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]) == (code, text)
    (stream,) = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert stream["firstEventTimestamp"] <= stream["lastEventTimestamp"] == stream["lastIngestionTime"]
    # They are there since events are delivered, whatever becomes of the oldest event; events have whole seconds.
    assert stream["creationTime"] == groups[0]["creationTime"]
    assert abs(stream["creationTime"] - stream["firstEventTimestamp"]) < 60_000
    for order in ({"orderBy": "LastEventTime", "descending": True}, {"logStreamNamePrefix": ACCOUNT, "orderBy": "LogStreamName"}):
        (found,) = logs.describe_log_streams(logGroupName=GROUP, **order)["logStreams"]
        assert found["logStreamName"] == stream["logStreamName"], order
    asked = {"logGroupName": GROUP, "logStreamName": stream["logStreamName"]}
    first = logs.get_log_events(**asked, startFromHead=True, limit=3)
    second = logs.get_log_events(**asked, nextToken=first["nextForwardToken"], limit=3)
    both = logs.get_log_events(**asked, startFromHead=True, limit=6)
    assert first["events"] + second["events"] == both["events"]
    times = [event["timestamp"] for event in both["events"]]
    for end, is_in in ((times[-1], False), (times[-1] + 1, True)):
        found = logs.get_log_events(**asked, startFromHead=True, startTime=times[0], endTime=end)["events"]
        assert (times[-1] in [event["timestamp"] for event in found]) == is_in, "the end of GetLogEvents is outside of it"
        found = logs.filter_log_events(logGroupName=GROUP, startTime=times[0], endTime=end)["events"]
        assert times[-1] in [event["timestamp"] for event in found], "and that of FilterLogEvents inside"
    newest = logs.get_log_events(**asked, limit=2)
    assert len(newest["events"]) == 2
    # Events have whole seconds: which of a second is the last is not told.
    assert newest["events"][-1]["timestamp"] >= stream["lastEventTimestamp"]
    before = logs.get_log_events(**asked, nextToken=second["nextBackwardToken"], limit=3)
    assert before["events"] == first["events"]


def test_every_reading_has_an_end_though_it_is_in_the_log_itself(used):
    _, logs, _ = used
    asked = {"logGroupName": GROUP, "logStreamName": f"{ACCOUNT}_CloudTrail_us-east-1"}
    # Slower than it is written: each request reads one event and makes one.
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, PaginationConfig={"PageSize": 1})
    ids = [event["eventId"] for page in pages for event in page["events"]]
    assert len(set(ids)) == len(ids) >= 7
    for limit in (1, 1000):
        token, read = None, []
        while True:
            more = {"nextToken": token} if token else {"startFromHead": True}
            page = logs.get_log_events(**asked, **more, limit=limit)
            read += page["events"]
            if page["nextForwardToken"] == token:
                assert page["events"] == []
                break
            token = page["nextForwardToken"]
        assert len(read) >= len(ids)
    # Backwards there are no more pages than events, and nothing is written there.
    before, token = None, logs.get_log_events(**asked)["nextBackwardToken"]
    for _ in range(len(read)):
        if token == before:
            break
        before, token = token, logs.get_log_events(**asked, nextToken=token)["nextBackwardToken"]
    assert token == before


def test_what_comes_later_is_read_with_the_token_of_the_end(used):
    server, logs, key = used
    asked = {"logGroupName": GROUP, "logStreamName": f"{ACCOUNT}_CloudTrail_us-east-1"}
    end = logs.get_log_events(**asked)["nextForwardToken"]
    server.client().encrypt(KeyId=key, Plaintext=b"later", EncryptionContext={"read": "later"})

    def is_read():
        page = logs.get_log_events(**asked, nextToken=end)
        assert (page["nextForwardToken"] == end) == (page["events"] == [])
        return any('"read":"later"' in event["message"] for event in page["events"])

    wait_until(is_read, "the end of the log moves on")


def outside(name, shape):
    """Values of a member that are outside its limits, and the limits."""
    of = shape.metadata
    number = shape.type_name in ("integer", "long")
    for value, limit in (
        (of.get("min", 0) - 1, f"greater than or equal to {of.get('min')}") if number else ("", None),
        (of.get("max", 0) + 1, f"less than or equal to {of.get('max')}") if number else ("a" * (of.get("max", 0) + 1), None),
    ):
        if limit is None:
            what = "greater" if value == "" else "less"
            limit = f"{what} than or equal to {of.get('min' if value == '' else 'max')}"
        if limit.endswith("None") or (value == "" and not of.get("min")):
            continue
        measure = "value" if number else "length"
        yield value, f"Value '{value}' at '{name}' failed to satisfy constraint: Member must have {measure} {limit}"
    if "pattern" in of:
        yield "a :b", (
            f"Value 'a :b' at '{name}' failed to satisfy constraint: Member must satisfy regular expression pattern: {of['pattern']}"
        )


def test_what_is_outside_the_limits_of_the_model_is_named(server):
    client = server.client(service="logs", validate=False)
    given = {"logGroupName": GROUP, "logStreamName": "s"}
    tried = 0
    for operation in ("DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents"):
        members = client.meta.service_model.operation_model(operation).input_shape.members
        call = getattr(client, botocore.xform_name(operation))
        for name, shape in members.items():
            if shape.type_name == "list" or "enum" in shape.metadata:
                continue
            for value, text in outside(name, shape):
                with pytest.raises(ClientError) as refused:
                    call(**{key: value for key, value in given.items() if key in members} | {name: value})
                error = refused.value.response["Error"]
                assert error["Code"] == "InvalidParameterException", (operation, name, error)
                assert text in error["Message"], (operation, name)
                tried += 1
    assert tried > 30


def test_what_cannot_be_read_is_said_as_by_the_service(server):
    target = {"GetLogEvents": "Logs_20140328.GetLogEvents", "LookupEvents": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"}
    for operation, body, text in [
        ("GetLogEvents", b"{", None),
        ("GetLogEvents", b'"x"', None),
        ("GetLogEvents", b'{"limit":"x"}', "STRING_VALUE can not be converted to an Integer"),
        ("GetLogEvents", b'{"logStreamName":{}}', "Start of structure or map found where not expected."),
        ("LookupEvents", b"]", None),
        ("LookupEvents", b'{"LookupAttributes":{}}', "Start of structure or map found where not expected."),
        ("LookupEvents", b'{"NextToken":true}', "TRUE_VALUE can not be converted to a String"),
    ]:
        service = "logs" if operation == "GetLogEvents" else "cloudtrail"
        answer = raw.call(server, operation, body, headers={"X-Amz-Target": target[operation]}, service=service)
        assert (answer.status, answer.error) == (400, ("SerializationException", text)), (operation, body)


def test_what_is_wrong_is_refused(used):
    server, logs, _ = used
    for request, code in [
        ({"logGroupName": "other"}, "ResourceNotFoundException"),
        ({"logGroupName": GROUP, "filterPattern": "{ $.a == 1 }"}, "InvalidParameterException"),
        ({"logGroupName": GROUP, "filterPattern": "%(a|b)%"}, "InvalidParameterException"),
        ({"logGroupName": GROUP, "filterPattern": "kms:Encrypt"}, "InvalidParameterException"),
        ({"logGroupName": GROUP, "nextToken": "forged"}, "InvalidParameterException"),
    ]:
        with pytest.raises(ClientError) as refused:
            logs.filter_log_events(**request)
        assert refused.value.response["Error"]["Code"] == code, request
    iam = server.client(service="iam")
    iam.create_user(UserName="log-reader")
    pair = iam.create_access_key(UserName="log-reader")["AccessKey"]
    reader = server.client(service="logs", credentials=(pair["AccessKeyId"], pair["SecretAccessKey"]))
    with pytest.raises(ClientError) as denied:
        reader.filter_log_events(logGroupName=GROUP)
    assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
    allow = {"Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": "arn:aws:logs:*:*:log-group:CloudTrail/KMS:*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="log-reader", PolicyName="reads", PolicyDocument=policy)
    assert reader.filter_log_events(logGroupName=GROUP, limit=1)["events"]
    with pytest.raises(ClientError):
        reader.get_log_events(logGroupName=GROUP, logStreamName="x")


def test_a_reading_is_an_event_as_aws_writes_it(used):
    server, logs, _ = used
    stream = logs.describe_log_streams(logGroupName=GROUP)["logStreams"][0]["logStreamName"]
    logs.describe_log_groups(logGroupNamePrefix="Cloud")
    logs.describe_log_groups()
    logs.get_log_events(logGroupName=GROUP, logStreamName=stream, limit=1)
    logs.filter_log_events(logGroupIdentifier=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}", filterPattern="nowhere")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "logs:*", "Resource": "*"}]})
    iam = server.client(service="iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="none", PolicyDocument=policy)
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = server.client(service="logs", credentials=(made["AccessKeyId"], made["SecretAccessKey"]))
    with pytest.raises(ClientError) as refused:
        reader.describe_log_groups(logGroupNamePrefix="Cloud")
    error = refused.value.response["Error"]
    assert (error["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDeniedException", 400)
    of_none = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group::log-stream:"
    assert f"logs:DescribeLogGroups on resource: {of_none} with an explicit deny" in error["Message"]
    group_arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}"
    group = {"accountId": ACCOUNT, "type": "AWS::Logs::LogGroup", "ARN": group_arn}
    of_stream = {"accountId": ACCOUNT, "type": "AWS::Logs::LogStream", "ARN": f"{group_arn}:log-stream:{stream}"}
    of_logs = '{ $.eventSource = "logs.amazonaws.com" }'
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern=of_logs)
    members = [
        (event["eventName"], event.get("errorCode"), event["requestParameters"], event.get("resources"), event.get("apiVersion"))
        for page in pages
        for event in messages(page)
    ]
    for expected in [
        ("DescribeLogStreams", None, {"logGroupName": GROUP}, [group], "20140328"),
        (
            "DescribeLogGroups", None, {"logGroupNamePrefix": "Cloud"},
            [group | {"ARN": group_arn.replace(GROUP, "Cloud")}], "20140328",
        ),
        ("DescribeLogGroups", None, None, None, "20140328"),
        (
            "GetLogEvents", None, {"logGroupName": GROUP, "logStreamName": stream, "limit": 1, "unmask": False}, [of_stream],
            "20140328",
        ),
        (
            "FilterLogEvents", None, {"logGroupIdentifier": group_arn, "filterPattern": "nowhere", "unmask": False},
            [group], "20140328",
        ),
        ("DescribeLogGroups", "AccessDenied", None, None, None),
    ]:  # fmt: skip
        assert expected in members, (expected, members)


def test_what_is_heavy_to_find_is_looked_for_in_pages(used):
    server, logs, _ = used
    kms = server.client()
    for _ in range(400):
        kms.generate_random(NumberOfBytes=8)
    pattern = "%NotFoundException.{1,3}[^|]{238}%"
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern=pattern))
    found = [event for page in pages for event in messages(page)]
    assert "NotFoundException" in [event.get("errorCode") for event in found]
    assert len(pages) > 1, "no page looks through all of it"
