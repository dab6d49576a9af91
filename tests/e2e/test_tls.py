"""TLS: versions, clients, key agreement, and a certificate that changes while the service runs."""

import json
import shutil
import socket
import ssl
import subprocess

import audit
import certificate
import httpx
import pytest
from raw import signed_headers
from server import aws_command, wait_until

BODY = b"{}"


@pytest.fixture
def tls_server(make_server, tmp_path):
    """A server with a certificate, started."""
    certificate_path, key_path, der = certificate.write(tmp_path)
    server = make_server(config=certificate.section(certificate_path, key_path), ca=certificate_path).start()
    server.certificate, server.key, server.der = certificate_path, key_path, der
    return server


def context(server, *, lowest=None, highest=None):
    made = ssl.create_default_context(cafile=server.ca)
    made.set_ciphers("DEFAULT@SECLEVEL=0")
    if lowest:
        made.minimum_version = lowest
    if highest:
        made.maximum_version = highest
    return made


def handshake(server, made):
    """(version, cipher suite, certificate) of a new connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        with made.wrap_socket(plain, server_hostname="localhost") as connection:
            return connection.version(), connection.cipher()[0], connection.getpeercert(binary_form=True)


def events(server):
    return audit.completed(server.data_dir / "audit")


@pytest.mark.parametrize(
    ("version", "name"), [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")], ids=str
)
def test_tls_1_2_and_1_3_are_spoken(tls_server, version, name):
    made = context(tls_server, lowest=version, highest=version)
    assert handshake(tls_server, made)[0] == name
    with httpx.Client(verify=made, trust_env=False) as client:
        answer = client.post(tls_server.url, content=BODY, headers=signed_headers(tls_server, BODY, "ListKeys"))
    assert answer.status_code == 200
    details = events(tls_server)[answer.headers["x-amzn-requestid"]]["tlsDetails"]
    assert details["tlsVersion"] == name
    assert details["cipherSuite"].startswith("TLS_")
    assert details["clientProvidedHostHeader"] == f"127.0.0.1:{tls_server.port}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=str)
def test_older_versions_are_refused(tls_server, version):
    with pytest.raises(ssl.SSLError) as error:
        handshake(tls_server, context(tls_server, lowest=version, highest=version))
    if error.value.reason == "NO_PROTOCOLS_AVAILABLE":
        pytest.skip("this OpenSSL does not offer it itself")
    # The alert comes from the server; which one depends on the cipher suites that the client still has for it.
    assert "ALERT" in error.value.reason


def test_plain_http_on_a_tls_port_gets_no_answer(tls_server):
    with socket.create_connection(("127.0.0.1", tls_server.port), timeout=10) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        try:
            while chunk := connection.recv(4096):
                answer += chunk
        except ConnectionResetError:
            pass
    assert not answer.startswith(b"HTTP/")


def test_boto3_trusts_the_certificate_that_it_is_given(tls_server):
    kms = tls_server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"over TLS")["CiphertextBlob"]
    answer = kms.decrypt(CiphertextBlob=blob)
    assert answer["Plaintext"] == b"over TLS"
    details = events(tls_server)[answer["ResponseMetadata"]["RequestId"]]["tlsDetails"]
    assert details["tlsVersion"] == "TLSv1.3"


def test_the_command_line_trusts_the_certificate_that_it_is_given(tls_server, tmp_path):
    made = subprocess.run(
        [*aws_command(), "kms", "create-key"],
        env=tls_server.environment_of_clients(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["KeyMetadata"]["Enabled"] is True


def test_alpn_chooses_http_2(tls_server):
    body = b'{"Description":"over HTTP/2"}'
    with httpx.Client(http2=True, verify=context(tls_server), trust_env=False) as client:
        for _ in range(3):
            answer = client.post(tls_server.url, content=body, headers=signed_headers(tls_server, body, "CreateKey"))
            assert (answer.http_version, answer.status_code) == ("HTTP/2", 200), answer.text
            details = events(tls_server)[answer.headers["x-amzn-requestid"]]["tlsDetails"]
            assert details["clientProvidedHostHeader"] == f"127.0.0.1:{tls_server.port}", "the authority"
    with httpx.Client(http2=False, verify=context(tls_server), trust_env=False) as client:
        answer = client.post(tls_server.url, content=BODY, headers=signed_headers(tls_server, BODY, "ListKeys"))
        assert (answer.http_version, len(answer.json()["Keys"])) == ("HTTP/1.1", 3)


def test_a_hangup_reads_the_certificate_again(tls_server, tmp_path):
    old = tls_server.der
    assert handshake(tls_server, context(tls_server))[2] == old
    (tmp_path / "next").mkdir()
    next_certificate, next_key, new = certificate.write(tmp_path / "next")

    with httpx.Client(verify=context(tls_server), trust_env=False) as standing:
        assert standing.get(f"{tls_server.url}/livez").status_code == 200
        shutil.copy(next_certificate, tls_server.certificate)
        shutil.copy(next_key, tls_server.key)
        # Files alone change nothing.
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(tls_server, context(tls_server))
        tls_server.process.send_signal(1)
        wait_until(lambda: "the certificate was read again" in tls_server.log_path.read_text(), "it is read")
        assert handshake(tls_server, context(tls_server))[2] == new
        # A connection that stands stays.
        assert standing.get(f"{tls_server.url}/livez").status_code == 200


@pytest.mark.parametrize("fault", ["garbage", "no file", "the key of another"])
def test_a_certificate_that_cannot_be_used_leaves_the_old_one(tls_server, tmp_path, fault):
    trusted = context(tls_server)
    if fault == "garbage":
        tls_server.certificate.write_text("garbage")
    elif fault == "no file":
        tls_server.certificate.unlink()
    else:
        (tmp_path / "other").mkdir()
        shutil.copy(certificate.write(tmp_path / "other")[1], tls_server.key)
    tls_server.process.send_signal(1)
    wait_until(lambda: "the certificate was not read again" in tls_server.log_path.read_text(), "it is tried")
    assert handshake(tls_server, trusted)[2] == tls_server.der
    tls_server.terminate()
    code, text = tls_server.fails()
    assert code == 2, text


def test_a_hangup_without_tls_changes_nothing(fresh_server):
    server = fresh_server.start()
    server.process.send_signal(1)
    wait_until(lambda: "nothing to reload" in server.log_path.read_text(), "the signal is taken")
    assert server.client().list_keys()["Keys"] == []


X25519 = 0x001D
X25519_MLKEM768 = 0x11EC
# A point of X25519, and an encapsulation key of ML-KEM-768 whose numbers are all zero: sound in form, which is all that a
# server asks of them.
SHARES = {X25519: b"\x09" + bytes(31), X25519_MLKEM768: bytes(1184) + b"\x09" + bytes(31)}


def test_key_agreement_has_a_post_quantum_part_with_every_client_that_puts_it_first(tls_server):
    for offered, chosen in [
        ((X25519_MLKEM768, X25519), X25519_MLKEM768),
        ((X25519_MLKEM768,), X25519_MLKEM768),
        ((X25519,), X25519),
    ]:
        with socket.create_connection(("127.0.0.1", tls_server.port), timeout=10) as connection:
            connection.sendall(client_hello(offered))
            assert group_of_server_hello(connection.recv(16384)) == chosen, offered


def client_hello(groups):
    """A TLS 1.3 ClientHello that brings a share of each group, in this order. RFC 8446 section 4.1.2."""

    def sized(data, length):
        return len(data).to_bytes(length, "big") + data

    def extension(number, data):
        return number.to_bytes(2, "big") + sized(data, 2)

    listed = b"".join(group.to_bytes(2, "big") for group in groups)
    shares = b"".join(group.to_bytes(2, "big") + sized(SHARES[group], 2) for group in groups)
    extensions = b"".join(
        [
            extension(10, sized(listed, 2)),
            extension(13, sized(bytes.fromhex("04030804"), 2)),
            extension(43, sized(bytes.fromhex("0304"), 1)),
            extension(51, sized(shares, 2)),
        ]
    )
    hello = b"\x03\x03" + bytes(range(32)) + sized(b"", 1) + sized(bytes.fromhex("13011302"), 2) + sized(b"\0", 1)
    return b"\x16\x03\x01" + sized(b"\x01" + sized(hello + sized(extensions, 2), 3), 2)


def group_of_server_hello(record):
    assert (record[0], record[5]) == (22, 2), f"not a ServerHello: {record[:16].hex()}"
    at = 5 + 4 + 2 + 32
    at += 1 + record[at] + 2 + 1
    end = at + 2 + int.from_bytes(record[at : at + 2], "big")
    at += 2
    while at < end:
        number, size = int.from_bytes(record[at : at + 2], "big"), int.from_bytes(record[at + 2 : at + 4], "big")
        if number == 51:
            return int.from_bytes(record[at + 4 : at + 6], "big")
        at += 4 + size
    raise AssertionError("no key share")


def test_without_tls_events_say_nothing_of_it(server, kms):
    request_id = kms.list_keys()["ResponseMetadata"]["RequestId"]
    assert "tlsDetails" not in events(server)[request_id]
