"""The test mode: seeds, the clock, the reset, accounts by access key id; and that nothing of it is there without it."""

import base64
import concurrent.futures
import datetime
import hmac
import json
import os
import pathlib
import threading

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

import server as harness

SEEDS = pathlib.Path(__file__).parent / "seeds"
DAY = 24 * 60 * 60
OTHER = "111122223333"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"

# Made under the first key of seeds/own.yaml.
FIXTURE = base64.b64decode(
    "xQEBABI0q80SqzTNVu8SNFZ4kKswoJma8PRiog/N2iUN3OGu9b1HHhR/m51MBtDgboH6tmDwtCxN9mUqYdA53hXEBfrZ3ATtihsl"
    "n8NvWTRN5y0F9lu/vvjUYzSNOHhBv9Dz3U7enAT7sliE17D4e8y/23qX3Umo8AcwPjRXm4NcZUaZ3ZRPcFgvbNPpGnRWGext"
)


class DevServer(harness.Server):
    """A server in the test mode, in memory unless told."""

    def __init__(self, place, *seeds, in_memory=True, **more):
        super().__init__(place, **more)
        self.in_memory = in_memory
        self.options = ["--dev", *(["--in-memory"] if in_memory else []), *self.options]
        for seed in seeds:
            self.options += ["--seed", str(seed)]

    def command(self):
        command = super().command()
        if self.in_memory:
            at = command.index("--data-dir")
            del command[at : at + 2]
        return command

    @property
    def credentials(self):
        return ("test", "test")

    def of(self, account, **options):
        return self.client(credentials=(account, "test"), **options)

    def post(self, path, body=None):
        answer = httpx.post(self.url + path, json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, seconds):
        return self.post("/_keyreeve/clock", {"advance_seconds": seconds})

    def to_next_minute(self):
        """Moves the clock just into the next minute, so that what a test does at once falls into one period of a metric."""
        return self.advance(61 - self.now().second)

    def now(self):
        return datetime.datetime.fromisoformat(httpx.get(self.url + "/_keyreeve/clock").json()["now"])

    def reset(self):
        return self.post("/_keyreeve/reset")


@pytest.fixture
def dev(tmp_path):
    made = []

    def make(*seeds, name="data", **options):
        made.append(DevServer(tmp_path / name, *seeds, **options))
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """One with our own seed; each test that changes it resets it."""
    running = DevServer(tmp_path_factory.mktemp("seeded") / "data", SEEDS / "own.yaml").start()
    yield running
    running.kill()


def code(error):
    return error.value.response["Error"]["Code"]


def test_the_start_says_loudly_what_it_is(seeded):
    text = seeded.log_path.read_text()
    assert "TEST MODE" in text and "NOT FOR SECRETS" in text
    assert "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test" in text


