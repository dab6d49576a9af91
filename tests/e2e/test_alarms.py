"""Alarms that go off: in the test mode, whose clock moves, with webhooks that are told."""

import datetime
import json

import pytest

import server as harness
from server import ACCOUNT, REGION, wait_until
from test_cloudwatch import ALARM, of_key
from test_dev_mode import DevServer
from test_metrics import scrape
from webhook import Webhook

ONCALL = f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"
NOBODY = f"arn:aws:sns:{REGION}:{ACCOUNT}:nobody"
MINUTE = 60


@pytest.fixture
def webhook():
    with Webhook() as receiver:
        yield receiver


@pytest.fixture
def dev(tmp_path, webhook):
    config = f'[metrics]\nwebhooks = {{ "{ONCALL}" = "{webhook.url}/hook?token=s3cret" }}\n'
    running = DevServer(tmp_path / "data", config=config).start()
    running.to_next_minute()
    yield running
    running.kill()


def state(cloudwatch, name):
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarm["StateValue"], alarm["StateReason"]


def history(cloudwatch, name, kind):
    items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType=kind)["AlarmHistoryItems"]
    return [(item["HistorySummary"], json.loads(item["HistoryData"])) for item in reversed(items)]


def test_an_alarm_goes_off_and_is_over_and_the_webhook_is_told(dev, webhook):
    kms, cloudwatch = dev.client(), dev.client(service="cloudwatch")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    actions = {"AlarmActions": [ONCALL, NOBODY], "OKActions": [ONCALL], "InsufficientDataActions": [ONCALL]}
    cloudwatch.put_metric_alarm(
        **{**ALARM, "AlarmName": "busy", "Threshold": 3.0, "Dimensions": of_key(key), "TreatMissingData": "notBreaching", **actions}
    )
    assert state(cloudwatch, "busy") == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    dev.advance(MINUTE)
    value, reason = state(cloudwatch, "busy")
    assert value == "OK"
    assert reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."
    )
    for _ in range(5):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    dev.advance(MINUTE)
    value, reason = state(cloudwatch, "busy")
    assert value == "ALARM"
    assert reason.startswith("Threshold Crossed: 1 datapoint [5.0 (")
    assert reason.endswith(")] was greater than the threshold (3.0).")
    # The clock jumps over the minutes at which it is over; each is looked at all the same.
    dev.advance(60 * MINUTE)
    assert state(cloudwatch, "busy")[0] == "OK"
    updates = [summary for summary, _ in history(cloudwatch, "busy", "StateUpdate")]
    assert updates == [
        "Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK",
    ]  # fmt: skip
    wait_until(lambda: len(webhook.received) == 3, "told three times")
    assert {message["NewStateValue"] for message in webhook.messages} == {"OK", "ALARM"}
    path, headers, body = next(found for found in webhook.received if "ALARM:" in found[2]["Subject"])
    assert path == "/hook?token=s3cret"
    assert (headers["x-amz-sns-message-type"], headers["x-amz-sns-topic-arn"]) == ("Notification", ONCALL)
    assert headers["x-amz-sns-message-id"] == body["MessageId"]
    assert (body["Type"], body["TopicArn"]) == ("Notification", ONCALL)
    assert body["Subject"] == 'ALARM: "busy" in US East (N. Virginia)'
    message = json.loads(body["Message"])
    assert (message["AlarmName"], message["OldStateValue"], message["NewStateReason"]) == ("busy", "OK", reason)
    assert message["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:busy"
    assert message["Trigger"]["Dimensions"] == [{"name": "KeyId", "value": key}]
    assert (message["Trigger"]["Statistic"], message["Trigger"]["Threshold"]) == ("SUM", 3.0)

    wait_until(lambda: len(history(cloudwatch, "busy", "Action")) == 4, "all actions are noted")
    done = history(cloudwatch, "busy", "Action")
    assert sorted(summary for summary, _ in done) == [
        f'Failed to execute action {NOBODY}. Received error: "no webhook is configured for it"',
        *[f"Successfully executed action {ONCALL}"] * 3,
    ]
    assert {data["actionState"] for _, data in done} == {"Succeeded", "Failed"}
    seen = scrape(dev)
    assert seen["keyreeve_alarm_actions_total", frozenset()] == 3
    assert seen["keyreeve_alarm_action_failures_total", frozenset()] == 1
    assert "s3cret" not in json.dumps(done) and "s3cret" not in dev.log_path.read_text()


def test_every_account_and_region_has_alarms_of_its_own(dev):
    here, there = dev.client(service="cloudwatch"), dev.of("111122223333", service="cloudwatch")
    away = dev.client("eu-west-1", service="cloudwatch")
    for cloudwatch, threshold in ((here, 1.0), (there, 2.0), (away, 3.0)):
        cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "mine", "Threshold": threshold, "TreatMissingData": "breaching"})
    dev.advance(MINUTE)
    for cloudwatch, threshold in ((here, 1.0), (there, 2.0), (away, 3.0)):
        (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
        assert (alarm["Threshold"], alarm["StateValue"]) == (threshold, "ALARM")
    here.delete_alarms(AlarmNames=["mine"])
    assert len(there.describe_alarms()["MetricAlarms"]) == len(away.describe_alarms()["MetricAlarms"]) == 1


def test_missing_data_counts_as_the_alarm_says(dev):
    cloudwatch, kms = dev.client(service="cloudwatch"), dev.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for treated in ("missing", "ignore", "breaching", "notBreaching"):
        given = {**ALARM, "AlarmName": treated, "TreatMissingData": treated, "Dimensions": of_key(key), "Threshold": 3.0}
        cloudwatch.put_metric_alarm(**given)
    dev.advance(MINUTE)
    states = {name: state(cloudwatch, name)[0] for name in ("missing", "ignore", "breaching", "notBreaching")}
    assert states == {"missing": "INSUFFICIENT_DATA", "ignore": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK"}
    for _ in range(5):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    dev.advance(MINUTE)
    assert {state(cloudwatch, name)[0] for name in states} == {"ALARM"}
    dev.advance(10 * MINUTE)
    states = {name: state(cloudwatch, name)[0] for name in states}
    assert states == {"missing": "INSUFFICIENT_DATA", "ignore": "ALARM", "breaching": "ALARM", "notBreaching": "OK"}
    assert state(cloudwatch, "missing")[1] == "Insufficient Data: 1 datapoint was unknown."


def test_periods_end_with_the_minute_and_data_points_are_counted(dev):
    cloudwatch, kms = dev.client(service="cloudwatch"), dev.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]

    def encrypt(times):
        for _ in range(times):
            kms.encrypt(KeyId=key, Plaintext=b"x")

    given = {**ALARM, "Dimensions": of_key(key), "Period": 300, "Threshold": 4.0, "TreatMissingData": "notBreaching"}
    cloudwatch.put_metric_alarm(**{**given, "AlarmName": "one"})
    cloudwatch.put_metric_alarm(**{**given, "AlarmName": "two of three", "EvaluationPeriods": 3, "DatapointsToAlarm": 2})
    encrypt(3)
    dev.advance(2 * MINUTE)
    encrypt(3)
    dev.advance(MINUTE)
    # Neither of the two minutes is above the threshold; five minutes that end now are.
    value, reason = state(cloudwatch, "one")
    assert value == "ALARM" and "datapoint [6.0 (" in reason, reason
    assert state(cloudwatch, "two of three")[0] == "OK"
    dev.advance(5 * MINUTE)
    encrypt(6)
    dev.advance(MINUTE)
    value, reason = state(cloudwatch, "two of three")
    assert value == "ALARM"
    assert reason.startswith("Threshold Crossed: 2 out of the last 3 datapoints [6.0 ("), reason
    assert reason.endswith(
        ")] were greater than the threshold (4.0) and 1 missing datapoint was treated as [NonBreaching] "
        "(minimum 2 datapoints for OK -> ALARM transition)."
    ), reason


def test_an_alarm_may_watch_an_expression(dev, webhook):
    cloudwatch, kms = dev.client(service="cloudwatch"), dev.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]

    def stat(name, metric):
        metric = {"Namespace": "AWS/KMS", "MetricName": metric, "Dimensions": of_key(key)}
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

    metrics = [
        {"Id": "rate", "Expression": "100 * FILL(bad, 0) / (good + FILL(bad, 0))", "Label": "failed", "ReturnData": True},
        stat("good", "NumberOfRequestsSucceeded"),
        stat("bad", "NumberOfRequestsFailed"),
    ]
    given = {name: ALARM[name] for name in ("ComparisonOperator", "EvaluationPeriods")}
    cloudwatch.put_metric_alarm(AlarmName="errors", Metrics=metrics, Threshold=20.0, AlarmActions=[ONCALL], **given)
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    assert [query["Id"] for query in alarm["Metrics"]] == ["rate", "good", "bad"] and "MetricName" not in alarm
    kms.encrypt(KeyId=key, Plaintext=b"x")
    with pytest.raises(kms.exceptions.InvalidKeyUsageException):
        kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")
    dev.advance(MINUTE)
    value, reason = state(cloudwatch, "errors")
    assert value == "ALARM" and "datapoint [33.3" in reason, reason
    wait_until(lambda: webhook.received, "told")
    assert [query["Id"] for query in webhook.messages[0]["Trigger"]["Metrics"]] == ["rate", "good", "bad"]


