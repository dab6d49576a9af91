"""Streams: every event of the trail, told to a receiver as it happens."""

import gzip
import http.server
import json
import re
import socket
import ssl
import threading
import time

import pytest
from audit import events, is_opened
from certificate import Authority
from server import wait_until

MESSAGE = re.compile(rb"<(108|110)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (\S+) keyreeve (\d+) (\S{1,32}) ((?:\[[^\]]+\])+) (\{.*\})", re.DOTALL)


def read(message):
    found = MESSAGE.fullmatch(message)
    assert found, message
    event = json.loads(found.group(6))
    assert event["eventName"].startswith(found.group(4).decode()[:32])
    assert ("errorCode" in event) == (found.group(1) == b"108")
    return event


class Receiver:
    """Collects events. `limit` ends the connection after so many messages, and stops listening."""

    def __init__(self):
        self.events, self.lock = [], threading.Lock()

    def take(self, message):
        with self.lock:
            self.events.append(read(message))

    def ids(self):
        with self.lock:
            return [event["eventID"] for event in self.events]

    def run(self, work):
        threading.Thread(target=work, daemon=True).start()
        return self


class Datagrams(Receiver):
    def __init__(self, family, address):
        super().__init__()
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(address)
        self.run(self.work)

    def work(self):
        while True:
            try:
                self.take(self.socket.recv(1 << 17))
            except OSError:
                return

    def close(self):
        self.socket.close()


class Frames(Receiver):
    """Over TCP, or over TLS with a context; on a port that stays the same however often it is opened."""

    def __init__(self, context=None):
        super().__init__()
        self.context, self.port, self.connections, self.reading = context, 0, [], threading.Event()
        self.reading.set()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        # So that a receiver that does not read is soon a slow one.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.port = self.listener.getsockname()[1]
        return self.run(self.accept)

    def accept(self):
        listener = self.listener
        while True:
            try:
                connection, _ = listener.accept()
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.work, args=(connection,), daemon=True).start()

    def work(self, connection):
        data = b""
        while True:
            self.reading.wait()
            try:
                chunk = connection.recv(65536)
            except OSError:
                return
            if not chunk:
                connection.close()
                return
            data += chunk
            while found := re.match(rb"(\d+) ", data):
                length = int(found.group(1))
                if len(data) < found.end() + length:
                    break
                self.take(data[found.end() : found.end() + length])
                data = data[found.end() + length :]

    def close(self):
        # A listener that a thread waits for goes on accepting unless it is shut down.
        for each in [self.listener, *self.connections]:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
        self.connections = []


