"""What goes over the wire: headers, bodies, signatures, and clients that misbehave."""

import contextlib
import http.client
import json
import re
import socket
import uuid

import httpx
import pytest

import raw
from server import b64

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MISMATCH = (
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details.",
)
HASHED = " (Hashed with SHA-256 and encoded with Base64) Authorization="


def check_common_headers(headers):
    assert UUID.fullmatch(headers["x-amzn-RequestId"])
    assert headers["Cache-Control"] == "no-cache, no-store, must-revalidate, private"
    assert headers["Pragma"] == "no-cache"
    assert headers["Expires"] == "0"
    assert headers["Date"]
    assert headers["x-amzn-ErrorType"] is None


# Answers


def test_an_answer_has_the_headers_and_the_form_of_the_service(server, shared_key):
    answer = raw.call(server, "Encrypt", {"KeyId": shared_key, "Plaintext": b64(b"x")})
    assert answer.status == 200
    check_common_headers(answer.headers)
    assert answer.headers["Content-Type"] == raw.CONTENT_TYPE
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert list(answer.json) == ["CiphertextBlob", "EncryptionAlgorithm", "KeyId"]
    assert answer.body == json.dumps(answer.json, separators=(",", ":"), ensure_ascii=False).encode()


def test_names_of_headers_have_the_case_that_clients_look_for(server):
    """libmongocrypt, which encrypts fields for MongoDB, knows `Content-Length` in this case alone."""
    answer = raw.call(server, "ListKeys")
    assert {"Content-Type", "Content-Length", "Cache-Control", "Expires", "Pragma", "Date"} <= set(answer.headers.keys())


def test_an_error_has_the_bytes_that_were_recorded(server):
    answer = raw.call(server, "Decrypt", {"CiphertextBlob": b64(b"x")})
    assert answer.status == 400
    check_common_headers(answer.headers)
    assert answer.headers["Content-Type"] == raw.CONTENT_TYPE
    assert answer.body == b'{"__type":"InvalidCiphertextException"}'
    assert answer.headers["Content-Length"] == "39"


def test_an_operation_without_output_answers_with_nothing(server, key):
    answer = raw.call(server, "DisableKey", {"KeyId": key})
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")
    check_common_headers(answer.headers)


def test_no_two_requests_share_an_id(server):
    ids = {raw.call(server, "ListKeys").headers["x-amzn-RequestId"] for _ in range(10)}
    assert len(ids) == 10


def test_times_are_seconds_with_a_fraction(server):
    created = raw.call(server, "CreateKey").json["KeyMetadata"]["CreationDate"]
    assert isinstance(created, (int, float)) and created > 1.7e9


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b"[]",
        b'"text"',
        b"1",
        b'{"KeyId": }',
        b'{"KeyId": "a"} trailing',
        b"\xff\xfe",
        b'{"KeyId": "\xff"}',
        b'{"KeyId": "\\ud800"}',
        b"[" * 100_000,
        b'{"KeyId":' * 1000,
    ],
)
def test_a_body_that_is_no_json_object_cannot_be_read(server, body):
    answer = raw.call(server, "DescribeKey", body)
    assert (answer.status, answer.error[0]) == (400, "SerializationException"), body[:40]


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("DescribeKey", {"KeyId": 1}),
        ("DescribeKey", {"KeyId": ["a"]}),
        ("DescribeKey", {"KeyId": {"a": "b"}}),
        ("DescribeKey", {"KeyId": True}),
        ("ListKeys", {"Limit": "ten"}),
        ("ListKeys", {"Limit": {}}),
        ("CreateKey", {"MultiRegion": "perhaps"}),
        ("CreateKey", {"Tags": {"a": "b"}}),
        ("CreateKey", {"Tags": ["a"]}),
        ("Encrypt", {"KeyId": "a", "Plaintext": "***"}),
        ("Encrypt", {"KeyId": "a", "Plaintext": 1}),
        ("Encrypt", {"KeyId": "a", "Plaintext": "eA==", "EncryptionContext": ["a"]}),
        ("Encrypt", {"KeyId": "a", "Plaintext": "eA==", "EncryptionContext": {"a": 1}}),
    ],
)
def test_a_member_of_another_type_cannot_be_read(server, operation, body):
    answer = raw.call(server, operation, body)
    assert (answer.status, answer.error[0]) == (400, "SerializationException")