def test_seeded_keys_are_as_the_file_says(seeded):
    kms, other = seeded.client(), seeded.of(OTHER, region="eu-central-1")
    metadata = kms.describe_key(KeyId="alias/app")["KeyMetadata"]
    assert (metadata["KeyId"], metadata["Description"]) == (KEY, "the key of the tests")
    assert kms.list_resource_tags(KeyId=KEY)["Tags"] == [{"TagKey": "Team", "TagValue": "payments"}]
    assert kms.get_key_rotation_status(KeyId=KEY)["RotationPeriodInDays"] == 90
    blob = kms.encrypt(KeyId="alias/other", Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"

    mac = other.describe_key(KeyId="2234abcd-12ab-34cd-56ef-1234567890ab")["KeyMetadata"]
    assert (mac["KeySpec"], mac["KeyUsage"], mac["KeyState"]) == ("HMAC_256", "GENERATE_VERIFY_MAC", "Disabled")
    policy = json.loads(other.get_key_policy(KeyId=mac["KeyId"])["Policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{OTHER}:root"}

    imported = kms.describe_key(KeyId="4234abcd-12ab-34cd-56ef-1234567890ab")["KeyMetadata"]
    assert (imported["Origin"], imported["KeyState"]) == ("EXTERNAL", "Enabled")
    assert imported["ValidTo"].year == 2100


def test_a_seeded_multi_region_key_can_be_replicated(seeded):
    kms, there = seeded.of(OTHER), seeded.of(OTHER, region="eu-west-1")
    key = kms.describe_key(KeyId="alias/everywhere")["KeyMetadata"]
    assert key["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion="eu-west-1")
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=blob, KeyId=key["KeyId"])["Plaintext"] == b"x"
    seeded.reset()
    with pytest.raises(there.exceptions.NotFoundException):
        there.describe_key(KeyId=key["KeyId"])


def test_known_material_computes_what_it_should(seeded):
    kms, other = seeded.client(), seeded.of(OTHER, region="eu-central-1")
    mac = "2234abcd-12ab-34cd-56ef-1234567890ab"
    other.enable_key(KeyId=mac)
    made = other.generate_mac(KeyId=mac, MacAlgorithm="HMAC_SHA_256", Message=b"message")["Mac"]
    assert made == hmac.digest(bytes(range(32)), b"message", "sha256")
    pem = (SEEDS / "own.yaml").read_text().split("material: |\n")[1].split("\n  - id")[0]
    known = serialization.load_pem_private_key("\n".join(map(str.strip, pem.splitlines())).encode(), None)
    signer = "3234abcd-12ab-34cd-56ef-1234567890ab"
    signature = kms.sign(KeyId=signer, Message=b"message", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    known.public_key().verify(signature, b"message", ec.ECDSA(hashes.SHA256()))
    seeded.reset()


def test_what_was_encrypted_with_known_material_opens_wherever_the_seed_is_the_same(dev):
    context = {"in": "a fixture"}
    first = dev(SEEDS / "own.yaml", name="first").start()
    kms = first.client()
    made = kms.generate_data_key(KeyId="alias/app", KeySpec="AES_256", EncryptionContext=context)
    imported = kms.encrypt(KeyId="4234abcd-12ab-34cd-56ef-1234567890ab", Plaintext=b"imported")["CiphertextBlob"]
    first.reset()
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)["Plaintext"] == made["Plaintext"]
    first.kill()
    for number, in_memory in enumerate((True, False)):
        kms = dev(SEEDS / "own.yaml", name=f"other-{number}", in_memory=in_memory).start().client()
        found = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)
        assert (found["Plaintext"], found["KeyMaterialId"]) == (made["Plaintext"], made["KeyMaterialId"])
        assert kms.decrypt(CiphertextBlob=imported)["Plaintext"] == b"imported"
        # Kept since the form was first written: fixtures of users are.
        assert kms.decrypt(CiphertextBlob=FIXTURE, EncryptionContext=context)["Plaintext"] == b"a committed fixture"


def test_rotation_is_watched_by_moving_the_clock(seeded):
    kms = seeded.client()
    old = kms.encrypt(KeyId=KEY, Plaintext=b"old")["CiphertextBlob"]
    begun = kms.describe_key(KeyId=KEY)["KeyMetadata"]["CreationDate"]
    assert seeded.advance(366 * DAY)["done"] == 4
    rotations = kms.list_key_rotations(KeyId=KEY)["Rotations"]
    assert [(rotation["RotationDate"] - begun).days for rotation in rotations] == [90, 180, 270, 360]
    assert kms.decrypt(CiphertextBlob=old)["Plaintext"] == b"old"
    seeded.reset()
    assert kms.list_key_rotations(KeyId=KEY)["Rotations"] == []


def test_deletion_is_watched_by_moving_the_clock(seeded):
    kms = seeded.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
    seeded.advance(30 * DAY - 60)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    seeded.advance(60)
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=key)
    seeded.reset()


