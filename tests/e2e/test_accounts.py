"""Accounts that the operator makes and rescues: `keyreeve account`."""

import pathlib
import stat
import subprocess

import audit
import botocore.exceptions
import pytest
from server import ACCOUNT, binary, clean_environment, read_credentials

OTHER = "111122223333"
PAIR = {
    "KEYREEVE_ROOT_ACCESS_KEY_ID": "AKIACHOSENCHOSENCHOS",
    "KEYREEVE_ROOT_SECRET_ACCESS_KEY": "chosen/secret/chosen/secret/chosen/secret",
}


def account(server, *arguments, code=0):
    """Runs `keyreeve account` on the data directory of `server`: what it prints, or what it says where it fails."""
    ended = subprocess.run(
        [binary(), "account", *arguments, "--data-dir", str(server.data_dir)],
        env=clean_environment(), capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ended.returncode == code, ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def refused(client):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        client.list_keys()
    return caught.value.response["Error"]["Code"]


@pytest.fixture
def stopped(fresh_server):
    """A server that ran once."""
    fresh_server.start()
    fresh_server.terminate()
    return fresh_server


def test_an_account_that_is_made_has_a_root_user_and_keys_of_its_own(stopped):
    said = account(stopped, "create", "--account", OTHER, "--name", "payments")
    path = stopped.data_dir / "accounts" / OTHER / "credentials"
    assert said.strip().endswith(str(path)), said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert account(stopped, "list").splitlines() == [ACCOUNT, f"{OTHER}  payments"]

    stopped.start()
    other = stopped.client(credentials=read_credentials(path))
    key = other.create_key()["KeyMetadata"]
    assert key["AWSAccountId"] == OTHER
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        stopped.client().describe_key(KeyId=key["Arn"])
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_an_account_is_made_once(stopped):
    account(stopped, "create", "--account", OTHER)
    path = stopped.data_dir / "accounts" / OTHER / "credentials"
    before = path.read_bytes()
    for id in (OTHER, ACCOUNT):
        assert "exists already" in account(stopped, "create", "--account", id, code=2)
    assert path.read_bytes() == before


@pytest.mark.parametrize("id", [ACCOUNT, OTHER])
def test_a_lost_root_access_key_is_replaced_without_the_old_one(stopped, id):
    account(stopped, "create", "--account", OTHER)
    path = stopped.data_dir / "credentials" if id == ACCOUNT else stopped.data_dir / "accounts" / id / "credentials"
    old = read_credentials(path)
    path.unlink()
    said = account(stopped, "rotate-root", "--account", id)
    assert str(path) in said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    new = read_credentials(path)
    assert new != old

    stopped.start()
    stopped.client(credentials=new).list_keys()
    assert refused(stopped.client(credentials=old)) == "UnrecognizedClientException"


def test_a_second_root_access_key_is_replaced_as_well(fresh_server):
    fresh_server.start()
    second = fresh_server.client(service="iam").create_access_key()["AccessKey"]
    second = second["AccessKeyId"], second["SecretAccessKey"]
    fresh_server.client(credentials=second).list_keys()
    fresh_server.terminate()
    account(fresh_server, "rotate-root", "--account", ACCOUNT)
    fresh_server.start()
    fresh_server.client().list_keys()
    assert refused(fresh_server.client(credentials=second)) == "UnrecognizedClientException"


def test_what_the_operator_did_stands_in_the_trail(stopped):
    account(stopped, "create", "--account", OTHER)
    account(stopped, "rotate-root", "--account", ACCOUNT)
    events = [event for event in audit.events(stopped.data_dir / "audit") if event["eventType"] == "AwsServiceEvent"]
    assert [(event["eventName"], event["recipientAccountId"]) for event in events] == [
        ("CreateAccount", OTHER), ("RotateRootAccessKey", ACCOUNT),
    ]  # fmt: skip
    for event in events:
        assert event["eventSource"] == "iam.amazonaws.com"
        assert event["serviceEventDetails"]["by"] == "keyreeve account"
    made = stopped.data_dir / "accounts" / OTHER / "credentials"
    assert events[0]["serviceEventDetails"]["accessKeyId"] == read_credentials(made)[0]
    assert events[1]["serviceEventDetails"]["accessKeyId"] == stopped.credentials[0]


def test_while_the_service_runs_the_command_says_what_to_do(fresh_server):
    fresh_server.start()
    for command in (["create", "--account", OTHER], ["list"], ["rotate-root", "--account", ACCOUNT]):
        said = account(fresh_server, *command, code=5)
        assert "Stop it, say this again, and start it" in said, command
    assert not (fresh_server.data_dir / "accounts").exists()
    fresh_server.client().list_keys()


def test_without_a_store_or_an_account_nothing_is_made(stopped, make_server):
    nothing = make_server("nothing")
    assert "there is no store" in account(nothing, "create", "--account", OTHER, code=2)
    assert not pathlib.Path(nothing.data_dir).exists()
    assert "no account 111122223333" in account(stopped, "rotate-root", "--account", OTHER, code=2)
    assert not (stopped.data_dir / "accounts").exists()


def test_a_first_account_that_was_chosen_is_not_asked_for_again(make_server):
    server = make_server(options=["--account", OTHER]).start()
    server.terminate()
    account(server, "rotate-root", "--account", OTHER)
    assert account(server, "list") == f"{OTHER}\n"
    server.start()
    server.client().list_keys()


def root_events(server):
    events = (event for event in audit.events(server.data_dir / "audit") if event["eventType"] == "AwsServiceEvent")
    return [(event["eventName"], event["serviceEventDetails"]["by"]) for event in events]


@pytest.mark.parametrize("pair", [{}, PAIR], ids=["made", "chosen"])
def test_a_root_access_key_that_was_deleted_stays_so_after_a_restart(make_server, pair):
    server = make_server()
    server.environment = pair
    old = server.start().credentials
    iam = server.client(service="iam")
    made = iam.create_access_key()["AccessKey"]
    new = made["AccessKeyId"], made["SecretAccessKey"]
    server.client(service="iam", credentials=new).delete_access_key(AccessKeyId=old[0])
    before = root_events(server)
    for _ in range(2):
        server.terminate()
        server.start()
        server.client(credentials=new).list_keys()
        assert refused(server.client(credentials=old)) == "UnrecognizedClientException"
    assert "no access key of the root user any more" in server.log_path.read_text()
    assert root_events(server) == before
    # A pair that is chosen anew takes the place of all others.
    server.terminate()
    server.environment = {**PAIR, "KEYREEVE_ROOT_ACCESS_KEY_ID": "AKIAANEWANEWANEWANEW"}
    server.start()
    server.client().list_keys()
    assert refused(server.client(credentials=new)) == "UnrecognizedClientException"
    assert root_events(server) == [*before, ("RotateRootAccessKey", "environment")]


def test_a_root_user_without_access_keys_gets_none_by_a_restart(fresh_server):
    fresh_server.start()
    old = fresh_server.credentials
    fresh_server.client(service="iam").delete_access_key(AccessKeyId=old[0])
    fresh_server.terminate()
    fresh_server.start()
    assert refused(fresh_server.client(credentials=old)) == "UnrecognizedClientException"