def test_unknown_members_are_passed_over(server, shared_key):
    answer = raw.call(server, "DescribeKey", {"KeyId": shared_key, "FromTheFuture": {"a": [1, None]}})
    assert answer.status == 200


def test_a_member_twice_is_answered_and_never_breaks(server, shared_key):
    body = f'{{"KeyId":"{uuid.uuid4()}","KeyId":"{shared_key}"}}'.encode()
    assert raw.call(server, "DescribeKey", body).status in (200, 400)


def test_white_space_and_escapes_are_json(server, shared_key):
    escaped = "".join(f"\\u{ord(c):04x}" for c in shared_key)
    answer = raw.call(server, "DescribeKey", f' {{ "KeyId" :\n"{escaped}" }}\r\n'.encode())
    assert answer.json["KeyMetadata"]["KeyId"] == shared_key


def test_an_empty_body_stands_for_no_members(server):
    answer = raw.call(server, "ListKeys", b"")
    assert answer.status == 200 or answer.error[0] == "SerializationException"


def test_a_body_beyond_every_limit_is_refused(server):
    body = b'{"Description":"' + b"x" * (16 << 20) + b'"}'
    try:
        answer = raw.call(server, "CreateKey", body)
    except (BrokenPipeError, ConnectionResetError):
        pass  # Refused before it was read whole.
    else:
        assert answer.status in (400, 413)
    assert raw.call(server, "ListKeys").status == 200