def test_the_expiry_of_imported_material_is_watched_by_moving_the_clock(seeded):
    kms = seeded.client()
    key = "4234abcd-12ab-34cd-56ef-1234567890ab"
    seeded.post("/_keyreeve/clock", {"set": "2099-12-31T23:59:00Z"})
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert seeded.advance(61)["done"] >= 1
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
    seeded.reset()
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


def test_the_time_to_an_expiry_is_measured_on_the_way_of_the_clock(dev):
    server = dev(SEEDS / "own.yaml").start()
    kms, cloudwatch = server.client(), server.client(service="cloudwatch")
    server.advance(100 * DAY)
    (stop,) = [rotation["RotationDate"] for rotation in kms.list_key_rotations(KeyId=KEY)["Rotations"]]
    key = "4234abcd-12ab-34cd-56ef-1234567890ab"
    expires = kms.describe_key(KeyId=key)["KeyMetadata"]["ValidTo"]
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/KMS", MetricName="SecondsUntilKeyMaterialExpiration", Dimensions=[{"Name": "KeyId", "Value": key}],
        StartTime=stop - datetime.timedelta(hours=1), EndTime=stop + datetime.timedelta(hours=1), Period=3600,
        Statistics=["Minimum"],
    )["Datapoints"]  # fmt: skip
    assert [point["Minimum"] for point in found] == [pytest.approx((expires - stop).total_seconds(), abs=2)]