def test_a_state_that_is_set_runs_its_actions_until_the_next_look(dev, webhook):
    cloudwatch = dev.client(service="cloudwatch")
    given = {**ALARM, "AlarmName": "drill", "AlarmActions": [ONCALL], "TreatMissingData": "notBreaching"}
    cloudwatch.put_metric_alarm(**given)
    webhook.statuses = [500]
    cloudwatch.set_alarm_state(AlarmName="drill", StateValue="ALARM", StateReason="a drill")
    # The first attempt fails and is made again.
    wait_until(lambda: len(webhook.received) == 2, "told again")
    assert {body["MessageId"] for _, _, body in webhook.received} == {webhook.received[0][2]["MessageId"]}
    assert webhook.messages[1]["NewStateReason"] == "a drill"
    wait_until(lambda: history(cloudwatch, "drill", "Action"), "noted")
    # Actions that are switched off are not run.
    dev.advance(MINUTE)
    assert state(cloudwatch, "drill")[0] == "OK"
    cloudwatch.disable_alarm_actions(AlarmNames=["drill"])
    cloudwatch.set_alarm_state(AlarmName="drill", StateValue="ALARM", StateReason="another drill")
    dev.advance(MINUTE)
    assert len(history(cloudwatch, "drill", "StateUpdate")) == 4
    assert len(webhook.received) == 2