def test_a_chunked_body_is_read(server, shared_key):
    body = json.dumps({"KeyId": shared_key}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    headers = raw.signed_headers(server, body, "DescribeKey")
    answer = raw.send(server, chunks, {**headers, "Transfer-Encoding": "chunked"})
    assert answer.json["KeyMetadata"]["KeyId"] == shared_key


# Requests


@pytest.mark.parametrize("target", ["TrentService.Nothing", "TrentService.", "Nothing", "OtherService.ListKeys", "", "trentservice.ListKeys"])
def test_an_operation_nobody_knows_is_unknown(server, target):
    answer = raw.call(server, "", headers={"X-Amz-Target": target})
    assert (answer.status, *answer.error) == (400, "UnknownOperationException", None)


def test_a_request_without_a_target_is_answered_as_a_client_error(server):
    headers = raw.signed_headers(server, b"{}", "ListKeys")
    del headers["X-Amz-Target"]
    assert raw.send(server, b"{}", headers).status in (400, 403, 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"])
def test_another_method_does_nothing(server, method):
    answer = raw.send(server, b"", raw.signed_headers(server, b"", "CreateKey"), method=method)
    assert 400 <= answer.status < 500


def test_headers_beyond_every_limit_are_refused(server):
    headers = raw.signed_headers(server, b"{}", "ListKeys")
    for extra in ({"X-Big": "x" * 500_000}, {f"X-{n}": "x" for n in range(2000)}):
        try:
            answer = raw.send(server, b"{}", {**headers, **extra})
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            continue
        assert answer.status in (400, 431)
    assert raw.call(server, "ListKeys").status == 200


def test_one_connection_serves_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for _ in range(20):
        connection.request("POST", "/", b"{}", raw.signed_headers(server, b"{}", "ListKeys"))
        response = connection.getresponse()
        assert response.status == 200 and json.loads(response.read())["Truncated"] in (True, False)
    connection.close()


def test_pipelined_requests_are_answered_in_order(server, shared_key):
    unknown = str(uuid.uuid4())
    sent = b""
    for key in (shared_key, unknown, shared_key):
        body = json.dumps({"KeyId": key}).encode()
        headers = raw.signed_headers(server, body, "DescribeKey")
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": len(body)}.items())
        sent += f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as stream:
        stream.sendall(sent)
        statuses, received = [], b""
        while len(statuses) < 3:
            chunk = stream.recv(65536)
            assert chunk, received
            received += chunk
            statuses = re.findall(rb"HTTP/1\.1 (\d+)", received)
    assert statuses == [b"200", b"400", b"200"]


def test_a_slow_client_does_not_hold_up_the_others(server):
    body = b"{}"
    headers = raw.signed_headers(server, body, "ListKeys")
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": len(body)}.items())
    text = f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body
    streams = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(50)]
    for at, stream in enumerate(streams):
        stream.sendall(text[: len(text) * at // len(streams)])  # Each stops somewhere else.
    assert raw.call(server, "ListKeys").status == 200
    stream = streams.pop()
    at = len(text) * 49 // 50
    for byte in range(at, len(text)):
        stream.sendall(text[byte : byte + 1])
    assert stream.recv(65536).startswith(b"HTTP/1.1 200")
    for stream in [*streams, stream]:
        stream.close()


def test_noise_on_the_port_breaks_nothing(server):
    for noise in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 100, b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"\r\n" * 100):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as stream:
            stream.sendall(noise)
            # The server may have hung up already.
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(65536):
                    pass
    assert raw.call(server, "ListKeys").status == 200


def test_http_2_without_tls_is_spoken(server, shared_key):
    body = json.dumps({"KeyId": shared_key}).encode()
    headers = raw.signed_headers(server, body, "DescribeKey")
    headers.pop("Host")  # It travels as :authority.
    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=30) as client:
        for _ in range(3):
            answer = client.post(server.url + "/", content=body, headers=headers)
            assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
            assert answer.json()["KeyMetadata"]["KeyId"] == shared_key


# Signatures. (name, change to the headers, code and message or what the message starts with)


def edited(name, old, new):
    def change(headers):
        assert old in headers[name], headers
        return {**headers, name: headers[name].replace(old, new, 1)}

    return change


def without(*names):
    return lambda headers: {name: value for name, value in headers.items() if name not in names}


def with_headers(**more):
    return lambda headers: {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}


AUTHORIZATION = "Authorization"
BAD_SIGNATURES = [
    ("no header", without(AUTHORIZATION), "MissingAuthenticationTokenException", "Missing Authentication Token"),
    (
        "another scheme",
        with_headers(Authorization="Bearer abc"),
        "IncompleteSignatureException",
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter." + HASHED,
    ),
    (
        "no signature",
        edited(AUTHORIZATION, "Signature=", "Sign="),
        "IncompleteSignatureException",
        "Authorization header requires 'Signature' parameter." + HASHED,
    ),
    (
        "no signed headers",
        edited(AUTHORIZATION, "SignedHeaders=", "Headers="),
        "IncompleteSignatureException",
        "Authorization header requires 'SignedHeaders' parameter." + HASHED,
    ),
    (
        "no date",
        without("X-Amz-Date"),
        "IncompleteSignatureException",
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header." + HASHED,
    ),
    (
        "a space in the credential",
        edited(AUTHORIZATION, "Credential=", "Credential= "),
        "IncompleteSignatureException",
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '",
    ),
    (
        "a short credential",
        edited(AUTHORIZATION, "/kms/", "/"),
        "IncompleteSignatureException",
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '",
    ),
    (
        "a date that is none",
        with_headers(X_Amz_Date="yesterday"),
        "IncompleteSignatureException",
        "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601",
    ),
    (
        "host not signed",
        edited(AUTHORIZATION, "content-type;host;", "content-type;"),
        "InvalidSignatureException",
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    (
        "another terminator",
        edited(AUTHORIZATION, "aws4_request", "aws5_request"),
        "InvalidSignatureException",
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ",
    ),
    ("another signature", edited(AUTHORIZATION, "Signature=", "Signature=0"), *MISMATCH),
    ("another region", edited(AUTHORIZATION, "us-east-1", "us-east-2"), *MISMATCH),
    ("another content type", with_headers(Content_Type="application/json"), *MISMATCH),
    ("another target", with_headers(X_Amz_Target="TrentService.CreateKey"), *MISMATCH),
    ("another host", with_headers(Host="localhost"), *MISMATCH),
    ("an unsigned header of AWS", with_headers(X_Amz_Late="1"), "InvalidSignatureException", "'x-amz-late' must be a 'SignedHeader'"),
]


@pytest.mark.parametrize(("name", "change", "code", "message"), BAD_SIGNATURES, ids=[row[0] for row in BAD_SIGNATURES])
def test_a_bad_signature_is_answered_in_the_words_of_aws(server, name, change, code, message):
    answer = raw.send(server, b"{}", change(raw.signed_headers(server, b"{}", "ListKeys")))
    assert (answer.status, answer.error[0]) == (400, code)
    assert answer.error[1].startswith(message), answer.error
    check_common_headers(answer.headers)


def test_the_body_is_signed(server):
    answer = raw.send(server, b'{"Limit":1}', raw.signed_headers(server, b"{}", "ListKeys"))
    assert (answer.status, answer.error) == (400, MISMATCH)


def test_another_secret_does_not_sign_for_the_key(server):
    access_key_id, secret = server.credentials
    answer = raw.call(server, "ListKeys", credentials=(access_key_id, secret[::-1]))
    assert (answer.status, answer.error) == (400, MISMATCH)
    assert secret.encode() not in answer.body


def test_an_unknown_access_key_is_not_recognised(server):
    answer = raw.call(server, "ListKeys", credentials=("AKIAIOSFODNN7EXAMPLE", "x" * 40))
    assert (answer.status, *answer.error) == (
        400,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def test_a_session_token_that_nobody_issued_is_not_recognised(server):
    answer = raw.call(server, "ListKeys", token="made up")
    assert answer.error[0] == "UnrecognizedClientException"


def test_a_signature_for_another_service_is_refused(server):
    answer = raw.call(server, "ListKeys", service="s3")
    assert (answer.status, *answer.error) == (
        400,
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'kms'. ",
    )


@pytest.mark.parametrize(
    ("skew", "text"),
    [
        (-400, r"Signature expired: {t} is now earlier than {t} \({t} - 5 min\.\)"),
        (400, r"Signature not yet current: {t} is still later than {t} \({t} \+ 5 min\.\)"),
    ],
)
def test_a_signature_has_its_time(server, skew, text):
    answer = raw.call(server, "ListKeys", skew=skew)
    assert (answer.status, answer.error[0]) == (400, "InvalidSignatureException")
    assert re.fullmatch(text.format(t=r"\d{8}T\d{6}Z"), answer.error[1]), answer.error
    assert raw.call(server, "ListKeys", skew=skew // 2).status == 200


def test_what_is_not_authenticated_is_not_told_what_exists(server):
    for operation in ("ListKeys", "Nothing"):
        headers = raw.signed_headers(server, b"{", operation)
        del headers["Authorization"]
        assert raw.send(server, b"{", headers).error[0] in ("MissingAuthenticationTokenException", "UnknownOperationException")


def test_a_payload_declared_unsigned_is_refused(server):
    headers = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    assert raw.call(server, "ListKeys", headers=headers).error == MISMATCH


def test_a_presigned_request_is_good_for_its_time(server):
    path, headers = raw.presigned_target(server, b"{}", "ListKeys")
    assert raw.send(server, b"{}", headers, path=path).status == 200
    assert raw.send(server, b'{"Limit":1}', headers, path=path).error == MISMATCH
    assert raw.send(server, b"{}", headers, path=path + "0").error == MISMATCH
    assert raw.send(server, b"{}", headers, path=path + "&Limit=1").error == MISMATCH
    path, headers = raw.presigned_target(server, b"{}", "ListKeys", skew=-120, expires=60)
    code, message = raw.send(server, b"{}", headers, path=path).error
    assert (code, message[:18]) == ("InvalidSignatureException", "Signature expired:")
    path, headers = raw.presigned_target(server, b"{}", "ListKeys", expires=604_801)
    assert raw.send(server, b"{}", headers, path=path).error[0] == "IncompleteSignatureException"
    path, headers = raw.presigned_target(server, b"{}", "ListKeys")
    answer = raw.send(server, b"{}", headers, path=path.replace("X-Amz-Signature", "Signature"))
    assert answer.error == (
        "IncompleteSignatureException",
        "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters.",
    )


# Health


def test_the_health_of_the_server_needs_no_signature(server):
    for path in ("/livez", "/readyz"):
        assert raw.send(server, b"", {"Host": server.host}, method="GET", path=path).status == 200