def test_a_session_ends_when_the_clock_passes_its_end(seeded):
    issued = seeded.client(service="iam")
    issued.create_user(UserName="alice")
    key = issued.create_access_key(UserName="alice")["AccessKey"]
    alice = seeded.client(service="sts", credentials=(key["AccessKeyId"], key["SecretAccessKey"]))
    assert alice.get_caller_identity()["Arn"].endswith("user/alice")
    session = alice.get_session_token(DurationSeconds=900)["Credentials"]
    sts = boto3.client(
        "sts",
        endpoint_url=seeded.url,
        region_name=harness.REGION,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    sts.get_caller_identity()
    seeded.advance(901)
    with pytest.raises(ClientError) as error:
        sts.get_caller_identity()
    assert code(error) == "ExpiredToken"
    # Long-term access keys sign by the system's clock, which did not move.
    seeded.advance(400 * DAY)
    alice.get_caller_identity()
    seeded.reset()
    with pytest.raises(ClientError) as error:
        alice.get_caller_identity()
    assert code(error) == "InvalidClientTokenId"


def test_the_access_keys_of_the_test_mode_take_no_place_of_another(dev):
    server = dev().start()
    iam = server.client(service="iam")
    # Both stand for the same root user.
    server.of("000000000000").list_keys()
    issued = [key["AccessKeyId"] for key in iam.list_access_keys()["AccessKeyMetadata"]]
    issued = [access_key for access_key in issued if access_key.startswith("AKIA")]
    for _ in range(2 - len(issued)):
        made = iam.create_access_key()["AccessKey"]
        server.client(credentials=(made["AccessKeyId"], made["SecretAccessKey"])).list_keys()
    with pytest.raises(ClientError) as refused:
        iam.create_access_key()
    assert code(refused) == "LimitExceeded"
    other = server.of(OTHER, service="iam")
    assert [other.create_access_key()["AccessKey"]["AccessKeyId"][:4] for _ in range(2)] == ["AKIA"] * 2


def test_the_clock_goes_on_from_where_it_was_put_and_may_go_back(seeded):
    there = seeded.post("/_keyreeve/clock", {"set": "2040-01-02T03:04:05+00:00"})
    assert there["now"].startswith("2040-01-02T03:04:05")
    assert httpx.get(seeded.url + "/_keyreeve/clock").json()["now"].startswith("2040-01-02T03:04:")
    assert seeded.client().create_key()["KeyMetadata"]["CreationDate"].year == 2040
    assert seeded.post("/_keyreeve/clock", {"set": "2001-01-01T00:00:00Z"})["ahead_seconds"] < 0
    assert seeded.client().create_key()["KeyMetadata"]["CreationDate"].year == 2001
    assert seeded.reset()["ahead_seconds"] == 0


@pytest.mark.parametrize(
    "method, path, body, status, says",
    [
        ("POST", "/_keyreeve/clock", b"", 400, "advance_seconds"),
        ("POST", "/_keyreeve/clock", b"{}", 400, "advance_seconds"),
        ("POST", "/_keyreeve/clock", b'{"advance_seconds": -5}', 400, "advance_seconds"),
        ("POST", "/_keyreeve/clock", b'{"advance_seconds": 99999999999999}', 400, "8999"),
        ("POST", "/_keyreeve/clock", b'{"set": "yesterday"}', 400, "RFC 3339"),
        ("POST", "/_keyreeve/clock", b'{"forward": 5}', 400, "forward"),
        ("POST", "/_keyreeve/clock", b" " * 100_000, 400, "too long"),
        ("POST", "/_keyreeve/reset", b'{"now": true}', 400, "no body"),
        ("DELETE", "/_keyreeve/clock", b"", 405, "GET, POST"),
        ("GET", "/_keyreeve/reset", b"", 405, "POST"),
        ("GET", "/_keyreeve/", b"", 404, "/_keyreeve/clock"),
        ("POST", "/_keyreeve/keys", b"", 404, "/_keyreeve/clock"),
    ],
)
def test_what_the_test_mode_does_not_understand_it_says(seeded, method, path, body, status, says):
    answer = httpx.request(method, seeded.url + path, content=body)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["message"]
    if status == 405:
        assert answer.headers["allow"] == says
    assert httpx.get(seeded.url + "/_keyreeve/clock").json()["ahead_seconds"] == 0


def test_a_page_in_a_browser_cannot_reset(seeded):
    answer = httpx.post(seeded.url + "/_keyreeve/reset", headers={"Origin": "http://evil.example"})
    assert (answer.status_code, "browser" in answer.json()["message"]) == (403, True)


def test_each_twelve_digits_are_an_account_of_their_own(seeded):
    for account in ["test", "000000000000", "222222222222", "333333333333"]:
        expected = "000000000000" if account == "test" else account
        identity = seeded.of(account, service="sts").get_caller_identity()
        assert identity["Arn"] == f"arn:aws:iam::{expected}:root"
    one, two = seeded.of("222222222222"), seeded.of("333333333333")
    key = one.create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError) as error:
        two.encrypt(KeyId=key, Plaintext=b"x")
    assert code(error) == "AccessDeniedException"
    one.create_grant(KeyId=key, GranteePrincipal="arn:aws:iam::333333333333:root", Operations=["Encrypt"])
    two.encrypt(KeyId=key, Plaintext=b"x")
    seeded.reset()


def test_many_first_uses_of_an_account_at_once_make_it_once(seeded):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        ask = lambda _: seeded.of("444444444444", service="sts").get_caller_identity()["Account"]
        assert set(pool.map(ask, range(32))) == {"444444444444"}


@pytest.mark.parametrize("account", ["test", "000000000000", "555555555555"])
def test_another_secret_is_refused_as_ever(seeded, account):
    with pytest.raises(ClientError) as error:
        seeded.client(credentials=(account, "wrong")).list_keys()
    assert code(error) == "InvalidSignatureException"
    with pytest.raises(ClientError) as error:
        seeded.client(service="sts", credentials=(account, "wrong")).get_caller_identity()
    assert code(error) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("account", ["tests", "Test", "00000000000", "0000000000000", "AKIAIOSFODNN7EXAMPLE"])
