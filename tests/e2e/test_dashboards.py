"""What is shipped for Prometheus and Grafana asks for metrics that the service has."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml  # Comes with the aws command line.
from raw import call, send
from server import Server, wait_until

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/keyreeve.rules.yml"
RULE_TESTS = ROOT / "deploy/prometheus/keyreeve.rules.test.yml"
DASHBOARD = ROOT / "deploy/grafana/keyreeve.json"
RUNBOOKS = ROOT / "docs/runbooks.md"
OPEN_METRICS = "application/openmetrics-text"


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def expressions():
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", []))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


def labels_of(sample):
    return {} if "{" not in sample else dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample))


# A stream, and a bucket that is not there, so that a file waits for it.
CONFIG = """
[audit]
streams = { shipper = "file:events.jsonl" }
log_seconds = 1
digest_seconds = 1

[bucket]
endpoint = "http://127.0.0.1:1"
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    environment = {"KEYREEVE_BUCKET_ACCESS_KEY_ID": "AKIAEXAMPLE", "KEYREEVE_BUCKET_SECRET_ACCESS_KEY": "example"}
    running = Server(tmp_path_factory.mktemp("watched") / "data", config=CONFIG, environment=environment).start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def samples(watched):
    """{name: labels}, once everything has happened that makes a metric."""
    server = watched
    key = call(server, "CreateKey").json["KeyMetadata"]["KeyId"]
    for _ in range(2):
        assert call(server, "Encrypt", {"KeyId": key, "Plaintext": "AAAA"}).status == 200
    assert call(server, "DescribeKey", {"KeyId": "alias/nobody"}).status == 400

    def metrics():
        return send(server, b"", {"Host": server.host, "Accept": f"{OPEN_METRICS}; version=1.0.0"}, method="GET", path="/metrics")

    wait_until(lambda: b"\nkeyreeve_trail_bucket_waiting_since_timestamp_seconds " in metrics().body, "a file waits", 30)
    answer = metrics()
    found = {}
    for line in answer.body.decode().splitlines():
        if not line.startswith("#"):
            found.setdefault(re.match(r"[a-z_]+", line)[0], {}).update(labels_of(line))
    return found


def test_every_expression_asks_for_metrics_and_labels_that_there_are(samples):
    for title, expression in expressions():
        names = set(re.findall(r"\b(keyreeve_\w+|process_\w+)\b", expression))
        assert names or "up{" in expression, title
        for name in names:
            assert name in samples, f"{title}: {name}"
            for selector in re.findall(name + r"\{([^}]*)\}", expression):
                for label in re.findall(r"(\w+)\s*(?:=|!=|=~|!~)", selector):
                    # Those two are given by Prometheus itself.
                    assert label in samples[name] or label in ("instance", "job"), f"{title}: {name}: {label}"


def test_every_measure_is_shown_or_watched(samples):
    shown = "\n".join(expression for _, expression in expressions())
    hidden = {name for name in samples if re.sub("_(bucket|sum|count)$", "", name) not in shown}
    assert hidden == {"keyreeve_trail_free_bytes"}, "the same as keyreeve_audit_free_bytes where it is delivered to the same disk"


def test_every_alert_has_a_severity_a_summary_and_a_place_in_the_runbooks():
    anchors = set()
    for line in RUNBOOKS.read_text().splitlines():
        if line.startswith("## "):
            anchors.add(re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-"))
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        page, anchor = rule["annotations"]["runbook_url"].split("#")
        assert page == "docs/runbooks.md" and anchor in anchors, rule["alert"]


def test_the_rules_of_prometheus_hold_their_tests():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    subprocess.run([promtool, "check", "rules", RULES], check=True)
    subprocess.run([promtool, "test", "rules", RULE_TESTS], check=True)
    tested = RULE_TESTS.read_text()
    assert [rule["alert"] for rule in rules() if rule["alert"] not in tested] == []


def test_promtool_finds_nothing_in_the_metrics(server):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    text = send(server, b"", {"Host": server.host}, method="GET", path="/metrics").body
    subprocess.run([promtool, "check", "metrics"], input=text, check=True)


def test_the_form_of_the_metrics_is_the_one_that_was_asked_for(server):
    for accept, expected in [
        (None, "text/plain"),
        ("*/*", "text/plain"),
        ("text/plain;version=0.0.4;q=0.5", "text/plain"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", OPEN_METRICS),
    ]:
        headers = {"Host": server.host} | ({"Accept": accept} if accept else {})
        answer = send(server, b"", headers, method="GET", path="/metrics")
        assert answer.headers["Content-Type"].startswith(expected), accept


def test_panels_do_not_lie_on_each_other():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
