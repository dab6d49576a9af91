"""CloudWatch in its three protocols, with boto3: metrics of keys, alarms, their history, and what is refused."""

import datetime
import gzip
import json
import pathlib
import xml.etree.ElementTree

import boto3
import botocore
import botocore.config
import botocore.exceptions
import botocore.session
import pytest

import audit
import raw
import server as harness
from server import ACCOUNT, REGION
from test_iam import policy
from test_query_protocol import call, form

TARGET = "GraniteServiceVersion20100801"
NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/"
PROTOCOLS = ["json", "query", "smithy-rpc-v2-cbor"]
ONCALL = f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"
NOW = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
HOUR = datetime.timedelta(hours=1)
ALARM = {
    "AlarmName": "unset", "MetricName": "KeyUsage", "Namespace": "AWS/KMS", "Statistic": "Sum", "Period": 60,
    "Threshold": 10.0, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of this module's own: no other has its alarms."""
    running = harness.Server(tmp_path_factory.mktemp("cloudwatch") / "data").start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def data_paths(tmp_path_factory):
    """For each protocol a copy of botocore's model that names it alone."""
    source = pathlib.Path(botocore.__file__).parent / "data" / "cloudwatch" / "2010-08-01"
    found = {}
    for protocol in PROTOCOLS:
        place = tmp_path_factory.mktemp(protocol)
        directory = place / "cloudwatch" / "2010-08-01"
        directory.mkdir(parents=True)
        for path in source.iterdir():
            (directory / path.name).write_bytes(path.read_bytes())
        model = json.loads(gzip.decompress((source / "service-2.json.gz").read_bytes()))
        model["metadata"] |= {"protocol": protocol, "protocols": [protocol]}
        (directory / "service-2.json.gz").write_bytes(gzip.compress(json.dumps(model).encode()))
        found[protocol] = place
    return found


def client_of(server, data_path, **config):
    session = botocore.session.Session()
    session.set_config_variable("data_path", str(data_path))
    access_key_id, secret = server.credentials
    return boto3.Session(botocore_session=session).client(
        "cloudwatch",
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        config=botocore.config.Config(retries={"total_max_attempts": 1}, **config),
    )


@pytest.fixture(scope="module", params=PROTOCOLS)
def spoken(request, server, data_paths):
    """A client of each protocol."""
    return request.param, client_of(server, data_paths[request.param])


@pytest.fixture(scope="module")
def cloudwatch(server):
    return server.client(service="cloudwatch")


@pytest.fixture(scope="module")
def used(server):
    """The id of a key that was used five times and refused once."""
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(5):
        kms.encrypt(KeyId=key, Plaintext=b"secret")
    with pytest.raises(botocore.exceptions.ClientError):
        kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")
    return key


def refused(call, /, **arguments):
    """(code, message, status) of the error of a call."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    found = caught.value.response
    return found["Error"]["Code"], found["Error"].get("Message", ""), found["ResponseMetadata"]["HTTPStatusCode"]


def of_key(key):
    return [{"Name": "KeyId", "Value": key}]


def test_metrics_are_read_in_every_protocol(spoken, used):
    protocol, cloudwatch = spoken
    listed = cloudwatch.list_metrics(Namespace="AWS/KMS", Dimensions=of_key(used))["Metrics"]
    names = {(metric["MetricName"], len(metric["Dimensions"])) for metric in listed}
    assert {("NumberOfRequestsSucceeded", 1), ("KeyUsage", 1), ("KeyUsage", 2)} <= names, protocol
    assert all(metric["Namespace"] == "AWS/KMS" for metric in listed)
    got = cloudwatch.get_metric_statistics(
        Namespace="AWS/KMS",
        MetricName="KeyUsage",
        Dimensions=of_key(used),
        StartTime=NOW - HOUR,
        EndTime=NOW + HOUR,
        Period=7200,
        Statistics=["Sum", "SampleCount", "Average", "Minimum", "Maximum"],
    )
    assert got["Label"] == "KeyUsage"
    (point,) = got["Datapoints"]
    assert {name: point[name] for name in ("Sum", "SampleCount", "Average", "Minimum", "Maximum")} == {
        "Sum": 5.0, "SampleCount": 5.0, "Average": 1.0, "Minimum": 1.0, "Maximum": 1.0,
    }  # fmt: skip
    assert (point["Unit"], point["Timestamp"]) == ("Count", NOW - HOUR)


@pytest.mark.parametrize(
    "asked, labels",
    [
        ([(60, "Sum"), (60, "Minimum")], ["KeyUsage Sum", "KeyUsage Minimum"]),
        ([(60, "Sum"), (120, "Minimum")], ["KeyUsage Sum 60", "KeyUsage Minimum 120"]),
        ([(60, "Sum"), (120, "Sum")], ["KeyUsage 60", "KeyUsage 120"]),
        ([(60, "Sum")], ["KeyUsage"]),
    ],
)
def test_results_of_one_metric_are_told_apart_by_their_labels(spoken, used, asked, labels):
    _, cloudwatch = spoken
    metric = {"Namespace": "AWS/KMS", "MetricName": "KeyUsage", "Dimensions": of_key(used)}
    queries = [
        {"Id": f"q{at}", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}
        for at, (period, stat) in enumerate(asked)
    ]
    got = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=NOW - HOUR, EndTime=NOW + HOUR)
    assert [result["Label"] for result in got["MetricDataResults"]] == labels


def test_alarms_are_kept_in_every_protocol(spoken, used):
    protocol, cloudwatch = spoken
    name = f"usage/{protocol} é"
    given = {
        **ALARM, "AlarmName": name, "AlarmDescription": "more <than> usual & so on", "Dimensions": of_key(used), "Unit": "Count",
        "Period": 300, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 0.1, "TreatMissingData": "notBreaching",
        "ActionsEnabled": False, "AlarmActions": [ONCALL], "OKActions": [ONCALL], "InsufficientDataActions": [],
    }  # fmt: skip
    cloudwatch.put_metric_alarm(**given, Tags=[{"Key": "team", "Value": "keys"}])
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert {member: alarm[member] for member in given} == given
    assert alarm["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"
    assert (alarm["StateValue"], alarm["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert abs(alarm["StateUpdatedTimestamp"] - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)
    assert alarm["StateUpdatedTimestamp"] == alarm["StateTransitionedTimestamp"] == alarm["AlarmConfigurationUpdatedTimestamp"]
    for_metric = cloudwatch.describe_alarms_for_metric(MetricName="KeyUsage", Namespace="AWS/KMS", Dimensions=of_key(used))
    assert name in [found["AlarmName"] for found in for_metric["MetricAlarms"]]

    arn = alarm["AlarmArn"]
    tags = [{"Key": "team", "Value": "k"}, {"Key": "more", "Value": "x"}, {"Key": "more", "Value": ""}]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=tags)
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "more", "Value": ""}]

    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill", StateReasonData='{"a": 1}')
    (alarm,) = cloudwatch.describe_alarms(AlarmNamePrefix=f"usage/{protocol}", StateValue="ALARM")["MetricAlarms"]
    assert (alarm["StateReason"], alarm["StateReasonData"]) == ("a drill", '{"a": 1}')
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="said again")
    (again,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert again == alarm, "a state that it has already"
    # An update keeps the state and the tags, and replaces everything else.
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": name}, Tags=[{"Key": "ignored", "Value": ""}])
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["ActionsEnabled"], alarm["AlarmActions"], alarm["Dimensions"]) == ("ALARM", True, [], [])
    assert "AlarmDescription" not in alarm and "DatapointsToAlarm" not in alarm
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": name})
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == [alarm], "nothing of it is another"
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "more", "Value": ""}]
    cloudwatch.disable_alarm_actions(AlarmNames=[name, "missing"])
    assert not cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["ActionsEnabled"]
    cloudwatch.enable_alarm_actions(AlarmNames=[name])

    cloudwatch.delete_alarms(AlarmNames=[name])
    history = cloudwatch.describe_alarm_history(AlarmName=name, ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [(item["HistoryItemType"], item["HistorySummary"]) for item in history] == [
        ("ConfigurationUpdate", f'Alarm "{name}" created'),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("ConfigurationUpdate", f'Alarm "{name}" updated'),
        ("ConfigurationUpdate", f'Alarm "{name}" updated'),
        ("ConfigurationUpdate", f'Alarm "{name}" updated'),
        ("ConfigurationUpdate", f'Alarm "{name}" deleted'),
    ]
    update = json.loads(history[1]["HistoryData"])
    assert update["newState"] == {"stateValue": "ALARM", "stateReason": "a drill", "stateReasonData": {"a": 1}}
    created = json.loads(history[0]["HistoryData"])["createdAlarm"]
    assert created["threshold"] == 0.1
    assert (created["extendedStatistic"], "statistic" in created) == ("SUM", False)
    changed, disabled, enabled, deleted = [json.loads(item["HistoryData"]) for item in history[2:]]
    assert changed["originalUpdatedFields"].items() >= {"threshold": 0.1, "actionsEnabled": False}.items()
    assert "alarmName" not in changed["originalUpdatedFields"]
    for was, is_ in ((changed, disabled), (disabled, enabled)):
        updated = was["updatedAlarm"]["alarmConfigurationUpdatedTimestamp"]
        before = {"alarmConfigurationUpdatedTimestamp": updated, "actionsEnabled": was["updatedAlarm"]["actionsEnabled"]}
        assert is_["originalUpdatedFields"] == before
    assert deleted == {"version": "1.0", "type": "Delete", "deletedAlarm": enabled["updatedAlarm"]}


def test_errors_have_the_same_codes_in_every_protocol(spoken):
    _, cloudwatch = spoken
    for call_, arguments, code, status in [
        (cloudwatch.set_alarm_state, {"AlarmName": "missing", "StateValue": "OK", "StateReason": ""}, "ResourceNotFound", 404),
        (cloudwatch.describe_alarms, {"NextToken": "bad"}, "InvalidNextToken", 400),
        (cloudwatch.list_metrics, {"NextToken": "bad"}, "InvalidParameterValue", 400),
        (cloudwatch.put_metric_alarm, {"AlarmName": "a"}, "ValidationError", 400),
        (cloudwatch.list_tags_for_resource, {"ResourceARN": "arn:aws:s3:::b"}, "InvalidParameterValue", 400),
        (
            cloudwatch.list_tags_for_resource,
            {"ResourceARN": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:missing"},
            "ResourceNotFoundException", 404,
        ),
        (cloudwatch.put_metric_data, {"Namespace": "a", "MetricData": [{"MetricName": "b"}]}, "InvalidAction", 400),
    ]:  # fmt: skip
        found = refused(call_, **arguments)
        assert (found[0], found[2]) == (code, status), found
    missing = {"AlarmName": "missing", "StateValue": "OK", "StateReason": ""}
    with pytest.raises(cloudwatch.exceptions.ResourceNotFound):
        cloudwatch.set_alarm_state(**missing)
    assert refused(cloudwatch.set_alarm_state, **missing, StateReasonData="{") == ("InvalidFormat", "", 400)
    text = "Invalid NextToken : invalid-token"
    assert refused(cloudwatch.describe_alarm_history, NextToken="invalid-token") == ("InvalidNextToken", text, 400)
    # Names of nothing are passed over.
    cloudwatch.delete_alarms(AlarmNames=["missing"])


def test_an_answer_of_each_protocol_has_its_form(server):
    body = b'{"AlarmName": "missing", "StateValue": "OK", "StateReason": ""}'
    headers = {"X-Amz-Target": f"{TARGET}.SetAlarmState", "Content-Type": "application/x-amz-json-1.0"}
    for mode, header in (({"X-Amzn-Query-Mode": "true"}, "ResourceNotFound;Sender"), ({}, None)):
        signed = raw.signed_headers(server, body, "", headers=headers | mode, service="monitoring")
        answer = raw.send(server, body, signed)
        assert (answer.status, answer.headers["x-amzn-query-error"]) == (404, header)
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
        assert answer.json["__type"] == "com.amazon.coral.service#ResourceNotFound"

    asked = form(Action="DescribeAlarms", Version="2010-08-01", MaxRecords="1")
    answer = call(server, asked, service="monitoring")
    root = xml.etree.ElementTree.fromstring(answer.body)
    assert (answer.status, root.tag) == (200, f"{{{NAMESPACE}}}DescribeAlarmsResponse")
    assert root[0].tag == f"{{{NAMESPACE}}}DescribeAlarmsResult"
    assert root[1][0].text == answer.headers["x-amzn-RequestId"]
    set_state = form(Action="SetAlarmState", Version="2010-08-01", AlarmName="x", StateValue="OK", StateReason="")
    answer = call(server, set_state, service="monitoring")
    root = xml.etree.ElementTree.fromstring(answer.body)
    assert [child.text for child in root[0]][:2] == ["Sender", "ResourceNotFound"]
    answer = call(server, b"", method="GET", path="/?" + asked.decode(), service="monitoring", presigned=True)
    assert answer.status == 200, answer.body

    path = f"/service/{TARGET}/operation/DescribeAlarms"
    headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    for body, status in ((b"", 200), (b"\xa0", 200), (b"\xbf\xff", 200), (b"\xa1", 400), (b"{}", 400)):
        signed = raw.signed_headers(server, body, "", headers=headers, service="monitoring", path=path)
        del signed["X-Amz-Target"]
        signed = cbor_headers(server, body, path)
        answer = raw.send(server, body, signed, path=path)
        assert (answer.status, answer.headers["smithy-protocol"]) == (status, "rpc-v2-cbor"), body
        assert answer.headers["Content-Type"] == "application/cbor"
        assert answer.headers["x-amzn-query-error"] == (None if status == 200 else "SerializationException;Sender")


def cbor_headers(server, body, path):
    request = botocore.awsrequest.AWSRequest(
        method="POST",
        url=server.url + path,
        data=body,
        headers={"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "X-Amzn-Query-Mode": "true"},
    )
    who = botocore.credentials.Credentials(*server.credentials)
    botocore.auth.SigV4Auth(who, "monitoring", REGION).add_auth(request)
    return {**dict(request.headers.items()), "Host": server.host}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Statistic": None}, "Exactly one of Statistic and ExtendedStatistic"),
        (
            {"ExtendedStatistic": "p99"},
            "PutMetricAlarm request can not be made with both Statistic and ExtendedStatistic parameters. Only one of them "
            "should be present",
        ),
        ({"Namespace": None}, "MetricName"),
        ({"Period": None}, "Period is required"),
        ({"Period": 90}, "multiple of 60"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "seven days"),
        ({"Period": 60, "EvaluationPeriods": 1441}, "EvaluationPeriods * Period must be <= 86400"),
        ({"EvaluationPeriods": None}, "EvaluationPeriods"),
        ({"Threshold": None}, "Threshold"),
        ({"Threshold": float("nan")}, "Threshold"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm"),
        ({"TreatMissingData": "maybe"}, "Supported values are [breaching, notBreaching, ignore, missing]"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "anomaly detection"),
        ({"AlarmActions": ["oncall"]}, "Invalid arn syntax: oncall"),
        ({"AlarmActions": ["arn:aws:sns:a:b:c"] * 6}, "length less than or equal to 5"),
        ({"AlarmName": "a\nb"}, "control characters"),
        ({"AlarmName": "a" * 256}, "length less than or equal to 255"),
        ({"Statistic": "Median"}, "enum value set"),
        ({"Dimensions": of_key("a") + of_key("b")}, "twice"),
        (
            {"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]},
            "The resultant tag set must not have more than 50 user tags.",
        ),
        ({"EvaluationWindow": {"WallClockWindow": {}}}, "WallClockWindow is not supported"),
        ({"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}}, "EvaluationCriteria is not supported"),
        ({"Metrics": [{"Id": "m1", "Expression": "1"}]}, "MetricName should not be set if list of Metrics is set."),
    ],
)
def test_what_does_not_fit_together_is_no_alarm(server, change, text):
    cloudwatch = server.client(service="cloudwatch", validate=False)
    given = {name: value for name, value in {**ALARM, **change}.items() if value is not None}
    code, message, status = refused(cloudwatch.put_metric_alarm, **given)
    assert (code, status) == ("ValidationError", 400)
    assert text in message, message


def test_tags_and_statistics_of_alarms_are_refused_as_aws_refuses_them(server, cloudwatch):
    reserved = "The provided tag keys must not start with any case of \"aws:\""
    for key in ("aws:reserved", "AWS:x", "aWs:x"):
        tags = [{"Key": "valid", "Value": "v"}, {"Key": key, "Value": "v"}]
        assert refused(cloudwatch.put_metric_alarm, **ALARM, Tags=tags) == ("AccessDenied", reserved, 403)
    given = {name: value for name, value in ALARM.items() if name != "Statistic"}
    text = "The value p101 for parameter ExtendedStatistic is not supported."
    assert refused(cloudwatch.put_metric_alarm, **given, ExtendedStatistic="p101") == ("InvalidParameterValue", text, 400)
    assert cloudwatch.describe_alarms(AlarmNames=["unset"])["MetricAlarms"] == []

    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "tagged"}, Tags=[{"Key": "generation", "Value": "1"}])
    arn = cloudwatch.describe_alarms(AlarmNames=["tagged"])["MetricAlarms"][0]["AlarmArn"]
    assert refused(cloudwatch.tag_resource, ResourceARN=arn, Tags=tags) == ("AccessDenied", reserved, 403)
    tags = [{"Key": f"key{n}", "Value": "v"} for n in range(51)]
    assert refused(cloudwatch.tag_resource, ResourceARN=arn, Tags=tags) == ("InvalidParameterValue", "tags are invalid.", 400)
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "generation", "Value": "1"}]
    cloudwatch.delete_alarms(AlarmNames=["missing", "tagged"])
    assert cloudwatch.describe_alarms(AlarmNames=["tagged"])["MetricAlarms"] == []
    assert refused(cloudwatch.list_tags_for_resource, ResourceARN=arn) == ("ResourceNotFoundException", "", 404)


def test_statistics_are_refused_as_the_service_refuses_them(server, cloudwatch, used):
    unchecked = server.client(service="cloudwatch", validate=False)
    given = {
        "Namespace": "AWS/KMS", "MetricName": "KeyUsage", "StartTime": NOW - HOUR, "EndTime": NOW, "Period": 60,
        "Statistics": ["Sum"],
    }  # fmt: skip
    for change, code, text in [
        ({"Statistics": None}, "InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics"),
        (
            {"ExtendedStatistics": ["p99", "p101"]}, "InvalidParameterValue",
            "The value p101 for parameter ExtendedStatistics.member.2.<list element> is not supported.",
        ),
        (
            {"EndTime": NOW - 2 * HOUR}, "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        (
            {"StartTime": NOW - 24 * 7 * HOUR}, "InvalidParameterCombination",
            "You have requested up to 10080 datapoints, which exceeds the limit of 1440. You may reduce the datapoints "
            "requested by increasing Period, or decreasing the time range.",
        ),
        ({"Period": 7}, "InvalidParameterValue", "The parameter Period must be a value in the set [1, 5, 10, 20, 30]."),
        ({"Period": 61}, "InvalidParameterValue", "Period"),
        ({"Period": 0}, "ValidationError", "greater than or equal to 1"),
        ({"Namespace": ":a"}, "ValidationError", "regular expression"),
    ]:  # fmt: skip
        changed = {name: value for name, value in {**given, **change}.items() if value is not None}
        found = refused(unchecked.get_metric_statistics, **changed)
        assert (found[0], found[2]) == (code, 400), found
        assert text in found[1], found
    # What is not kept is no error: there are no points.
    for change in [{"Namespace": "AWS/EC2"}, {"Unit": "Bytes"}, {"Dimensions": [{"Name": "Color", "Value": "red"}]}, {"Period": 10}]:
        window = {"StartTime": NOW - HOUR / 6, "EndTime": NOW + HOUR / 6}
        assert cloudwatch.get_metric_statistics(**{**given, **window, **change})["Datapoints"] == []
    got = cloudwatch.get_metric_statistics(
        **{name: value for name, value in given.items() if name not in ("Statistics", "EndTime", "Period")},
        EndTime=NOW + HOUR,
        Period=7200,
        Dimensions=of_key(used),
        ExtendedStatistics=["p99.9", "tm90"],
    )
    # Every use counts one: all percentiles are the same value. A trimmed mean is not known.
    assert [point["ExtendedStatistics"] for point in got["Datapoints"]] == [{"p99.9": 1.0}]
    both = {"StartTime": NOW - HOUR, "EndTime": NOW + HOUR, "Period": 7200, "Dimensions": of_key(used)}
    got = cloudwatch.get_metric_statistics(**{**given, **both}, ExtendedStatistics=["p0", "p100"])
    assert [(point["Sum"] > 0, point["ExtendedStatistics"]) for point in got["Datapoints"]] == [(True, {"p0": 1.0, "p100": 1.0})]


def test_metric_data_is_read_and_computed(spoken, used):
    _, cloudwatch = spoken

    def stat(name, metric, **more):
        metric = {"Namespace": "AWS/KMS", "MetricName": metric, "Dimensions": of_key(used)}
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 7200, "Stat": "Sum"}, **more}

    given = {"StartTime": NOW - HOUR, "EndTime": NOW + HOUR}
    queries = [
        {"Id": "failed", "Expression": "100 * m2 / (m1 + m2)", "Label": "Failed %"},
        {"Id": "all", "Expression": "SUM(METRICS())"},
        {"Id": "high", "Expression": "IF(FILL(m3, 0) > 1, 1, 0)"},
        stat("m1", "NumberOfRequestsSucceeded"),
        stat("m2", "NumberOfRequestsFailed", ReturnData=False),
        stat("m3", "NumberOfRequestsThrottled", ReturnData=False),
    ]
    got = cloudwatch.get_metric_data(MetricDataQueries=queries, **given)
    found = {result["Id"]: (result["Label"], result["Values"], result["StatusCode"]) for result in got["MetricDataResults"]}
    assert found["failed"] == ("Failed %", [pytest.approx(100 / 7)], "Complete")
    assert found["all"] == ("all", [7.0], "Complete")
    assert found["high"] == ("high", [0.0], "Complete")
    assert found["m1"] == ("NumberOfRequestsSucceeded", [6.0], "Complete")
    assert list(found) == ["failed", "all", "high", "m1"]
    for queries, text in [
        ([{"Id": "e1", "Expression": "SUM(m1)"}, stat("m1", "KeyUsage")], "Error in expression 'e1': it must be a time series"),
        ([{"Id": "e1", "Expression": "m9 + 1"}], "Error in expression 'e1': `m9` is no id"),
        ([{"Id": "e1", "Expression": "SEARCH('x', 'Sum')"}], "the function SEARCH is not supported"),
        ([stat("m1", "KeyUsage"), stat("m1", "KeyUsage")], "The values for parameter id in MetricDataQueries are not unique."),
        (
            [stat("m1", "KeyUsage", Expression="1+1")],
            "The parameters MetricDataQueries.member.1.Expression and MetricDataQueries.member.1.MetricStat are mutually "
            "exclusive and you have specified both.",
        ),
        (
            [stat("m1", "KeyUsage"), stat("Bad", "KeyUsage")],
            "The value for parameter MetricDataQueries.member.2.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
        ),
        (
            [stat("m1", "KeyUsage") | {"MetricStat": stat("m1", "KeyUsage")["MetricStat"] | {"Stat": "not-a-stat"}}],
            "The value for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid statistic.",
        ),
        ([{"Id": "m1"}], "Either MetricStat or Expression"),
        ([stat(f"m{number}", "KeyUsage") for number in range(501)], "500"),
    ]:
        code, message, _ = refused(cloudwatch.get_metric_data, MetricDataQueries=queries, **given)
        assert code == "ValidationError" and text in message, message
    queries = [stat("m1", "KeyUsage")]
    found = refused(cloudwatch.get_metric_data, MetricDataQueries=queries, **given, NextToken="invalid-token")
    assert found == ("InvalidNextToken", "", 400)


def test_metric_data_comes_in_pages(cloudwatch, used):
    queries = [
        {"Id": "t1", "Expression": "TIME_SERIES(1)", "Period": 60},
        {"Id": "t2", "Expression": "TIME_SERIES(2)", "Period": 300},
    ]
    given = {"MetricDataQueries": queries, "StartTime": NOW - HOUR, "EndTime": NOW, "ScanBy": "TimestampAscending"}
    whole = {result["Id"]: result["Timestamps"] for result in cloudwatch.get_metric_data(**given)["MetricDataResults"]}
    assert len(whole["t1"]) in (60, 61) and whole["t1"] == sorted(whole["t1"])
    paged = {"t1": [], "t2": []}
    for page in cloudwatch.get_paginator("get_metric_data").paginate(**given, MaxDatapoints=7):
        assert sum(len(result["Values"]) for result in page["MetricDataResults"]) <= 7
        for result in page["MetricDataResults"]:
            paged[result["Id"]] += result["Timestamps"]
    assert paged == whole
    assert refused(cloudwatch.get_metric_data, **given, NextToken="bad")[0] == "InvalidNextToken"


def test_alarms_and_histories_come_in_pages(cloudwatch):
    names = [f"page-{number:03}" for number in range(23)]
    for name in names:
        cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": name, "AlarmActions": [ONCALL + name]})
    try:
        found = [
            alarm["AlarmName"]
            for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="page-", MaxRecords=5)
            for alarm in page["MetricAlarms"]
        ]
        assert found == names
        found = cloudwatch.describe_alarms(ActionPrefix=ONCALL + "page-00")["MetricAlarms"]
        assert [alarm["AlarmName"] for alarm in found] == names[:10]
        first = cloudwatch.describe_alarms(AlarmNames=names, MaxRecords=20)
        rest = cloudwatch.describe_alarms(AlarmNames=names, MaxRecords=20, NextToken=first["NextToken"])
        assert [alarm["AlarmName"] for page in (first, rest) for alarm in page["MetricAlarms"]] == names
        composite = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])
        assert composite["MetricAlarms"] == composite["CompositeAlarms"] == []
        for order in ("TimestampDescending", "TimestampAscending"):
            items = [
                item
                for page in cloudwatch.get_paginator("describe_alarm_history").paginate(
                    HistoryItemType="ConfigurationUpdate", StartDate=NOW - HOUR, ScanBy=order, PaginationConfig={"PageSize": 7}
                )
                for item in page["AlarmHistoryItems"]
            ]
            times = [item["Timestamp"] for item in items]
            assert times == sorted(times, reverse=order == "TimestampDescending")
            assert {item["AlarmName"] for item in items} >= set(names)
            assert len(items) == len({(item["AlarmName"], item["Timestamp"], item["HistorySummary"]) for item in items})
        assert cloudwatch.describe_alarm_history(EndDate=NOW - HOUR)["AlarmHistoryItems"] == []
        assert cloudwatch.describe_alarm_history(StartDate=NOW + HOUR)["AlarmHistoryItems"] == []
    finally:
        cloudwatch.delete_alarms(AlarmNames=names)


def test_a_policy_says_who_may_do_what_with_which_alarm(server, cloudwatch):
    iam = server.client(service="iam")
    iam.create_user(UserName="watcher")
    made = iam.create_access_key(UserName="watcher")["AccessKey"]
    credentials = (made["AccessKeyId"], made["SecretAccessKey"])
    watcher = server.client(service="cloudwatch", credentials=credentials)
    mine = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:mine-*"
    code, message, status = refused(watcher.put_metric_alarm, **{**ALARM, "AlarmName": "mine-1"})
    assert (code, status) == ("AccessDenied", 403)
    assert "is not authorized to perform: cloudwatch:PutMetricAlarm on resource: " + mine.replace("*", "1") in message

    def let(**statement):
        iam.put_user_policy(UserName="watcher", PolicyName="p", PolicyDocument=policy(**statement))

    let(action=["cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"], resource=mine)
    watcher.put_metric_alarm(**{**ALARM, "AlarmName": "mine-1"})
    assert refused(watcher.put_metric_alarm, **{**ALARM, "AlarmName": "yours"})[0] == "AccessDenied"
    tagged = {**ALARM, "AlarmName": "mine-2", "Tags": [{"Key": "a", "Value": "b"}]}
    assert "cloudwatch:TagResource" in refused(watcher.put_metric_alarm, **tagged)[1]
    assert len(watcher.describe_alarms(AlarmNames=["mine-1"])["MetricAlarms"]) == 1
    assert refused(watcher.describe_alarms)[0] == "AccessDenied"
    assert refused(watcher.delete_alarms, AlarmNames=["mine-1", "yours"])[0] == "AccessDenied"
    assert len(cloudwatch.describe_alarms(AlarmNames=["mine-1"])["MetricAlarms"]) == 1
    assert refused(watcher.list_metrics)[0] == "AccessDenied"
    watcher.delete_alarms(AlarmNames=["mine-1"])
    condition = {"ForAllValues:StringLike": {"cloudwatch:AlarmActions": "arn:aws:sns:*"}}
    let(action="cloudwatch:PutMetricAlarm", Condition=condition)
    watcher.put_metric_alarm(**{**ALARM, "AlarmName": "mine-1", "AlarmActions": [ONCALL]})
    given = {**ALARM, "AlarmName": "mine-1", "AlarmActions": [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"]}
    assert refused(watcher.put_metric_alarm, **given)[0] == "AccessDenied"
    cloudwatch.delete_alarms(AlarmNames=["mine-1"])


def test_every_request_is_in_the_trail(server, cloudwatch):
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "audited"})
    cloudwatch.describe_alarms(AlarmNames=["audited"])
    refused(cloudwatch.set_alarm_state, AlarmName="nowhere", StateValue="OK", StateReason="why")
    cloudwatch.delete_alarms(AlarmNames=["audited"])
    # A signature that is none.
    nobody = server.client(service="cloudwatch", credentials=(server.credentials[0], "wrong"))
    assert refused(nobody.list_metrics)[0] == "SignatureDoesNotMatch"
    events = [
        event
        for event in audit.events(server.data_dir / "audit")
        if event["eventSource"] == "monitoring.amazonaws.com" and (event.get("additionalEventData") or {}).get("recordPhase") is None
    ]
    put = next(event for event in events if "audited" in json.dumps(event) and event["eventName"] == "PutMetricAlarm")
    assert (put["readOnly"], put["requestParameters"]["threshold"]) == (False, 10.0)
    assert put["requestParameters"]["comparisonOperator"] == "GreaterThanThreshold"
    read = next(event for event in events if event["eventName"] == "DescribeAlarms" and "audited" in json.dumps(event))
    assert read["readOnly"]
    assert any(event["eventName"] == "SetAlarmState" and event.get("errorCode") == "ResourceNotFound" for event in events)
    assert any(event["eventName"] == "ListMetrics" and event.get("errorCode") == "SignatureDoesNotMatch" for event in events)


def test_the_command_line_watches_a_key(server, tmp_path, used):
    import subprocess

    def aws(*arguments):
        done = subprocess.run(
            [*harness.aws_command(), "cloudwatch", *arguments],
            env=server.environment_of_clients(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    aws(
        "put-metric-alarm", "--alarm-name", "KMSKeyUsageHigh", "--metric-name", "NumberOfRequestsSucceeded", "--namespace", "AWS/KMS",
        "--statistic", "Sum", "--period", "3600", "--threshold", "10000", "--comparison-operator", "GreaterThanThreshold",
        "--evaluation-periods", "1", "--dimensions", f"Name=KeyId,Value={used}",
    )  # fmt: skip
    (alarm,) = aws("describe-alarms", "--alarm-names", "KMSKeyUsageHigh")["MetricAlarms"]
    assert (alarm["Period"], alarm["Threshold"]) == (3600, 10000.0)
    got = aws(
        "get-metric-statistics", "--metric-name", "NumberOfRequestsSucceeded", "--namespace", "AWS/KMS", "--period", "3600",
        "--dimensions", f"Name=KeyId,Value={used}", "--statistics", "Sum", "--start-time", (NOW - HOUR / 2).isoformat(),
        "--end-time", (NOW + HOUR / 2).isoformat(),
    )  # fmt: skip
    assert [point["Sum"] for point in got["Datapoints"]] == [6.0]
    assert {metric["MetricName"] for metric in aws("list-metrics", "--namespace", "AWS/KMS")["Metrics"]} >= {"KeyUsage"}
    aws("delete-alarms", "--alarm-names", "KMSKeyUsageHigh")