def test_any_other_access_key_is_unknown(seeded, account):
    with pytest.raises(ClientError) as error:
        seeded.client(credentials=(account, "test")).list_keys()
    assert code(error) == "UnrecognizedClientException"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_presigned_request_of_a_test_account_works(seeded, method):
    sts = seeded.of("666666666666", service="sts")
    url = sts.generate_presigned_url("get_caller_identity", HttpMethod=method)
    answer = httpx.request(method, url)
    assert answer.status_code == 200 and "666666666666" in answer.text, answer.text
    # What else comes with it is no part of the request.
    answer = httpx.request(method, url + "&Action=GetSessionToken")
    assert answer.status_code == 403 and "SignatureDoesNotMatch" in answer.text, answer.text


def test_a_reset_while_requests_run_harms_nobody(seeded):
    stop = threading.Event()

    def work(account):
        kms, done = seeded.of(account), 0
        while not stop.is_set():
            try:
                key = kms.create_key()["KeyMetadata"]["KeyId"]
                kms.encrypt(KeyId=key, Plaintext=b"x")
                done += 1
            except ClientError as error:
                assert error.response["Error"]["Code"] == "NotFoundException", error
        return done

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        workers = [pool.submit(work, account) for account in ["test", "777777777777", "888888888888"] * 2]
        for _ in range(10):
            seeded.reset()
        stop.set()
        assert sum(worker.result() for worker in workers) > 0
    seeded.reset()
    kms = seeded.client()
    assert {key["KeyId"] for key in kms.list_keys()["Keys"]} == {
        KEY, "3234abcd-12ab-34cd-56ef-1234567890ab", "4234abcd-12ab-34cd-56ef-1234567890ab"
    }  # fmt: skip
    assert seeded.of("777777777777").list_keys()["Keys"] == []


def test_in_memory_leaves_nothing(dev, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    server = dev(SEEDS / "own.yaml", environment={"HOME": str(home)})
    before = set(tmp_path.iterdir())
    here = os.getcwd()
    os.chdir(home)
    try:
        server.start()
    finally:
        os.chdir(here)
    server.client().create_key()
    server.reset()
    assert server.terminate() == 0
    assert list(home.iterdir()) == []
    assert set(tmp_path.iterdir()) - before == {server.log_path}


def test_a_second_start_changes_nothing_and_keeps_what_was_changed(dev):
    server = dev(SEEDS / "own.yaml", in_memory=False).start()
    kms = server.client()
    blob = kms.encrypt(KeyId="alias/app", Plaintext=b"x")["CiphertextBlob"]
    made = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_key_description(KeyId=KEY, Description="changed")
    kms.delete_alias(AliasName="alias/other")
    kms.update_alias(AliasName="alias/app", TargetKeyId=made)
    assert server.advance(100 * DAY)["done"] == 1
    before = kms.describe_key(KeyId=KEY)["KeyMetadata"]
    server.terminate()
    server.start()
    kms = server.client()
    assert kms.describe_key(KeyId=KEY)["KeyMetadata"] == before
    assert before["Description"] == "changed"
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert kms.describe_key(KeyId="alias/app")["KeyMetadata"]["KeyId"] == made
    assert kms.describe_key(KeyId="alias/other")["KeyMetadata"]["KeyId"] == KEY
    assert "alias/app" in server.log_path.read_text()
    assert httpx.get(server.url + "/_keyreeve/clock").json()["ahead_seconds"] == 0
    server.reset()
    assert kms.describe_key(KeyId="alias/app")["KeyMetadata"]["Description"] == "the key of the tests"
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=made)
    # The access key of the data directory is the root user's again.
    pair = harness.read_credentials(server.data_dir / "credentials")
    server.client(credentials=pair).describe_key(KeyId=KEY)


