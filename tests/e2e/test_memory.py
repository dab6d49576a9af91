"""No secret outlives its use: not in memory, not in a file, not in a log.

The memory of the process is read through /proc/PID/mem, which needs root. What cannot be read there (secret memory) or is
locked and left out of core dumps is where secrets belong.
"""

import base64
import contextlib
import datetime
import gc
import hashlib
import hmac
import os
import re
import resource
import secrets
import signal

import botocore.exceptions
import certificate
import httpx
import process
import pytest
from raw import signed_headers
from server import REGION, Server, b64, wait_until

WINDOW = 16
MOST_WINDOWS = 6
PASSPHRASE = "correct horse " + secrets.token_hex(24)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root reads the memory of a process that is not dumpable")


def windows(kind, raw):
    """Pieces of a secret that cannot turn up by chance, raw and as base64: {piece: what it is}."""
    pieces = {}
    for form, data in (("raw", raw), ("base64", base64.b64encode(raw))):
        starts = range(0, len(data) - WINDOW + 1, WINDOW)
        # Of a long one: the beginning, which a cut leaves, and what lies at regular distances.
        for at in starts if len(starts) <= MOST_WINDOWS else [*starts[:2], *starts[2 :: len(starts) // (MOST_WINDOWS - 2)]]:
            pieces[data[at : at + WINDOW]] = f"{kind} ({form}, from byte {at})"
    return pieces


def signing_key(secret, date):
    key = b"AWS4" + secret.encode()
    for part in (date, REGION, "kms", "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key


def residues(pid, needles):
    """Where pieces of secrets lie outside protected memory, one line for each."""
    found = []
    for mapping, start, data in process.memory(pid):
        if mapping.is_protected:
            continue
        for needle, what in needles.items():
            at = data.find(needle)
            while at >= 0:
                around = data[max(0, at - 32) : at + len(needle) + 32]
                size = mapping.end - mapping.start
                found.append(f"{what} at {start + at:x}, in {mapping.name} of {size} bytes: {around!r}")
                at = data.find(needle, at + 1)
    return found


class Workload:
    """Uses every operation that carries a secret, and remembers the secrets."""

    def __init__(self, server):
        self.server = server
        self.needles = {}
        self.secrets = []

    def note(self, kind, raw):
        self.needles.update(windows(kind, raw))
        self.secrets.append((kind, raw))

    def run(self):
        kms = self.server.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        other = kms.create_key()["KeyMetadata"]["KeyId"]
        for size in (16, 48, 300, 4096):
            for turn in range(4):
                plaintext = secrets.token_bytes(size)
                self.note(f"plaintext of {size} bytes", plaintext)
                context = {"turn": str(turn)}
                blob = kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
                assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == plaintext
                moved = kms.re_encrypt(
                    CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=other
                )["CiphertextBlob"]
                assert kms.decrypt(CiphertextBlob=moved)["Plaintext"] == plaintext
        for size in (16, 32, 64, 1024):
            made = kms.generate_data_key(KeyId=key, NumberOfBytes=size)
            self.note(f"data key of {size} bytes", made["Plaintext"])
            assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
            self.note(f"random of {size} bytes", kms.generate_random(NumberOfBytes=size)["Plaintext"])
        self.with_key_pairs(kms, key)
        self.with_access_keys()
        refused = secrets.token_bytes(64)
        self.note("refused plaintext", refused)
        with pytest.raises(botocore.exceptions.ClientError) as error:
            kms.encrypt(KeyId="alias/nobody", Plaintext=refused)
        self.refusals = [str(error.value.response)]
        kms.close()
        self.over_http2(key)

    def with_key_pairs(self, kms, symmetric):
        def make(spec, usage):
            return kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]

        for spec, algorithm in (("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P256", "ECDSA_SHA_256"), ("ML_DSA_44", "ML_DSA_SHAKE_256")):
            key, message = make(spec, "SIGN_VERIFY"), secrets.token_bytes(300)
            self.note(f"message for {spec}", message)
            request = {"KeyId": key, "SigningAlgorithm": algorithm, "Message": message}
            kms.verify(**request, Signature=kms.sign(**request)["Signature"])
        key, message = make("HMAC_256", "GENERATE_VERIFY_MAC"), secrets.token_bytes(300)
        self.note("message for a MAC", message)
        kms.generate_mac(KeyId=key, MacAlgorithm="HMAC_SHA_256", Message=message)
        key, plaintext, algorithm = make("RSA_2048", "ENCRYPT_DECRYPT"), secrets.token_bytes(100), "RSAES_OAEP_SHA_256"
        self.note("plaintext under a public key", plaintext)
        blob = kms.encrypt(KeyId=key, EncryptionAlgorithm=algorithm, Plaintext=plaintext)["CiphertextBlob"]
        kms.decrypt(KeyId=key, EncryptionAlgorithm=algorithm, CiphertextBlob=blob)
        for spec in ("ECC_NIST_P256", "ECC_NIST_P521"):
            key = make(spec, "KEY_AGREEMENT")
            peer = kms.get_public_key(KeyId=make(spec, "KEY_AGREEMENT"))["PublicKey"]
            agreed = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=peer)
            self.note(f"secret agreed on with {spec}", agreed["SharedSecret"])
        key = make("ML_KEM_768", "ENCAPSULATE_DECAPSULATE")
        made = kms.encapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM")
        self.note("encapsulated secret", made["SharedSecret"])
        kms.decapsulate(
            KeyId=key, EncapsulationAlgorithm="ML_KEM", SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"]
        )
        for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_KEM_768"):
            made = kms.generate_data_key_pair(KeyId=symmetric, KeyPairSpec=spec)
            private, public = made["PrivateKeyPlaintext"], made["PublicKey"]
            # Of the document, what is secret: it begins with a known head and may end with the public key.
            secret = {"RSA_2048": private[300:-16], "ECC_NIST_P256": private[36:68]}.get(spec, private[16:])
            assert secret[:WINDOW] not in public
            self.note(f"private key of a {spec} pair", secret)

    def with_access_keys(self):
        iam = self.server.client(service="iam")
        for turn in range(4):
            name = f"memory{turn}"
            iam.create_user(UserName=name)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            self.note("secret access key", key["SecretAccessKey"].encode())
            credentials = (key["AccessKeyId"], key["SecretAccessKey"])
            sts = self.server.client(service="sts", credentials=credentials)
            sts.get_caller_identity()
            iam.list_access_keys(UserName=name)
            iam.update_user(UserName=name, NewUserName=f"renamed{turn}")
            sts.get_caller_identity()
            sts.close()
        iam.close()

    def over_http2(self, key):
        """The same over one connection that carries several streams, where there is one."""
        with httpx.Client(http2=True, verify=False if self.server.ca else True, trust_env=False) as client:
            for _ in range(4):
                plaintext = secrets.token_bytes(64)
                self.note("plaintext over httpx", plaintext)
                body = f'{{"KeyId":"{key}","Plaintext":"{b64(plaintext)}"}}'.encode()
                blob = self.post(client, "Encrypt", body)["CiphertextBlob"]
                opened = self.post(client, "Decrypt", f'{{"CiphertextBlob":"{blob}"}}'.encode())
                assert base64.b64decode(opened["Plaintext"]) == plaintext
            # A body that ends in the middle of a secret.
            broken = secrets.token_bytes(64)
            self.note("plaintext in a body that is not JSON", broken)
            body = f'{{"KeyId":"{key}","Plaintext":"{b64(broken)}'.encode()
            answer = client.post(self.server.url, content=body, headers=signed_headers(self.server, body, "Encrypt"))
            assert answer.status_code == 400
            self.refusals.append(answer.text)

    def post(self, client, operation, body):
        answer = client.post(self.server.url, content=body, headers=signed_headers(self.server, body, operation))
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module", params=["plain HTTP, file seal", "TLS, passphrase seal"])
def used(request, tmp_path_factory):
    """A server whose clients have done their work and are gone, and what they know."""
    directory = tmp_path_factory.mktemp("memory")
    config, ca = '[log]\nfilter = "trace"\n[server]\nworkers = 2\n', None
    with_tls = request.param.startswith("TLS")
    if with_tls:
        ca, key_path, _ = certificate.write(directory)
        (directory / "passphrase").write_text(PASSPHRASE + "\n")
        config += certificate.section(ca, key_path)
        config += f'[seal]\nkind = "passphrase"\npassphrase_file = "{directory}/passphrase"\nargon2_memory_kib = 8192\n'
    server = Server(directory / "data", config=config, ca=ca)
    try:
        # The second start reads the seal and the credentials file, as every later one does.
        server.start().terminate()
        server.start()
        before = len(process.sockets(server.process.pid))
        work = Workload(server)
        work.run()
        # The exceptions of botocore keep connections open.
        gc.collect()
        wait_until(lambda: len(process.sockets(server.process.pid)) == before, "the connections are closed")
        secret = server.credentials[1]
        work.note("secret access key", secret.encode())
        work.note("signing key", signing_key(secret, datetime.datetime.now(datetime.UTC).strftime("%Y%m%d")))
        if with_tls:
            work.note("passphrase", PASSPHRASE.encode())
        else:
            work.note("root key", (server.data_dir / "root.key").read_bytes())
        yield work
    finally:
        server.kill()


@needs_root
def test_a_secret_in_the_memory_of_a_process_is_found():
    """Else the next test would prove nothing."""
    secret = secrets.token_bytes(48)
    assert residues(os.getpid(), windows("ours", secret))


@needs_root
def test_no_secret_stays_in_memory_after_its_request(used):
    found = residues(used.server.process.pid, used.needles)
    assert not found, "\n".join(found)


def test_no_secret_is_in_the_trail_the_log_or_an_answer_that_refuses(used):
    server = used.server
    places = [(path.name, path.read_bytes()) for path in (server.data_dir / "audit").iterdir()]
    places.append(("log", server.log_path.read_bytes()))
    places.extend(("refusal", text.encode()) for text in used.refusals)
    assert len(places) > 3
    for name, data in places:
        for needle, what in used.needles.items():
            assert needle not in data, f"{what} is in {name}"


def test_the_store_and_the_seal_hold_no_secret(used):
    for path in (used.server.data_dir / "store.redb", used.server.data_dir / "seal.toml"):
        data = path.read_bytes()
        for kind, raw in used.secrets:
            assert raw not in data and raw.hex().encode() not in data, f"{kind} is in {path.name}"


def test_the_process_gives_up_what_it_does_not_need(used):
    pid = used.server.process.pid
    assert process.limit(pid, "Max core file size") == ("0", "0")
    assert process.status(pid)["NoNewPrivs"] == "1"
    # What is not dumpable belongs to root, whoever runs it; its core pattern and its memory are closed to its user.
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    # Keys are in secret memory where the kernel has it, else in locked memory.
    assert any(mapping.is_protected for mapping in process.mappings(pid))
    assert re.search("protection=(Secret|Locked)", used.server.log_path.read_text())


def test_a_process_that_crashes_leaves_no_core_file(fresh_server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fresh_server.start()
    fresh_server.client().create_key()
    before = set(tmp_path.rglob("*"))
    # Nor where somebody could raise its limit since: it cannot be dumped.
    with contextlib.suppress(PermissionError):
        resource.prlimit(fresh_server.process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    fresh_server.process.send_signal(signal.SIGABRT)
    assert fresh_server.process.wait(30) == -signal.SIGABRT
    left = set(tmp_path.rglob("*")) - before
    assert not [path for path in left if "core" in path.name], left