def test_alarms_and_what_they_are_to_do_outlive_the_process(make_server, webhook):
    config = f'[metrics]\nwebhooks = {{ "{ONCALL}" = "{webhook.url}/" }}\n'
    server = make_server(config=config).start()
    cloudwatch = server.client(service="cloudwatch")
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "kept", "AlarmActions": [ONCALL]})
    webhook.statuses = [503, 503, 503]
    cloudwatch.set_alarm_state(AlarmName="kept", StateValue="ALARM", StateReason="a drill")
    wait_until(lambda: webhook.received, "the first attempt")
    server.kill()
    webhook.statuses = []
    attempts = len(webhook.received)
    server.start()
    cloudwatch = server.client(service="cloudwatch")
    wait_until(lambda: len(webhook.received) > attempts, "told by the next process")
    wait_until(lambda: history(cloudwatch, "kept", "Action"), "noted")
    (item,) = history(cloudwatch, "kept", "Action")
    assert item[0] == f"Successfully executed action {ONCALL}"


def test_a_real_clock_evaluates_alarms_too(make_server):
    """Within a minute and what counts take to settle."""
    server = make_server().start()
    cloudwatch = server.client(service="cloudwatch")
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "soon", "TreatMissingData": "breaching"})
    left = 60 - datetime.datetime.now().second
    wait_until(lambda: state(cloudwatch, "soon")[0] == "ALARM", "evaluated", timeout=left + 10)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('webhooks = { "oncall" = "https://a/" }', "it is no ARN"),
        ('webhooks = { "arn:aws:sns:us-east-1:000000000000:a" = "ftp://a/" }', "http or https"),
        ('webhook_ca = "/missing.pem"', "[metrics] webhook_ca"),
    ],
)
def test_a_webhook_that_is_none_is_a_fault_of_the_configuration(make_server, line, text):
    code, said = make_server(config=f"[metrics]\n{line}\n").fails()
    assert code == 2 and text in said, said