def test_a_seed_that_contradicts_what_is_there_is_refused(dev, tmp_path):
    seed = tmp_path / "seed.yaml"
    seed.write_text((SEEDS / "own.yaml").read_text())
    server = dev(seed, in_memory=False).start()
    server.terminate()
    for old, new, what in [
        ("000102", "ff0102", "material"),
        ("usage: SIGN_VERIFY", "usage: KEY_AGREEMENT", "usage"),
        ("HMAC_256", "HMAC_224", "spec"),
    ]:
        text = (SEEDS / "own.yaml").read_text()
        seed.write_text(text.replace(old, new))
        exit_code, says = server.fails()
        assert exit_code == 2 and f"already, with another {what}" in says and f"{seed}:" in says, says


@pytest.mark.parametrize(
    "text, line, says",
    [
        ("keys:\n  - id: 1234abcd-12ab-34cd-56ef-1234567890ab\n    colour: red\n", 3, "colour"),
        ("keys:\n  - id: nonsense\n", 2, "nonsense"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, spec: AES}\n", 2, "SYMMETRIC_DEFAULT"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, spec: RSA_2048}\n", 2, "usage"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, material: 00ff}\n", 2, "material"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, material: '?'}\n", 2, "base64"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, account: '12'}\n", 2, "account"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, aliases: [alias/aws/s3]}\n", 2, "another name"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, rotation: {period_days: 1}}\n", 2, "2560"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, tags: {'aws:x': y}}\n", 2, "aws: are reserved"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, tags: {x: '<'}}\n", 2, "Invalid tag"),
        ("keys:\n  - {id: 1234abcd-12ab-34cd-56ef-1234567890ab, tags: {'': y}}\n", 2, "1 to 128"),
        ("keys: [{id: 1234abcd-12ab-34cd-56ef-1234567890ab, policy: '{'}]\n", 1, "policy"),
        ("region: us-east-1\nkeys: [", 2, ""),
        ("Keys:\n  Symmetric:\n    Des: []\n", 3, "Des"),
        ("Aliases:\n  - AliasName: alias/a\n    TargetKeyId: 1234abcd-12ab-34cd-56ef-1234567890ab\n", 3, "no key"),
        ("Version: 3\n", 1, "version 3"),
    ],
)  # fmt: skip
def test_a_fault_in_a_seed_file_is_told_with_its_line(dev, tmp_path, text, line, says):
    seed = tmp_path / "seed.yaml"
    seed.write_text(text)
    exit_code, said = dev(seed).fails()
    assert exit_code == 2, said
    assert f"{seed}:{line}:" in said and says in said, said


LOCAL_KMS = {"KMS_ACCOUNT_ID": OTHER, "KMS_REGION": "eu-west-2"}


