"""What a client may not take: time, connections, and bytes."""

import concurrent.futures
import contextlib
import http.client
import json
import resource
import socket
import time
import uuid

import certificate
import httpx
import process
import pytest
from botocore.exceptions import ClientError
from raw import call, send, signed_headers
from server import Server, wait_until
from test_metrics import scrape

SHORT = "[limits]\nhead_seconds = 1\nbody_seconds = 1\nconnections = 4\nhead_kib = 16\nheaders = 20\nbody_kib = 8\n"


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server that is soon out of patience."""
    running = Server(tmp_path_factory.mktemp("limits") / "data", config=SHORT)
    yield running.start()
    running.kill()


def connect(server, timeout=10):
    return socket.create_connection(("127.0.0.1", server.port), timeout=timeout)


def read_to_end(connection):
    """(all that comes until the other end closes, seconds that it took)."""
    began, answer = time.monotonic(), b""
    try:
        while chunk := connection.recv(65536):
            answer += chunk
    except ConnectionResetError:
        pass
    return answer, time.monotonic() - began


def head(server, body, length, **more):
    headers = {**signed_headers(server, body, "CreateKey"), "Content-Length": str(length), **more}
    return ("POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode()


def test_a_head_that_does_not_come_ends_the_connection(strict):
    for sent in (b"", b"POST / HTTP/1.1\r\nHost: ", b"POST / HTTP/1.1\r\n"):
        with connect(strict) as connection:
            connection.sendall(sent)
            answer, took = read_to_end(connection)
            assert 0.5 < took < 5, (sent, took)
            assert answer == b"" or answer.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400")), answer


def test_a_head_that_comes_by_drops_ends_the_connection(strict):
    with connect(strict, timeout=0.05) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nDrops: ")
        assert drip(connection) < 5


@pytest.mark.parametrize("preface", [b"P", b"PRI * HTTP/2.0\r\n\r"], ids=["one byte", "half of HTTP/2"])
def test_a_version_that_is_not_told_ends_the_connection(strict, preface):
    with connect(strict, timeout=5) as connection:
        connection.sendall(preface)
        answer, took = read_to_end(connection)
        assert (answer, 0.5 < took < 5) == (b"", True), (answer, took)


def drip(connection):
    """Sends byte after byte until the connection ends: the seconds that it took."""
    began = time.monotonic()
    while time.monotonic() - began < 8:
        try:
            connection.sendall(b"x")
            if connection.recv(1000) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


def test_a_body_that_does_not_come_is_answered_so(strict):
    body = b"{}"
    with connect(strict) as connection:
        connection.sendall(head(strict, body, 100) + body)
        response = http.client.HTTPResponse(connection)
        began = time.monotonic()
        response.begin()
        assert 0.5 < time.monotonic() - began < 5
        assert response.status in (400, 408)
        assert json.loads(response.read())["__type"] == "RequestTimeoutException"


def test_nobody_waits_for_the_body_of_an_unknown_access_key(strict):
    body = b"{}"
    headers = signed_headers(strict, body, "CreateKey", credentials=("AKIAIOSFODNN7EXAMPLE", "x" * 40))
    sent = "POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with connect(strict) as connection:
        connection.sendall(f"{sent}Content-Length: 100\r\n\r\n".encode())
        began = time.monotonic()
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert time.monotonic() - began < 0.5
        assert json.loads(response.read())["__type"] == "UnrecognizedClientException"


def test_a_refused_body_can_be_sent_to_its_end(strict):
    """The connection goes on, as far as the body is one that could have been read."""
    body = b"{" + b" " * 8000 + b"}"
    headers = signed_headers(strict, body, "CreateKey", credentials=("AKIAIOSFODNN7EXAMPLE", "x" * 40))
    connection = http.client.HTTPConnection("127.0.0.1", strict.port, timeout=10)
    connection.connect()
    held = connection.sock.getsockname()
    for _ in range(3):
        connection.request("POST", "/", body, headers)
        assert json.loads(connection.getresponse().read())["__type"] == "UnrecognizedClientException"
        assert connection.sock.getsockname() == held
    connection.close()


def test_a_list_of_signed_headers_that_repeats_one_is_refused(strict):
    headers = signed_headers(strict, b"{}", "CreateKey")
    authorization = headers["Authorization"].replace("SignedHeaders=", "SignedHeaders=" + "a;" * 3000)
    answer = send(strict, b"{}", {**headers, "A": "x" * 4000, "Authorization": authorization})
    assert answer.error[0] == "IncompleteSignatureException"


def test_a_connection_without_requests_is_closed(strict):
    with connect(strict) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer, took = read_to_end(connection)
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"ok\n")
        assert 0.5 < took < 5


def test_a_connection_with_requests_outlives_the_pause(strict):
    """The time runs anew with each request."""
    connection = http.client.HTTPConnection("127.0.0.1", strict.port, timeout=10)
    connection.connect()
    held = connection.sock.getsockname()
    began = time.monotonic()
    while time.monotonic() - began < 1.5:
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok\n"
        assert connection.sock.getsockname() == held
    connection.close()


def test_one_connection_too_many_waits_for_a_place(strict):
    begun = [connect(strict) for _ in range(4)]
    try:
        for connection in begun:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        with connect(strict) as fifth:
            fifth.settimeout(0.3)
            fifth.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with pytest.raises(TimeoutError):
                fifth.recv(1000)
            begun.pop().close()
            fifth.settimeout(10)
            assert fifth.recv(1000).startswith(b"HTTP/1.1 200")
    finally:
        for connection in begun:
            connection.close()


@contextlib.contextmanager
def full(server, places=4):
    """Takes every place, with connections that go on to be served."""
    begun = []
    try:
        for _ in range(places):
            begun.append(connect(server))
            begun[-1].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert begun[-1].recv(1000).startswith(b"HTTP/1.1 200")
        yield begun
    finally:
        for connection in begun:
            connection.close()


@pytest.fixture
def crowded(make_server):
    """A server of four places; connections without a request keep theirs."""
    return make_server(config="[limits]\nconnections = 4\n").start()


def refused(server):
    return scrape(server)["keyreeve_connections_refused_total", frozenset()]


def test_one_connection_too_many_is_told_so_after_a_moment(crowded):
    body = json.dumps({"Limit": 1}).encode()
    with full(crowded) as begun:
        began = time.monotonic()
        answer = send(crowded, body, signed_headers(crowded, body, "ListKeys"))
        assert 0.1 < time.monotonic() - began < 3
        assert (answer.status, answer.error[0]) == (503, "ServiceUnavailableException")
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
        assert (answer.headers["Retry-After"], answer.headers["Connection"]) == ("1", "close")
        assert uuid.UUID(answer.headers["x-amzn-requestid"]).version == 4
        # The process lives all the same; it is not ready for more.
        assert httpx.get(f"{crowded.url}/livez").text == "ok\n"
        assert httpx.get(f"{crowded.url}/readyz").status_code == 503
        # One that says nothing, and one whose request is long.
        with connect(crowded) as silent:
            assert read_to_end(silent)[0].startswith(b"HTTP/1.1 503 ")
        with connect(crowded) as long:
            long.sendall(head(crowded, b"x", 200_000) + b"x" * 200_000)
            assert read_to_end(long)[0].endswith(b'"}')
        # Those that have a place are served.
        begun[0].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun[0].recv(1000).startswith(b"HTTP/1.1 200")
    wait_until(lambda: call(crowded, "ListKeys").status == 200, "there are places again")
    # The first to ask again may have come before the places were given back.
    assert refused(crowded) >= 5


def test_sdks_understand_that_there_is_no_place_and_come_again(crowded):
    clients = {service: crowded.client(service=service) for service in ("kms", "sts")}
    calls = {"kms": lambda client: client.list_keys(), "sts": lambda client: client.get_caller_identity()}
    codes = {"kms": "ServiceUnavailableException", "sts": "ServiceUnavailable"}
    with full(crowded) as begun:
        for service, client in clients.items():
            with pytest.raises(ClientError) as told:
                calls[service](client)
            error = told.value.response
            assert error["Error"]["Code"] == codes[service]
            assert error["ResponseMetadata"]["HTTPStatusCode"] == 503
        # One that tries again by itself is served once there is a place.
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(crowded.client(attempts=10).list_keys)
            before = time.monotonic()
            while time.monotonic() - before < 1.5:
                assert not answer.done()
            begun.pop().close()
            assert answer.result(30)["Keys"] == []


def test_with_tls_one_connection_too_many_is_closed(make_server, tmp_path):
    certificate_path, key_path, _ = certificate.write(tmp_path)
    config = certificate.section(certificate_path, key_path) + "[limits]\nconnections = 4\n"
    server = make_server(config=config, ca=certificate_path).start()
    begun = [connect(server) for _ in range(4)]
    with connect(server) as fifth:
        answer, took = read_to_end(fifth)
        assert (answer, took < 3) == (b"", True)
    for connection in begun:
        connection.close()


def test_a_storm_of_connections_beyond_the_limit_costs_those_within_it_nothing(crowded):
    pid = crowded.process.pid
    with full(crowded) as begun, contextlib.ExitStack() as storm:
        before = len(process.descriptors(pid))

        def come(_):
            with contextlib.suppress(OSError), connect(crowded, timeout=5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return read_to_end(connection)[0].startswith(b"HTTP/1.1 503 ")
            return False

        # Those that say nothing, and take the places of refusals for as long as they may.
        for _ in range(400):
            silent = storm.enter_context(socket.socket())
            silent.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                silent.connect(("127.0.0.1", crowded.port))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            coming = [pool.submit(come, number) for number in range(1000)]
            slowest = 0
            while not all(one.done() for one in coming):
                began = time.monotonic()
                begun[0].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert begun[0].recv(1000).startswith(b"HTTP/1.1 200")
                slowest = max(slowest, time.monotonic() - began)
                assert len(process.descriptors(pid)) <= before + 256 + 4
        told = sum(one.result() for one in coming)
        assert (told > 900, slowest < 1) == (True, True), (told, slowest)
    wait_until(lambda: call(crowded, "ListKeys").status == 200, "there are places again")
    wait_until(lambda: len(process.descriptors(pid)) <= before, "all are given back")


def test_headers_are_counted_on_http2_too(strict):
    with httpx.Client(http1=False, http2=True, trust_env=False) as client:
        # Ours beside the two that the client adds by itself, and the four that begin with a colon and are none.
        for number, status in ((10, 200), (60, 431)):
            answer = client.get(f"{strict.url}/livez", headers={f"X-{one}": "x" for one in range(number)})
            assert (answer.http_version, answer.status_code) == ("HTTP/2", status)


@pytest.mark.parametrize(
    "headers",
    [{"X-Long": "x" * 40_000}, {f"X-{number}": "x" for number in range(60)}, {f"X-{number}": "x" * 500 for number in range(60)}],
    ids=["one long header", "many headers", "many long headers"],
)
def test_a_head_that_is_too_large_is_answered_with_431(strict, headers):
    with connect(strict) as connection:
        connection.sendall(head(strict, b"{}", 2, **headers) + b"{}")
        assert read_to_end(connection)[0].startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_body_that_is_too_long_is_refused(strict, is_chunked):
    body = json.dumps({"Description": "x" * 9000}).encode()
    if is_chunked:
        headers = {**signed_headers(strict, body, "CreateKey"), "Transfer-Encoding": "chunked"}
        text = "POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        request = text.encode() + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    else:
        request = head(strict, body, len(body)) + body
    with connect(strict) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 413
        told = json.loads(response.read())
    assert told == {"__type": "RequestEntityTooLargeException", "message": "Request body is longer than 8192 bytes."}


def test_a_body_of_the_greatest_length_is_taken(strict):
    body = b'{"Description":"longest"' + b" " * (8192 - 25) + b"}"
    assert len(body) == 8192
    assert call(strict, "CreateKey", body).status == 200


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_little_is_read_of_a_form_that_nobody_signed(server):
    longest = send(server, b"Version=2011-06-15&x=" + b"x" * (65536 - 21), {"Host": server.host, **FORM})
    assert (longest.status, b"MissingAuthenticationToken" in longest.body) == (403, True)
    longer = send(server, b"Version=2011-06-15&x=" + b"x" * (65536 - 20), {"Host": server.host, **FORM})
    assert (longer.status, b"longer than 65536 bytes" in longer.body) == (413, True), longer.body


def test_nobody_waits_for_a_form_with_half_a_signature(strict):
    text = f"POST / HTTP/1.1\r\nHost: {strict.host}\r\nAuthorization: AWS4-HMAC-SHA256 Credential\r\n"
    text += f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: 100\r\n\r\n"
    with connect(strict) as connection:
        before = time.monotonic()
        connection.sendall(text.encode())
        assert b"IncompleteSignature" in connection.recv(65536)
        assert time.monotonic() - before < 0.8


def test_the_server_goes_on_after_all_of_that(strict):
    assert call(strict, "ListKeys").status == 200


@pytest.mark.parametrize("manner", ["silent", "half a request", "answered", "reset"])
def test_a_thousand_dropped_connections_leave_nothing_behind(fresh_server, manner):
    server = fresh_server.start()
    call(server, "ListKeys")
    pid = server.process.pid
    before = len(process.descriptors(pid))

    def drop(_):
        connection = connect(server)
        if manner == "half a request":
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        elif manner == "answered":
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        elif manner == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(drop, range(1000)))
    wait_until(lambda: len(process.descriptors(pid)) <= before, "the descriptors are given back")
    assert call(server, "ListKeys").status == 200


def test_the_limit_of_descriptors_is_raised_to_what_the_system_allows(fresh_server):
    pid = fresh_server.start().process.pid
    soft, hard = process.limit(pid, "Max open files")
    assert soft == hard == str(resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def test_an_account_that_calls_too_fast_in_a_region_is_throttled_and_other_regions_are_not(make_server):
    config = '[quotas]\nrequests = "aws"\nrequest_rates = { ListKeys = 0.001 }\n'
    server = make_server(config=config).start()
    kms = server.client()
    kms.list_keys()
    with pytest.raises(ClientError) as refused:
        kms.list_keys()
    error = refused.value.response
    assert error["Error"]["Code"] == "ThrottlingException"
    assert error["Error"]["Message"] == (
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
    )
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert server.client("eu-west-1").list_keys()["Keys"] == []
    # Five at once, then one in 200 milliseconds; an SDK tries again by itself.
    patient = server.client(attempts=10)
    assert len({patient.create_key()["KeyMetadata"]["KeyId"] for _ in range(7)}) == 7