class Collector(Receiver):
    """A collector of OpenTelemetry; `answers` are what it says next instead of taking a request."""

    def __init__(self, context=None):
        super().__init__()
        self.context, self.port, self.answers, self.rejects, self.headers = context, 0, [], 0, []

    def open(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.headers.append(self.headers)
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                assert (self.path, self.headers["Content-Type"]) == ("/v1/logs", "application/json")
                status = receiver.answers.pop(0) if receiver.answers else 200
                answer = b"{}"
                if status == 200:
                    for record in records(json.loads(body)):
                        receiver.take(record)
                    if receiver.rejects:
                        answer = json.dumps({"partialSuccess": {"rejectedLogRecords": str(receiver.rejects), "errorMessage": "no room"}}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        if self.context:
            self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        return self.run(self.server.serve_forever)

    def take(self, record):
        event = json.loads(record["body"]["stringValue"])
        said = {each["key"]: each["value"] for each in record["attributes"]}
        assert said["log.record.uid"] == {"stringValue": event["eventID"]}
        assert said["rpc.method"] == {"stringValue": event["eventName"]}
        assert ("error.type" in said) == ("errorCode" in event) == (record["severityText"] == "WARN")
        with self.lock:
            self.events.append(event)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def records(request):
    for logs in request["resourceLogs"]:
        assert {"key": "service.name", "value": {"stringValue": "keyreeve"}} in logs["resource"]["attributes"]
        for scope in logs["scopeLogs"]:
            yield from scope["logRecords"]


class Lines(Receiver):
    """The file of a stream, and those that were put aside."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def ids(self):
        paths = sorted(self.path.parent.glob(f"{self.path.name}*"), reverse=True)
        return [json.loads(line)["eventID"] for path in paths for line in path.read_text().splitlines()]

    def close(self):
        pass


def config(url, **more):
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    return f'[audit]\nstreams = {{ siem = "{url}" }}\n{lines}'


def written(server):
    """The ids of the events so far that complete something."""
    return {event["eventID"] for event in events(server.data_dir / "audit") if not is_opened(event)}


def told(server, receiver, at_least=frozenset()):
    wait_until(lambda: (written(server) | at_least) <= set(receiver.ids()), "the receiver was told of everything", 60)


def metric(server, name):
    import urllib.request

    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        found = re.search(rf'^keyreeve_audit_stream_{name}{{stream="siem"}} (\S+)$', answer.read().decode(), re.M)
    return float(found.group(1))


def use(server, times=5):
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(times):
        kms.encrypt(KeyId=key, Plaintext=b"a secret plaintext", EncryptionContext={"k": 'a "quoted" ] \\ value'})
    return key


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "pki")


def opened(kind, tmp_path, authority):
    """A receiver, its URL, and more options."""
    if kind == "udp":
        receiver = Datagrams(socket.AF_INET, ("127.0.0.1", 0))
        return receiver, f"udp://127.0.0.1:{receiver.socket.getsockname()[1]}", {}
    if kind == "unix":
        path = str(tmp_path / "log.sock")
        return Datagrams(socket.AF_UNIX, path), f"unix:{path}", {}
    if kind == "tcp":
        receiver = Frames().open()
        return receiver, f"tcp://127.0.0.1:{receiver.port}", {}
    if kind == "otlp":
        receiver = Collector().open()
        return receiver, f"otlp:http://127.0.0.1:{receiver.port}", {}
    if kind == "file":
        directory = tmp_path / "shipped"
        directory.mkdir()
        return Lines(directory / "events.jsonl"), f"file:{directory / 'events.jsonl'}", {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = authority.issue("localhost")
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    client, client_key = authority.issue("kms")
    receiver = (Collector if kind == "otlps" else Frames)(context).open()
    more = {"stream_ca": str(authority.certificate), "stream_certificate": str(client), "stream_key": str(client_key)}
    return receiver, f"{'otlp:https' if kind == 'otlps' else 'tls'}://localhost:{receiver.port}", more


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls", "unix", "file", "otlp", "otlps"])
def test_every_event_is_told_once_while_nothing_fails(kind, make_server, tmp_path, authority):
    receiver, url, more = opened(kind, tmp_path, authority)
    server = make_server(config=config(url, **more)).start()
    use(server)
    told(server, receiver)
    assert metric(server, "events_total") >= len(written(server))
    wait_until(lambda: metric(server, "lag_seconds") == 0, "nothing waits", 10)
    assert metric(server, "failures_total") == 0
    # A restart goes on where it was, and tells what happened meanwhile.
    assert server.terminate() == 0
    server.start()
    use(server)
    told(server, receiver)
    assert server.terminate() == 0
    ids = receiver.ids()
    assert len(ids) == len(set(ids)), "an event was told twice"
    receiver.close()


@pytest.mark.parametrize("kind", ["tcp", "file", "otlp"])
def test_kills_lose_no_event(kind, make_server, tmp_path, authority):
    receiver, url, more = opened(kind, tmp_path, authority)
    server = make_server(config=config(url, **more))
    for _ in range(4):
        server.start()
        use(server, 20)
        server.kill()
    server.start()
    told(server, receiver)
    receiver.close()


@pytest.mark.parametrize("kind", ["tcp", "otlp"])
def test_a_receiver_that_is_away_holds_up_nothing_and_is_told_everything_when_it_is_back(kind, make_server, tmp_path, authority):
    receiver, url, more = opened(kind, tmp_path, authority)
    server = make_server(config=config(url, **more)).start()
    use(server)
    told(server, receiver)
    receiver.close()
    began = time.monotonic()
    use(server, 200)
    assert time.monotonic() - began < 10
    wait_until(lambda: metric(server, "failures_total") > 0, "the failure is told", 20)
    wait_until(lambda: metric(server, "lag_seconds") > 0, "the lag is told", 20)
    # Across a restart as well.
    assert server.terminate() == 0
    server.start()
    use(server)
    receiver.open()
    told(server, receiver)
    wait_until(lambda: metric(server, "lag_seconds") == 0, "nothing waits", 60)
    receiver.close()


def test_what_a_collector_refuses_is_sent_again_and_what_it_rejects_is_not(make_server, tmp_path, authority):
    receiver, url, more = opened("otlp", tmp_path, authority)
    receiver.answers = [503, 400, 401]
    server = make_server(config=config(url, **more)).start()
    use(server, 20)
    told(server, receiver)
    assert receiver.answers == [] and metric(server, "failures_total") == 3
    ids = receiver.ids()
    assert len(ids) == len(set(ids))
    receiver.rejects = 2
    before = metric(server, "failures_total")
    server.client().generate_random(NumberOfBytes=8)
    wait_until(lambda: metric(server, "rejected_total") == 2, "what was rejected is counted", 20)
    assert metric(server, "failures_total") == before
    assert "no room" in server.log_path.read_text()
    receiver.close()


def test_a_collector_gets_the_headers_that_it_asks_for_and_a_new_token_without_a_restart(make_server, tmp_path, authority):
    receiver, url, more = opened("otlps", tmp_path, authority)
    headers = tmp_path / "headers" / "siem"
    headers.parent.mkdir()
    headers.write_text("# of the vendor\nAuthorization: Basic Zmlyc3Q6c2VjcmV0\ndd-api-key: first-secret\n")
    headers.chmod(0o600)
    plain = {"stream_gzip": False}
    for number, options in enumerate(({}, plain)):
        text = config(url, **more, **options) + f'stream_headers = {{ siem = "{headers}" }}\n'
        server = make_server(f"data{number}", config=text).start()
        use(server)
        told(server, receiver)
        sent = receiver.headers[-1]
        assert sent["dd-api-key"] == "first-secret"
        assert sent["Authorization"] == "Basic Zmlyc3Q6c2VjcmV0"
        assert sent["Content-Encoding"] == (None if options else "gzip")
        assert sent["Content-Type"] == "application/json"
        headers.write_text("dd-api-key: second-secret\n")
        use(server)
        told(server, receiver)
        assert receiver.headers[-1]["dd-api-key"] == "second-secret" and "Authorization" not in receiver.headers[-1]
        # What cannot be read now is told later, and nothing of it is in the log.
        headers.write_text("a line with first-secret and no colon\n")
        use(server)
        wait_until(lambda: metric(server, "failures_total") > 0, "the failure is told", 20)
        headers.write_text("# of the vendor\nAuthorization: Basic Zmlyc3Q6c2VjcmV0\ndd-api-key: first-secret\n")
        told(server, receiver)
        assert server.terminate() == 0
        log = server.log_path.read_text()
        assert "line 1 is no header" in log and "secret" not in log and "Zmlyc3Q6" not in log
    receiver.close()


def test_a_receiver_that_is_slow_holds_up_nothing(make_server, tmp_path, authority):
    receiver, url, more = opened("tcp", tmp_path, authority)
    server = make_server(config=config(url, **more)).start()
    receiver.reading.clear()
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    began = time.monotonic()
    # More than what the system holds for a connection.
    for _ in range(600):
        kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"k": "v" * 8000, "l": "w" * 8000})
    assert time.monotonic() - began < 20
    wait_until(lambda: metric(server, "lag_seconds") > 0, "the lag is told", 20)
    receiver.reading.set()
    told(server, receiver)
    receiver.close()


def test_only_what_happens_from_the_first_start_on_is_told(make_server, tmp_path):
    server = make_server().start()
    use(server)
    assert server.terminate() == 0
    before = written(server)
    directory = tmp_path / "shipped"
    directory.mkdir()
    receiver = Lines(directory / "events.jsonl")
    server.config = config(f"file:{receiver.path}")
    server.start()
    use(server)
    wait_until(lambda: receiver.path.exists() and written(server) - before <= set(receiver.ids()), "what is new is told", 20)
    assert not before & set(receiver.ids())


def test_the_file_is_put_aside_and_never_grows_without_bound(make_server, tmp_path):
    server = make_server(config=config("file:events.jsonl", stream_file_mib=1, stream_files=1)).start()
    path = server.data_dir / "events.jsonl"
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(30):
        kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"k": "v" * 8000, "l": "w" * 80000})
    wait_until(lambda: (server.data_dir / "events.jsonl.1").exists() and path.exists(), "the file is put aside", 20)
    # One that somebody else has put aside is opened anew.
    path.rename(server.data_dir / "taken")
    kms.describe_key(KeyId=key)
    wait_until(lambda: path.exists() and "DescribeKey" in path.read_text(), "the file is opened anew", 20)
    assert not (server.data_dir / "events.jsonl.2").exists()
    for name in ("events.jsonl", "events.jsonl.1"):
        assert (server.data_dir / name).stat().st_size <= 1 << 20


def test_a_message_that_is_too_long_for_a_datagram_is_shortened(make_server, tmp_path, authority):
    receiver, url, more = opened("udp", tmp_path, authority)
    server = make_server(config=config(url, **more)).start()
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"k": "v" * 80000})
    told(server, receiver)
    (event,) = (event for event in receiver.events if event["eventName"] == "Encrypt")
    assert event["requestParameters"] is None and "requestParameters" in event["omitted"]
    receiver.close()


def test_with_an_enterprise_number_a_message_says_what_it_is_about(make_server, tmp_path):
    path = str(tmp_path / "log.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    server = make_server(config=config(f"unix:{path}", stream_enterprise=32473)).start()
    key = use(server, 1)
    messages = []
    listener.settimeout(20)
    while not any(b" Encrypt [" in message for message in messages):
        messages.append(listener.recv(1 << 17))
    said = messages[-1].decode()
    assert f'[event@32473 id="{read(messages[-1])["eventID"]}" source="kms.amazonaws.com" name="Encrypt" account="' in said
    assert f'resource="arn:aws:kms:us-east-1:000000000000:key/{key}"]' in said
    assert "a secret plaintext" not in said


def test_a_certificate_that_is_not_trusted_is_told_nothing(make_server, tmp_path, authority):
    receiver, url, more = opened("tls", tmp_path, authority)
    other = Authority(tmp_path / "other")
    server = make_server(config=config(url, **more | {"stream_ca": str(other.certificate)})).start()
    use(server)
    wait_until(lambda: metric(server, "failures_total") > 0, "the failure is told", 20)
    assert receiver.ids() == []
    receiver.close()


@pytest.mark.parametrize(
    "text",
    [
        'streams = { siem = "https://host" }',
        'streams = { siem = "otlp:host:4318" }',
        'streams = { "a b" = "udp://host" }',
        'streams = { siem = "tls://host" }\nstream_key = "/nowhere"',
        'streams = { siem = "file:x" }\nstream_files = 0',
        'streams = { siem = "file:x" }\nstream_headers = { siem = "/dev/null" }',
        'streams = { siem = "otlp:https://host" }\nstream_headers = { other = "/dev/null" }',
        'streams = { siem = "otlp:https://host" }\nstream_headers = { siem = "/nowhere" }',
        'streams = { siem = "otlp:http://host" }\nstream_headers = { siem = "/dev/null" }',
    ],
)
def test_a_stream_that_cannot_be_is_refused_at_the_start(make_server, text):
    code, said = make_server(config=f"[audit]\n{text}\n").fails()
    assert code == 2 and "[audit] stream" in said, said
