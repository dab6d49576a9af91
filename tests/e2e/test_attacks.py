"""What somebody tries who means harm: requests that two readers would read in two ways, and identities that are mixed up.

Whatever is refused must have done nothing; the right to disable a key stands for all that an attacker would like to do.
"""

import base64
import concurrent.futures
import json
import socket
import time
import uuid

import boto3
import botocore
import botocore.config
import botocore.exceptions
import h2.config
import h2.connection
import h2.events
import pytest
import raw
from server import Server


@pytest.fixture
def victim(server):
    """A key that only whoever signs for it may disable."""
    return raw.call(server, "CreateKey").json["KeyMetadata"]["KeyId"]


def is_enabled(server, key):
    return raw.call(server, "DescribeKey", {"KeyId": key}).json["KeyMetadata"]["Enabled"]


def exchange(server, data):
    """All that is answered to these bytes until the server closes, or says no more."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def statuses(answer):
    return [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def head(headers, *, more=(), without=(), path="/"):
    """A request line and headers, as they are given."""
    lines = [f"POST {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name not in without]
    return ("\r\n".join([*lines, *more]) + "\r\n\r\n").encode("latin-1")


def signed(server, operation, body, **options):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return text, raw.signed_headers(server, text, operation, **options)


# Requests in requests


@pytest.mark.parametrize(
    "framing",
    [
        ["Content-Length: {len}", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: {len}"],
        ["Content-Length: {len}", "Content-Length: 0"],
        ["Content-Length: 0", "Content-Length: {len}"],
        ["Content-Length: +{len}"],
        ["Content-Length: {len}, 0"],
        ["Content-Length: -1"],
        ["Content-Length: 0x10"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding : chunked"],
        ["Content-Length: {len}", "Transfer-Encoding:\tchunked"],
    ],
)
def test_a_body_whose_end_is_unclear_hides_no_second_request(server, victim, framing):
    # What follows the first request's body is a whole request, which is not signed: whoever takes it for one answers it.
    text, headers = signed(server, "ListKeys", b"{}")
    hidden_text = json.dumps({"KeyId": victim}).encode()
    hidden = head(
        {"Host": server.host, "X-Amz-Target": "TrentService.DisableKey", "Content-Length": len(hidden_text)}
    )
    smuggled = b"0\r\n\r\n" + hidden + hidden_text
    lines = [line.format(len=len(text + smuggled)) for line in framing]
    answered = statuses(exchange(server, head(headers, more=lines) + text + smuggled))
    assert len(answered) <= 2 and 200 not in answered[1:], answered
    assert is_enabled(server, victim)


@pytest.mark.parametrize(
    "chunks",
    [
        b"2\r\n{}\r\n0\r\n\r\n",
        b"2;a=b\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"ffffffffffffffff2\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}XX0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nX-Amz-Target: TrentService.DisableKey\r\n\r\n",
    ],
)
def test_chunks_are_the_body_that_was_signed_or_no_body(server, chunks):
    _, headers = signed(server, "ListKeys", b"{}")
    answered = statuses(exchange(server, head(headers, more=["Transfer-Encoding: chunked", "Connection: close"]) + chunks))
    # What is read is the two signed bytes; what cannot be read is refused or the connection ends.
    assert answered in ([200], [400], []), answered


# Headers that are there twice, folded or hidden


def variants(server, victim):
    text, headers = signed(server, "ListKeys", {"KeyId": victim})
    target = "X-Amz-Target: TrentService.DisableKey"
    length = f"Content-Length: {len(text)}"
    yield "a second target", text, head(headers, more=[target, length])
    yield "the other target first", text, head(
        headers, without=["X-Amz-Target"], more=[target, "X-Amz-Target: TrentService.ListKeys", length]
    )
    yield "the target in one header", text, head(
        headers, without=["X-Amz-Target"], more=["X-Amz-Target: TrentService.ListKeys,TrentService.DisableKey", length]
    )
    yield "a folded target", text, head(
        headers, without=["X-Amz-Target"], more=["X-Amz-Target: TrentService.ListKeys", " TrentService.DisableKey", length]
    )
    yield "a name with an underscore", text, head(headers, more=["X_Amz_Target: TrentService.DisableKey", length])
    yield "a name with a space", text, head(headers, more=["X-Amz-Target : TrentService.DisableKey", length])
    yield "a null byte", text, head(headers, more=["X-Amz-Target: TrentService.DisableKey\0", length])
    yield "a bare line feed", text, head(headers, more=["X-Other: a\nX-Amz-Target: TrentService.DisableKey", length])
    yield "a second authorization", text, head(headers, more=["Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e", length])
    yield "a second host", text, head(headers, more=["Host: elsewhere.example", length])
    yield "a second date", text, head(headers, more=["X-Amz-Date: 20200101T000000Z", length])
    yield "a method in a header", text, head(headers, more=["X-HTTP-Method-Override: DELETE", target, length])
    yield "another path", text, head(headers, more=[length], path="//")
    yield "a path that leads back", text, head(headers, more=[length], path="/x/..")
    yield "an encoded path", text, head(headers, more=[length], path="/%2e")
    yield "a query", text, head(headers, more=[length], path="/?X-Amz-Target=TrentService.DisableKey")
    yield "an action", text, head(headers, more=[length], path="/?Action=DisableKey&Version=2014-11-01")
    yield "an absolute target", text, head(headers, more=[length], path="http://elsewhere.example/")


def test_what_was_not_signed_changes_nothing(server, victim):
    for name, text, sent in variants(server, victim):
        answer = exchange(server, sent + text)
        assert len(statuses(answer)) <= 1, name
        assert is_enabled(server, victim), name


def test_a_signature_for_one_operation_is_none_for_another(server, victim):
    text, headers = signed(server, "DescribeKey", {"KeyId": victim})
    for target in ("TrentService.DisableKey", "trentservice.DisableKey", "TrentService.disablekey", "TrentService.DisableKey "):
        answer = raw.send(server, text, {**headers, "X-Amz-Target": target})
        assert answer.status == 400, target
    assert is_enabled(server, victim)


@pytest.mark.parametrize("encoding", ["gzip", "aws-chunked", "identity, gzip", "br"])
def test_a_body_that_says_it_is_encoded_is_read_as_it_stands(server, victim, encoding):
    text = json.dumps({"KeyId": victim}).encode()
    answer = raw.call(server, "DescribeKey", text, headers={"Content-Encoding": encoding})
    assert answer.status in (200, 400)
    streaming = {"X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "Content-Encoding": "aws-chunked"}
    assert raw.call(server, "DescribeKey", text, headers=streaming).status == 400


def test_a_presigned_request_is_not_good_for_another_body_method_or_operation(server, victim):
    text = json.dumps({"KeyId": victim}).encode()
    path, headers = raw.presigned_target(server, text, "DescribeKey")
    assert raw.send(server, text, headers, path=path).status == 200
    for change in ({"X-Amz-Target": "TrentService.DisableKey"}, {"X-Amz-Date": "20200101T000000Z"}):
        assert raw.send(server, text, {**headers, **change}, path=path).status == 400, change
    assert raw.send(server, text, headers, path=path, method="GET").status in (400, 404, 405)
    assert raw.send(server, text, headers, path=path + "&X-Amz-Expires=604800").status == 400
    assert raw.send(server, text, headers, path=path.replace("/?", "//?")).status == 400
    both = {**raw.signed_headers(server, text, "DisableKey"), "X-Amz-Target": "TrentService.DisableKey"}
    assert raw.send(server, text, both, path=path).status == 400
    assert is_enabled(server, victim)


# HTTP/2


def h2_exchange(server, fields, body):
    """The status and body of one stream with exactly these header fields; the status is None where the stream was refused."""
    # The client checks nothing: it is the server that must.
    config = h2.config.H2Configuration(client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False)
    client = h2.connection.H2Connection(config)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        client.initiate_connection()
        client.send_headers(1, fields)
        client.send_data(1, body, end_stream=True)
        connection.sendall(client.data_to_send())
        status, content = None, b""
        while data := connection.recv(65536):
            for event in client.receive_data(data):
                match event:
                    case h2.events.ResponseReceived():
                        status = int(dict(event.headers)[b":status"])
                    case h2.events.DataReceived():
                        content += event.data
                    case h2.events.StreamEnded() | h2.events.StreamReset() | h2.events.ConnectionTerminated():
                        return status, content
            connection.sendall(client.data_to_send())
    return status, content


def h2_fields(server, headers, *, more=(), **pseudo):
    own = {":method": "POST", ":scheme": "http", ":path": "/", ":authority": server.host, **pseudo}
    plain = [(name.lower(), value) for name, value in headers.items() if name != "Host"]
    return [(name, value) for name, value in own.items() if value is not None] + plain + list(more)


def test_http_2_cannot_say_what_http_1_may_not(server, victim):
    text, headers = signed(server, "DescribeKey", {"KeyId": victim})
    assert h2_exchange(server, h2_fields(server, headers), text)[0] == 200
    target = ("x-amz-target", "TrentService.DisableKey")
    for name, fields in {
        "a second target": h2_fields(server, headers, more=[target]),
        "a line feed in a value": h2_fields(server, headers, more=[("x-other", "a\r\nx-amz-target: TrentService.DisableKey")]),
        "an upper case name": h2_fields(server, headers, more=[("X-Amz-Target", "TrentService.DisableKey")]),
        "a header of connections": h2_fields(server, headers, more=[("transfer-encoding", "chunked"), target]),
        "another authority": h2_fields(server, headers, **{":authority": "elsewhere.example"}),
        "another host beside the authority": h2_fields(server, headers, more=[("host", "elsewhere.example")]),
        "no method": h2_fields(server, headers, **{":method": None}),
        "a pseudo-header behind": h2_fields(server, headers, more=[(":path", "/")]),
        "an unknown pseudo-header": h2_fields(server, headers, more=[(":target", "DisableKey")]),
        "another length": h2_fields(server, headers, more=[("content-length", "1")]),
        "another path": h2_fields(server, headers, **{":path": "/?Action=DisableKey"}),
    }.items():
        status, _ = h2_exchange(server, fields, text)
        assert status is None or status >= 400, name
        assert is_enabled(server, victim), name
    assert raw.call(server, "ListKeys").status == 200


# JSON


@pytest.mark.parametrize(
    "text",
    [
        '{{"KeyId":"{key}","KeyId":"{other}"}}',
        '{{"KeyId":"{other}","KeyId":"{key}"}}',
        '{{"keyid":"{key}","KeyId":"{other}"}}',
        '{{"KeyId":"{key}\\u0000","KeyId":"{other}"}}',
        '{{"Key\\u0049d":"{key}","KeyId":"{other}"}}',
    ],
)
def test_a_member_that_is_there_twice_is_one_key_to_all_who_look(server, iam_user, victim, text):
    # The gate and the operation must not see two different keys: the user may disable `other` alone.
    other, credentials = iam_user
    body = text.format(key=victim, other=other).encode()
    raw.call(server, "DisableKey", body, credentials=credentials)
    assert is_enabled(server, victim)


@pytest.mark.parametrize(
    "value",
    ["1e999", "-0", "1.5", "99999999999999999999999", "NaN", "Infinity", "0x10", "1e2", "[1]", '"7"', "true", "\u0661"],
)
def test_a_number_that_is_none_is_refused(server, victim, value):
    body = f'{{"KeyId":"{victim}","PendingWindowInDays":{value}}}'.encode()
    answer = raw.call(server, "ScheduleKeyDeletion", body)
    assert (answer.status, answer.error[0]) in (
        (400, "SerializationException"),
        (400, "ValidationException"),
    )
    assert is_enabled(server, victim)


@pytest.mark.parametrize(
    "name", ["\\ud800", "\\udc00\\ud800", "\\u0000", "\\u202e", "\\ufeff", "{deep}", "a\\u0000b"]
)
def test_strange_text_in_an_encryption_context_is_kept_or_refused(server, victim, name):
    name = name.replace("{deep}", "x" * 5000)
    sealed = raw.call(
        server, "Encrypt", f'{{"KeyId":"{victim}","Plaintext":"AAAA","EncryptionContext":{{"{name}":"v"}}}}'.encode()
    )
    if sealed.status == 400:
        return
    blob = sealed.json["CiphertextBlob"]
    body = f'{{"CiphertextBlob":"{blob}","EncryptionContext":{{"{name}":"v"}}}}'.encode()
    assert raw.call(server, "Decrypt", body).json["Plaintext"] == "AAAA"
    body = f'{{"CiphertextBlob":"{blob}","EncryptionContext":{{"a":"v"}}}}'.encode()
    assert raw.call(server, "Decrypt", body).error[0] == "InvalidCiphertextException"


# Who is who


def make_user(server, name, action, resource):
    iam = server.client(service="iam")
    iam.create_user(UserName=name)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


@pytest.fixture(scope="module")
def iam_user(server):
    """A key, and the access key of a user who may disable it and nothing else."""
    key = raw.call(server, "CreateKey").json["KeyMetadata"]["Arn"]
    credentials = make_user(server, f"attacker-{uuid.uuid4().hex[:8]}", "kms:DisableKey", key)
    return key.split("/")[1], credentials


def test_a_variable_that_stands_for_a_star_is_a_star_and_no_pattern(server):
    # A grantor that writes who may into a pattern must not be told `*` by whoever fills it in.
    key = raw.call(server, "CreateKey").json["KeyMetadata"]["Arn"]
    account = key.split(":")[4]
    iam = server.client(service="iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]}
    name = f"template-{uuid.uuid4().hex[:8]}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*",
                "Condition": {"StringLike": {"kms:EncryptionContext:owner": "team-${kms:EncryptionContext:team}"}},
            }
        ],
    }  # fmt: skip
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    user = make_user(server, f"assumes-{uuid.uuid4().hex[:8]}", "sts:AssumeRole", "*")
    session = server.client(service="sts", credentials=user).assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/{name}", RoleSessionName="session"
    )["Credentials"]
    as_session = {"credentials": (session["AccessKeyId"], session["SecretAccessKey"]), "token": session["SessionToken"]}

    def encrypt(team, owner):
        asked = {"KeyId": key, "Plaintext": "AAAA", "EncryptionContext": {"team": team, "owner": owner}}
        return raw.call(server, "Encrypt", asked, **as_session).status

    assert encrypt("a", "team-a") == 200
    for team, owner in [("*", "team-b"), ("?", "team-b"), ("${*}", "team-b"), ("a", "team-b"), ("*", "team-")]:
        assert encrypt(team, owner) == 400, (team, owner)
    assert encrypt("*", "team-*") == 200


def test_an_access_key_that_is_deleted_before_the_body_has_come_is_of_no_use(server):
    # Whoever holds many requests open, each but for its last byte, would keep what he may for as long as a body may take.
    key = raw.call(server, "CreateKey").json["KeyMetadata"]["Arn"]
    name = f"slow-{uuid.uuid4().hex[:8]}"
    credentials = make_user(server, name, "kms:DisableKey", key)
    for is_deleted in False, True:
        body, headers = signed(server, "DisableKey", {"KeyId": key}, credentials=credentials)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(head({**headers, "Content-Length": str(len(body)), "Connection": "close"}, more=["Expect: 100-continue"]))
            # The access key was looked up: the body is wanted.
            assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
            if is_deleted:
                server.client(service="iam").delete_access_key(UserName=name, AccessKeyId=credentials[0])
                # What is slow here is the client.
                time.sleep(0.05)
            connection.sendall(body)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        assert statuses(answer) == [400 if is_deleted else 200], answer
        assert (b"UnrecognizedClientException" in answer) is is_deleted
        assert is_enabled(server, key) is is_deleted
        raw.call(server, "EnableKey", {"KeyId": key})


def test_many_at_once_are_each_taken_for_themselves(server):
    # Whoever reads identities in a race takes one caller for another.
    users = []
    for _ in range(4):
        key = raw.call(server, "CreateKey").json["KeyMetadata"]["Arn"]
        users.append((key, make_user(server, f"many-{uuid.uuid4().hex[:8]}", "kms:Encrypt", key)))

    def ask(number):
        (key, _), (_, credentials) = users[number % 4], users[number // 4 % 4]
        answer = raw.call(server, "Encrypt", {"KeyId": key, "Plaintext": "AAAA"}, credentials=credentials)
        return (number % 4 == number // 4 % 4), answer.status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for own, status in pool.map(ask, range(320)):
            assert status == (200 if own else 400)


def test_a_token_of_one_session_is_of_no_use_to_another(server):
    sts = server.client(service="sts")
    one, other = (sts.get_federation_token(Name=name, DurationSeconds=900)["Credentials"] for name in ("one", "other"))
    for key, token in [(one, other), (other, one)]:
        answer = raw.call(
            server, "ListKeys", credentials=(key["AccessKeyId"], key["SecretAccessKey"]), token=token["SessionToken"]
        )
        assert answer.error[0] in ("UnrecognizedClientException", "InvalidClientTokenId"), answer.error
    bent = one["SessionToken"][:-8] + one["SessionToken"][-8:].swapcase()
    answer = raw.call(server, "ListKeys", credentials=(one["AccessKeyId"], one["SecretAccessKey"]), token=bent)
    assert answer.status == 400
    answer = raw.call(server, "ListKeys", credentials=(one["AccessKeyId"], one["SecretAccessKey"]))
    assert answer.status == 400, "and of none without its token"


def test_two_installations_have_nothing_in_common(server, tmp_path):
    # No default secret, salt or key: what one has issued is noise to the other.
    other = Server(tmp_path / "data").start()
    try:
        assert other.credentials != server.credentials
        assert raw.call(other, "ListKeys", credentials=server.credentials).error[0] == "UnrecognizedClientException"
        key = raw.call(server, "CreateKey").json["KeyMetadata"]["KeyId"]
        blob = raw.call(server, "Encrypt", {"KeyId": key, "Plaintext": "AAAA"}).json["CiphertextBlob"]
        assert raw.call(other, "Decrypt", {"CiphertextBlob": blob}).status == 400
        page = raw.call(server, "ListKeys", {"Limit": 1}).json
        if marker := page.get("NextMarker"):
            assert raw.call(other, "ListKeys", {"Limit": 1, "Marker": marker}).error[0] == "InvalidMarkerException"
        token = server.client(service="sts").get_session_token()["Credentials"]
        answer = raw.call(
            other, "ListKeys", credentials=(token["AccessKeyId"], token["SecretAccessKey"]), token=token["SessionToken"]
        )
        assert answer.status == 400
    finally:
        other.kill()


def test_material_comes_into_a_key_for_those_alone_who_may(server):
    # An import that finds a key by what the client says of it must ask whose it is.
    made = raw.call(server, "CreateKey", {"Origin": "EXTERNAL"}).json["KeyMetadata"]
    own = raw.call(server, "CreateKey", {"Origin": "EXTERNAL"}).json["KeyMetadata"]
    user = make_user(
        server,
        f"imports-{uuid.uuid4().hex[:8]}",
        ["kms:GetParametersForImport", "kms:ImportKeyMaterial", "kms:DeleteImportedKeyMaterial"],
        own["Arn"],
    )
    asked = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    parameters = raw.call(server, "GetParametersForImport", {"KeyId": own["Arn"], **asked}, credentials=user)
    assert parameters.status == 200
    refused = raw.call(server, "GetParametersForImport", {"KeyId": made["Arn"], **asked}, credentials=user)
    assert refused.error[0] == "AccessDeniedException"
    attempt = {
        "KeyId": made["Arn"], "ImportToken": parameters.json["ImportToken"], "EncryptedKeyMaterial": "AAAA",
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }  # fmt: skip
    assert raw.call(server, "ImportKeyMaterial", attempt, credentials=user).error[0] == "AccessDeniedException"
    assert raw.call(server, "ImportKeyMaterial", attempt).error[0] == "InvalidImportTokenException"
    refused = raw.call(server, "DeleteImportedKeyMaterial", {"KeyId": made["Arn"]}, credentials=user)
    assert refused.error[0] == "AccessDeniedException"


def test_an_issuer_that_cannot_be_asked_lets_nobody_in(server):
    # Port 443 of this machine answers nobody.
    issuer = "https://127.0.0.1/nobody"
    iam = server.client(service="iam")
    provider = iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["app"], ThumbprintList=["0" * 40])
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider["OpenIDConnectProviderArn"]},
                "Action": "sts:AssumeRoleWithWebIdentity",
            }
        ],
    }
    name = f"web-{uuid.uuid4().hex[:8]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    def part(value):
        return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"iss": issuer, "aud": "app", "sub": "alice", "iat": 1_700_000_000, "exp": 4_000_000_000}
    unsigned = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
    sts = boto3.client("sts", endpoint_url=server.url, region_name="us-east-1", config=unsigned)
    for algorithm, signature in [("RS256", b"x" * 256), ("none", b""), ("HS256", b"x" * 32)]:
        token = ".".join([part({"alg": algorithm, "typ": "JWT", "kid": "a"}), part(claims), part(signature)])
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="web", WebIdentityToken=token)
        assert refused.value.response["Error"]["Code"] in ("IDPCommunicationError", "InvalidIdentityToken"), algorithm