@pytest.mark.parametrize("form", [1, 2, 3])
def test_seed_files_of_local_kms_are_accepted_as_they_are(dev, form):
    server = dev(SEEDS / f"local-kms-{form}.yaml", environment=LOCAL_KMS).start()
    kms = server.of(OTHER, region="eu-west-2")
    found = kms.describe_key(KeyId="alias/testing")["KeyMetadata"]
    assert found["Arn"] == f"arn:aws:kms:eu-west-2:{OTHER}:key/00000000-0000-4000-8000-000000000001"
    blob = kms.encrypt(KeyId="alias/testing", Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    specs = {
        1: ["SYMMETRIC_DEFAULT"],
        2: ["SYMMETRIC_DEFAULT"] * 4 + ["HMAC_384", "RSA_2048", "ECC_NIST_P256"],
        3: ["SYMMETRIC_DEFAULT", "HMAC_224", "ECC_NIST_EDWARDS25519", "ECC_SECG_P256K1", "RSA_2048"],
    }[form]
    keys = sorted(key["KeyId"] for key in kms.list_keys()["Keys"])
    assert [kms.describe_key(KeyId=key)["KeyMetadata"]["KeySpec"] for key in keys] == specs


def test_what_a_seed_file_of_local_kms_says_is_so(dev):
    server = dev(SEEDS / "local-kms-2.yaml").start()
    kms = server.client()
    key = "00000000-0000-4000-8000-00000000000{}".format
    state = lambda number: kms.describe_key(KeyId=key(number))["KeyMetadata"]
    assert (state(3)["Origin"], state(3)["KeyState"]) == ("EXTERNAL", "Enabled")
    assert (state(4)["Origin"], state(4)["KeyState"]) == ("EXTERNAL", "PendingImport")
    assert (state(6)["KeyUsage"], state(7)["KeyUsage"]) == ("ENCRYPT_DECRYPT", "SIGN_VERIFY")
    # Two backing keys are a key that was rotated; a rotation that is due is done.
    harness.wait_until(lambda: len(kms.list_key_rotations(KeyId=key(2))["Rotations"]) == 2, "the rotation that was due")
    mac = kms.generate_mac(KeyId=key(5), MacAlgorithm="HMAC_SHA_384", Message=b"m")["Mac"]
    assert mac == hmac.digest(b"\x55" * 48, b"m", "sha384")


def test_without_it_nothing_of_it_is_there(fresh_server):
    server = fresh_server.start()
    for method, path in [("GET", "/_keyreeve/clock"), ("POST", "/_keyreeve/clock"), ("POST", "/_keyreeve/reset")]:
        known, unknown = (httpx.request(method, server.url + at) for at in [path, "/no/such/path"])
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    for account in ["test", "000000000000"]:
        with pytest.raises(ClientError) as error:
            server.client(credentials=(account, "test")).list_keys()
        assert code(error) == "UnrecognizedClientException"


@pytest.mark.parametrize("option", [["--in-memory"], ["--seed", str(SEEDS / "own.yaml")]])
def test_its_options_need_it(make_server, option):
    exit_code, says = make_server(options=option).fails()
    assert exit_code == 2 and f"{option[0]} is for tests and needs --dev" in says, says


def test_it_is_not_to_be_had_from_the_configuration_file(make_server):
    exit_code, says = make_server(config="[dev]\nis_on = true\n").fails()
    assert exit_code == 2 and "dev" in says


def test_a_directory_is_of_the_test_mode_or_not_for_ever(make_server, dev):
    real = make_server(name="real").start()
    real.terminate()
    exit_code, says = dev(name="real", in_memory=False).fails()
    assert exit_code == 2 and "was not made with --dev" in says, says
    assert real.start().client().list_keys()["Keys"] == []

    rehearsed = dev(name="rehearsed", in_memory=False).start()
    rehearsed.terminate()
    for options in [[], ["--check"]]:
        exit_code, says = make_server(name="rehearsed", options=options).fails()
        assert exit_code == 2 and "was made with --dev" in says, says
    rehearsed.start()


def test_a_data_directory_and_in_memory_exclude_each_other(make_server):
    exit_code, says = make_server(options=["--dev", "--in-memory"]).fails()
    assert exit_code == 2 and "--data-dir" in says


def test_other_machines_are_let_in_only_when_that_is_said(dev):
    server = dev(options=["--listen", "0.0.0.0:0"])
    command = server.command()
    at = command.index("--listen")
    server.command = lambda: command[:at] + command[at + 2 :]
    exit_code, says = server.fails()
    assert exit_code == 2 and "--allow-plain-http" in says


def test_what_the_test_mode_does_is_on_record(dev):
    server = dev(SEEDS / "own.yaml", in_memory=False).start()
    server.advance(5)
    server.reset()
    server.terminate()
    events = []
    for path in sorted((server.data_dir / "audit").glob("*.log")):
        for line in path.read_text().splitlines():
            at = line.find('{"eventVersion"')
            if at >= 0:
                events.append(json.JSONDecoder().raw_decode(line[at:])[0])
    by = [(event["eventName"], event.get("serviceEventDetails", {}).get("by")) for event in events]
    assert by.count(("CreateKey", "seed file")) == 10
    assert by.count(("SetClock", "test mode")) == 1 and by.count(("Reset", "test mode")) == 1
    assert not any(b"000102030405" in path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file())
