"""Identities that are declared in a file: followed at the start and on SIGHUP, with boto3 as the users that it makes."""

import json
import os
import re
import signal
import stat
import subprocess

import audit
import boto3
import botocore.exceptions
import pytest
from server import ACCOUNT, REGION, REPOSITORY, read_credentials, wait_until

OTHER = "111122223333"
FOLLOWED = "the identities are as the identity file says"
NOT_IN_ORDER = "the identity file is not in order"


def policy(*actions, effect="Allow", **more):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*", **more}]}
    )


def code(call, *arguments, **named):
    """The code of the error that a call ends in."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*arguments, **named)
    return caught.value.response["Error"]["Code"]


class Followed:
    """A server and its identity file."""

    def __init__(self, make_server, tmp_path, text, environment=None):
        self.path = tmp_path / "identity.toml"
        self.path.write_text(text)
        self.server = make_server(config=f'[identity]\nfile = "{self.path}"\n', environment=environment)

    def start(self):
        self.server.start()
        return self

    def log(self):
        return self.server.log_path.read_text()

    def follow(self, text, outcome=FOLLOWED):
        """Lets the running server follow another text."""
        self.path.write_text(text)
        before = self.log().count(outcome)
        os.kill(self.server.process.pid, signal.SIGHUP)
        wait_until(lambda: self.log().count(outcome) > before, outcome)

    def secret(self, name, account=ACCOUNT):
        return read_credentials(self.server.data_dir / "accounts" / account / name)

    def client(self, name, account=ACCOUNT, service="kms"):
        return self.server.client(credentials=self.secret(name, account), service=service)

    def events(self):
        events = audit.events(self.server.data_dir / "audit")
        return [event for event in events if (event.get("serviceEventDetails") or {}).get("by") == "identity file"]


@pytest.fixture
def followed(make_server, tmp_path):
    return lambda text, **more: Followed(make_server, tmp_path, text, **more)


def account(id=ACCOUNT, *, users="", more=""):
    return f'[[account]]\nid = "{id}"\n{more}\n{users}\n'


def user(name, *, allow=(), more=""):
    policies = f"[account.user.policies]\nown = '{policy(*allow)}'\n" if allow else ""
    return (
        f'[[account.user]]\nname = "{name}"\n{more}\naccess_keys = [{{ credentials_file = "{name}" }}]\n{policies}\n'
    )


def test_a_declared_user_may_do_what_the_file_allows(followed):
    one = followed(account(users=user("alice", allow=["kms:CreateKey", "kms:ListKeys"]))).start()
    path = one.server.data_dir / "accounts" / ACCOUNT / "alice"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    alice = one.client("alice")
    key = alice.create_key()["KeyMetadata"]["KeyId"]
    assert [found["KeyId"] for found in alice.list_keys()["Keys"]] == [key]
    assert code(alice.disable_key, KeyId=key) == "AccessDeniedException"
    assert one.client("alice", service="sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"


def test_the_same_file_a_second_time_changes_nothing(followed):
    text = account(users=user("alice", allow=["kms:ListKeys"]))
    one = followed(text).start()
    iam = one.server.client(service="iam")
    before, credentials, events = iam.get_user(UserName="alice")["User"], one.secret("alice"), len(one.events())
    one.follow(text)
    one.server.terminate()
    one.start()
    assert one.server.client(service="iam").get_user(UserName="alice")["User"] == before
    assert one.secret("alice") == credentials
    assert len(one.events()) == events == 2
    one.client("alice").list_keys()


def test_a_signal_is_enough_to_change_make_and_remove(followed):
    both = account(users=user("alice", allow=["kms:ListKeys"]) + user("bob", allow=["kms:ListKeys"]))
    one = followed(both).start()
    alice, bob = one.client("alice"), one.client("bob")
    alice.list_keys(), bob.list_keys()
    one.follow(account(users=user("bob", allow=["kms:ListAliases"]) + user("carol", allow=["kms:ListKeys"])))
    assert code(alice.list_keys) == "UnrecognizedClientException"
    assert code(bob.list_keys) == "AccessDeniedException"
    bob.list_aliases()
    one.client("carol").list_keys()
    names = [user["UserName"] for user in one.server.client(service="iam").list_users()["Users"]]
    assert names == ["bob", "carol"]


def test_an_access_key_has_its_secret_from_a_file_or_from_the_environment(followed, tmp_path):
    (tmp_path / "secret").write_text("secret/of/alice/secret/of/alice\n")
    keys = """
    [[account.user]]
    name = "alice"
    attach = ["arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"]
    access_keys = [
        { id = "AKIAALICEALICEALICE1", secret_file = "secret" },
        { id = "AKIAALICEALICEALICE2", secret_env = "ALICE_SECRET" },
    ]
    """
    one = followed(account(users=keys), environment={"ALICE_SECRET": "secret/of/the/environment"}).start()
    first = "AKIAALICEALICEALICE1", "secret/of/alice/secret/of/alice"
    one.server.client(credentials=first).list_keys()
    one.server.client(credentials=("AKIAALICEALICEALICE2", "secret/of/the/environment")).list_keys()
    (tmp_path / "secret").write_text("another/secret/of/alice")
    one.follow(one.path.read_text())
    assert code(one.server.client(credentials=first).list_keys) == "InvalidSignatureException"
    one.server.client(credentials=(first[0], "another/secret/of/alice")).list_keys()
    for secret in ("secret/of/alice", "secret/of/the/environment"):
        assert secret not in one.log()


def test_a_role_of_another_account_is_assumed_by_a_declared_user(followed):
    arn = f"arn:aws:iam::{OTHER}:role/ops"
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )
    role = f"""
    [[account.role]]
    name = "ops"
    trust = '{trust}'
    attach = ["arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"]
    """
    one = followed(account(users=user("alice", allow=["sts:AssumeRole"])) + account(OTHER, users=role)).start()
    session = one.client("alice", service="sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    ops = boto3.client(
        "kms", endpoint_url=one.server.url, region_name=REGION, aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"], aws_session_token=session["SessionToken"],
    )  # fmt: skip
    assert ops.create_key()["KeyMetadata"]["AWSAccountId"] == OTHER
    # An account that the file made has no access key of its root user until somebody wants one.
    assert not (one.server.data_dir / "accounts" / OTHER / "credentials").exists()


def test_what_people_made_is_left_alone_and_what_they_changed_is_put_back(followed):
    text = account(users=user("alice", allow=["kms:ListKeys"]))
    one = followed(text).start()
    iam = one.server.client(service="iam")
    iam.create_user(UserName="people")
    made = iam.create_access_key(UserName="alice")["AccessKey"]
    iam.delete_user_policy(UserName="alice", PolicyName="own")
    iam.tag_user(UserName="alice", Tags=[{"Key": "by", "Value": "people"}])
    assert code(one.client("alice").list_keys) == "AccessDeniedException"
    one.follow(text)
    one.client("alice").list_keys()
    assert iam.list_user_tags(UserName="alice")["Tags"] == []
    one.server.client(credentials=(made["AccessKeyId"], made["SecretAccessKey"])).list_keys()
    iam.get_user(UserName="people")


def test_a_file_that_is_not_in_order_is_refused_at_the_start(followed, make_server):
    make_server("data").start().terminate()
    for name, text, line, said in [
        ("grammar", "[[account]\n", 1, ""),
        ("an unknown member", '[[account]]\nid = "000000000000"\nusers = 1\n', 3, "unknown field `users`"),
        ("an account", '\n\n[[account]]\nid = "12"\n', 4, "account `12`"),
        ("a policy", account(users=user("alice") + "[account.user.policies]\np = '{}'\n"), 5, "user `alice`"),
        ("a group", account(users=user("alice", more='groups = ["none"]')), 5, "there is no group `none`"),
        ("a secret", account(users=user("alice")).replace("credentials_file", "secret_file"), 7, "an access key has"),
        ("a file", account(more='[[account.policy]]\nname = "p"\npolicy = { file = "p.json" }'), 4, "p.json"),
        ("a service", '[[service]]\nname = "s3"\n', 2, "service `s3`"),
    ]:
        one = followed(text)
        for options in ([], ["--check"]):
            one.server.options = options
            ended, output = one.server.fails()
            assert ended == 2, (name, options, output)
            assert "the identity file is not in order, and nothing of it was followed" in output, (name, options)
            assert f"{one.path}:{line}: " in output, (name, options, output)
            assert said in output, (name, options, output)
        assert not (one.server.data_dir / "accounts").exists(), name


def test_a_file_that_is_not_in_order_changes_nothing_while_the_service_runs(followed):
    text = account(users=user("alice", allow=["kms:ListKeys"]))
    one = followed(text).start()
    one.server.client(service="iam").create_user(UserName="people")
    events = len(one.events())
    for broken in (
        "nonsense",
        account(users=user("bob") + user("carol", more='groups = ["none"]')),
        account(users=user("bob") + user("people")),
    ):
        one.follow(broken, NOT_IN_ORDER)
        one.client("alice").list_keys()
    assert "user `people` of account 000000000000: it exists, and this file did not make it" in one.log()
    assert len(one.events()) == events
    assert not (one.server.data_dir / "accounts" / ACCOUNT / "bob").exists()
    one.follow(account(users=user("alice") + user("bob", allow=["kms:ListKeys"])))
    one.client("bob").list_keys()


def test_changes_stand_in_the_trail_before_they_count(followed):
    one = followed(account(users=user("alice")) + account(OTHER)).start()
    one.follow(account(users=user("alice", allow=["kms:ListKeys"])))
    one.follow(account())
    found = [(event["recipientAccountId"], event["eventName"]) for event in one.events()]
    assert found == [
        (ACCOUNT, "CreateUser"), (ACCOUNT, "CreateAccessKey"), (OTHER, "CreateAccount"),
        (ACCOUNT, "UpdateUser"), (OTHER, "DeleteAccount"), (ACCOUNT, "DeleteUser"), (ACCOUNT, "DeleteAccessKey"),
    ]  # fmt: skip
    assert {event["eventType"] for event in one.events()} == {"AwsServiceEvent"}
    assert one.events()[0]["serviceEventDetails"] == {"userName": "alice", "by": "identity file"}


def organization(*accounts):
    head = f'[organization]\nid = "o-a1b2c3d4e5"\nroot = "r-a1b2"\nmanagement_account = "{ACCOUNT}"\n'
    return "\n" + head + "".join(f'[[organization.account]]\nid = "{account}"\n' for account in accounts)


def test_service_control_policies_of_the_file_bind_at_once(followed):
    admin = user("admin", more='attach = ["arn:aws:iam::aws:policy/AdministratorAccess"]')
    identities = account() + account(OTHER, users=admin)
    deny = f"[organization.account.service_control]\nall = '{policy('*')}'\ndeny = '{policy('kms:CreateKey', effect='Deny')}'\n"
    one = followed(identities).start()
    kms = one.client("admin", OTHER)
    kms.create_key()
    one.follow(identities + organization(ACCOUNT, OTHER))
    kms.create_key()
    one.follow(identities + organization(ACCOUNT, OTHER) + deny)
    assert code(kms.create_key) == "AccessDeniedException"
    asked = {"PolicySourceArn": f"arn:aws:iam::{OTHER}:user/admin", "ActionNames": ["kms:CreateKey", "kms:ListKeys"]}
    simulated = one.client("admin", OTHER, service="iam").simulate_principal_policy(**asked)["EvaluationResults"]
    assert [result["EvalDecision"] for result in simulated] == ["explicitDeny", "allowed"]
    allowed = [result["OrganizationsDecisionDetail"]["AllowedByOrganizations"] for result in simulated]
    assert allowed == [False, True]
    kms.list_keys()
    one.follow(identities)
    kms.create_key()


def test_a_service_acts_for_a_resource_of_an_account_of_the_organization(followed):
    service = '[[service]]\nname = "s3.amazonaws.com"\naccess_keys = [{ credentials_file = "s3" }]\n'
    one = followed(account() + account(OTHER) + service + organization(ACCOUNT)).start()
    root, s3 = one.server.client(), one.client("s3")
    for conditions, source, allowed in [
        ({"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}, ACCOUNT, True),
        ({"StringEquals": {"aws:SourceOrgID": "o-another000"}}, ACCOUNT, False),
        ({"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-a1b2c3d4e5/r-a1b2/*"}}, ACCOUNT, True),
        # An account that is in no organization, and a call for no resource at all.
        ({"StringLike": {"aws:SourceOrgID": "*"}}, OTHER, False),
        ({"StringLike": {"aws:SourceOrgID": "*"}}, None, False),
    ]:
        statement = {
            "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:Encrypt", "Resource": "*",
            "Condition": conditions,
        }  # fmt: skip
        everybody = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [everybody, statement]})
        key = root.create_key(Policy=document)["KeyMetadata"]["KeyId"]

        def for_a_resource(request, source=source, **_):
            if source:
                request.headers["x-amz-source-account"] = source

        s3.meta.events.register("before-sign.kms", for_a_resource, unique_id="source")
        if allowed:
            s3.encrypt(KeyId=key, Plaintext=b"object")
        else:
            assert code(s3.encrypt, KeyId=key, Plaintext=b"object") == "AccessDeniedException", (conditions, source)
        s3.meta.events.unregister("before-sign.kms", unique_id="source")


def test_a_declared_service_calls_for_somebody(followed):
    service = '[[service]]\nname = "s3.amazonaws.com"\naccess_keys = [{ credentials_file = "s3" }]\n'
    one = followed(account(users=user("alice", allow=["kms:*"])) + service).start()
    root, alice, s3 = one.server.client(), one.client("alice"), one.client("s3")
    root.describe_key(KeyId="alias/aws/s3")
    asked = {"KeyId": "alias/aws/s3", "Plaintext": b"object"}
    assert code(alice.encrypt, **asked) == "AccessDeniedException"
    assert code(s3.encrypt, **asked) == "AccessDeniedException"

    def for_alice(request, **_):
        request.headers["x-amz-on-behalf-of"] = f"arn:aws:iam::{ACCOUNT}:user/alice"

    s3.meta.events.register("before-sign.kms", for_alice)
    s3.encrypt(**asked)
    one.follow(account(users=user("alice", allow=["kms:*"])))
    assert code(s3.encrypt, **asked) == "UnrecognizedClientException"


def test_an_organization_may_be_written_in_any_order_and_must_be_a_tree(followed):
    head = account() + f"""
    [organization]
    id = "o-a1b2c3d4e5"
    root = "r-a1b2"
    management_account = "{ACCOUNT}"
    [[organization.account]]
    id = "{ACCOUNT}"
    """

    def unit(id, parent=None, more=""):
        parent = f'parent = "ou-a1b2-{parent}"\n' if parent else ""
        return f'[[organization.unit]]\nid = "ou-a1b2-{id}"\nname = "{id}"\n{parent}{more}\n'

    one = followed(head + unit("innermost", "middle000") + unit("middle000", "outermost") + unit("outermost")).start()
    one.follow(head + unit("outermost") + unit("middle000", "outermost") + unit("innermost", "middle000"))
    assert [event["eventName"] for event in one.events()] == ["CreateOrganization"]
    for units, said in [
        (unit("middle000", "unknown00"), "its parent `ou-a1b2-unknown00` is not in the organization"),
        (unit("middle000", "innermost") + unit("innermost", "middle000"), "or within the unit itself"),
        (unit("middle000") + unit("middle000"), "there are two units `ou-a1b2-middle000`"),
        (unit("UPPER0000"), "`ou-a1b2-UPPER0000` is not the id of an organizational unit"),
        (unit("middle000", more=f"service_control = {{ p = '{{}}' }}"), "policy `p`"),
        (f'[[organization.account]]\nid = "{OTHER}"\n', f"there is no account {OTHER}"),
        (f'[[organization.account]]\nid = "{OTHER}"\nunit = "ou-x"\n', "there is no unit `ou-x`"),
    ]:
        one.follow(head + units, NOT_IN_ORDER)
        assert said in one.log(), said


def test_an_account_with_keys_is_not_taken_out_of_the_file(followed):
    admin = user("admin", more='attach = ["arn:aws:iam::aws:policy/AdministratorAccess"]')
    one = followed(account(OTHER, users=admin)).start()
    one.client("admin", OTHER).create_key()
    one.follow(account(), NOT_IN_ORDER)
    assert f"account {OTHER} is no longer in the file, but it has 1 KMS keys" in one.log()
    one.client("admin", OTHER).list_keys()


def test_the_check_looks_at_the_file_and_makes_nothing(followed):
    one = followed(account()).start()
    one.server.terminate()
    one.path.write_text(account(users=user("alice")))
    checked = subprocess.run([*one.server.command(), "--check"], capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0, checked.stderr
    assert not (one.server.data_dir / "accounts").exists()
    one.start()
    assert (one.server.data_dir / "accounts" / ACCOUNT / "alice").exists()


def test_the_example_of_the_documents_is_in_order(followed):
    document = (REPOSITORY / "docs" / "identity.md").read_text()
    example = re.search(r"```toml\n(# identity\.toml\n.*?)```", document, re.DOTALL).group(1)
    one = followed(example).start()
    key = one.server.client().create_key()["KeyMetadata"]["KeyId"]
    alice = one.client("alice.credentials")
    # Her boundary lets her look at keys, and does not let her use them.
    alice.describe_key(KeyId=key)
    assert code(alice.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    deployer = one.client("deployer.credentials", service="sts")
    deployer.assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/ops", RoleSessionName="session")
    before = len(one.events())
    one.follow(example)
    assert len(one.events()) == before
