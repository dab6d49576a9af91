"""Spans of requests, as a collector of OpenTelemetry receives them; and what a build without them says."""

import gzip
import http.server
import secrets
import threading

import pytest
from raw import call

from server import Server, wait_until


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.headers = self.headers
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
        self.server.received.append(body)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.received, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def config(collector, more=""):
    return f'[tracing]\notlp = "http://127.0.0.1:{collector.server_port}/v1/traces"\n{more}\n'


@pytest.fixture
def traced(tmp_path, collector):
    made = []

    def start(more=""):
        server = Server(tmp_path / "data", config=config(collector, more))
        made.append(server)
        try:
            return server.start()
        except Exception:
            if "needs a build with `--features otlp`" in server.log_path.read_text():
                pytest.skip("the binary was built without the feature otlp")
            raise

    yield start
    for server in made:
        server.kill()


def test_a_request_is_a_span_in_the_trace_of_its_caller(traced, collector):
    server = traced()
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    context = {"traceparent": f"00-{trace}-{parent}-01"}
    key = call(server, "CreateKey", headers=context).json["KeyMetadata"]["KeyId"]
    answer = call(server, "Encrypt", {"KeyId": key, "Plaintext": "c2VjcmV0LXBsYWludGV4dA=="}, headers=context)
    assert answer.status == 200
    assert call(server, "DescribeKey", {"KeyId": "alias/nobody"}).status == 400
    assert server.terminate() == 0
    sent = b"".join(collector.received)
    # Each of them in the trace that the caller has begun.
    assert sent.count(bytes.fromhex(trace)) == 2 and sent.count(bytes.fromhex(parent)) == 2
    for text in ["KMS/CreateKey", "KMS/Encrypt", "KMS/DescribeKey", "NotFoundException", "aws-api", "keyreeve", answer.headers["x-amzn-RequestId"]]:
        assert text.encode() in sent, (text, sent)
    for text in ["secret-plaintext", "c2VjcmV0", server.credentials[0], server.credentials[1], "alias/nobody"]:
        assert text.encode() not in sent, text


def test_a_caller_and_the_configuration_say_which_requests_are_traced(traced, collector):
    server = traced("sample = 0.0")
    kept, left = secrets.token_hex(16), secrets.token_hex(16)
    for trace, flags in [(kept, "01"), (left, "00")]:
        assert call(server, "ListKeys", headers={"traceparent": f"00-{trace}-{'1' * 16}-{flags}"}).status == 200
    assert call(server, "ListAliases", headers={"traceparent": "nonsense"}).status == 200
    assert server.terminate() == 0
    sent = b"".join(collector.received)
    assert bytes.fromhex(kept) in sent and bytes.fromhex(left) not in sent and b"ListAliases" not in sent


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_collector_gets_the_headers_that_it_asks_for(traced, collector, tmp_path, is_packed):
    headers = tmp_path / "headers"
    headers.write_text("x-honeycomb-team: a-secret-key\n")
    server = traced(f'otlp_headers = "{headers}"\notlp_gzip = {str(is_packed).lower()}')
    assert call(server, "ListKeys").status == 200
    assert server.terminate() == 0
    assert b"KMS/ListKeys" in b"".join(collector.received)
    assert collector.headers["x-honeycomb-team"] == "a-secret-key"
    assert collector.headers["Content-Encoding"] == ("gzip" if is_packed else None)
    assert "a-secret-key" not in server.log_path.read_text()


def test_a_collector_that_is_gone_holds_up_nobody(traced, collector):
    server = traced()
    collector.status = 400
    collector.shutdown()
    collector.server_close()
    for _ in range(50):
        assert call(server, "ListKeys").status == 200
    assert server.terminate() == 0


def test_a_share_that_is_none_is_refused(make_server):
    server = make_server(config="[tracing]\nsample = 1.5\n")
    assert server.fails()[0] == 2


def test_the_log_has_no_spans(traced, collector):
    server = traced()
    assert call(server, "ListKeys").status == 200
    wait_until(lambda: collector.received, "a span", 10)
    assert "aws.request_id" not in server.log_path.read_text()
