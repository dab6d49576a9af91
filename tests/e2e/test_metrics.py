"""The endpoints for those who watch over the service; none of them asks for a signature."""

import re

import audit
import pytest
from raw import call, send

LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def scrape(server):
    """{(name, labels): value}, of a text in which every line has the form that Prometheus reads."""
    answer = send(server, b"", {"Host": server.host}, method="GET", path="/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples, typed = {}, set()
    for line in answer.body.decode().splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert kind in ("counter", "gauge", "histogram") and name not in typed
            typed.add(name)
        elif not line.startswith("#"):
            found = LINE.fullmatch(line)
            assert found, line
            name, labels, value = found.groups()
            assert name in typed or re.sub("_(bucket|sum|count)$", "", name) in typed, line
            sample = (name, frozenset(LABEL.findall(labels or "")))
            assert sample not in samples, line
            samples[sample] = float(value)
    return samples


def requests(samples, operation, code):
    return samples.get(("keyreeve_requests_total", frozenset({("operation", operation), ("code", code)})), 0)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_probe_is_answered_without_a_signature(server, path):
    answer = send(server, b"", {"Host": server.host}, method="GET", path=path)
    assert (answer.status, answer.body) == (200, b"ok\n")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/nowhere"])
def test_a_post_to_another_path_is_no_operation(server, path):
    answer = send(server, b"{}", {"Host": server.host, "X-Amz-Target": "TrentService.ListKeys"}, path=path)
    assert (answer.status, answer.error[0]) == (404 if answer.status == 404 else 400, "UnknownOperationException")


def test_requests_are_counted_by_operation_and_code(fresh_server):
    server = fresh_server.start()
    before = scrape(server)
    assert requests(before, "CreateKey", "OK") == 0
    key = call(server, "CreateKey").json["KeyMetadata"]["KeyId"]
    for _ in range(3):
        assert call(server, "DescribeKey", {"KeyId": key}).status == 200
    for _ in range(2):
        assert call(server, "DescribeKey", {"KeyId": "alias/nobody"}).error[0] == "NotFoundException"
    assert call(server, "DescribeKey", {"KeyId": key}, credentials=("AKIANOBODYNOBODY", "secret")).status == 400
    assert call(server, "NoSuchOperation").error[0] == "UnknownOperationException"
    after = scrape(server)
    assert requests(after, "CreateKey", "OK") == 1
    assert requests(after, "DescribeKey", "OK") == 3
    assert requests(after, "DescribeKey", "NotFoundException") == 2
    assert requests(after, "DescribeKey", "UnrecognizedClientException") == 1
    assert after["keyreeve_requests_refused_total", frozenset()] == 1
    described = frozenset({("operation", "DescribeKey")})
    assert after["keyreeve_request_duration_seconds_count", described] == 6


def test_a_histogram_holds_each_request_in_every_wider_bucket(server):
    call(server, "ListKeys")
    samples = scrape(server)
    count = samples["keyreeve_request_duration_seconds_count", frozenset({("operation", "ListKeys")})]
    buckets = sorted(
        (float(dict(labels)["le"]), value)
        for (name, labels), value in samples.items()
        if name == "keyreeve_request_duration_seconds_bucket" and ("operation", "ListKeys") in labels
    )
    values = [value for _, value in buckets]
    assert values == sorted(values) and values[-1] == count and buckets[-1][0] == float("inf")


def test_probes_are_not_in_the_trail(fresh_server):
    server = fresh_server.start()
    for path in ("/livez", "/readyz", "/metrics"):
        send(server, b"", {"Host": server.host}, method="GET", path=path)
    assert audit.events(server.data_dir / "audit") == []


def test_metrics_name_no_key(server, shared_key):
    call(server, "DescribeKey", {"KeyId": shared_key})
    text = send(server, b"", {"Host": server.host}, method="GET", path="/metrics").body.decode()
    assert shared_key not in text and "keyreeve_cached_keys" in text
