"""Terraform with its AWS provider: makes identities, finds them unchanged, changes them, takes them away."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from server import ACCOUNT

PLUGINS = [
    os.environ.get("KEYREEVE_TERRAFORM_PLUGINS", ""),
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/tf-plugins",
]
HERE = pathlib.Path(__file__).parent / "terraform"


def plugins():
    return next((path for path in PLUGINS if path and list(pathlib.Path(path).glob("*/hashicorp/aws"))), None)


@pytest.fixture
def terraform(request, server, tmp_path):
    if not (shutil.which("terraform") and plugins()):
        pytest.skip("terraform or its AWS provider is not here (KEYREEVE_TERRAFORM_PLUGINS)")
    configuration = tmp_path / "terraform.rc"
    configuration.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{plugins()}"\n  }}\n}}\n')
    shutil.copy(HERE / request.param, tmp_path)
    environment = {name: value for name, value in server.environment_of_clients().items() if name != "AWS_ENDPOINT_URL"}
    environment |= {
        "TF_CLI_CONFIG_FILE": str(configuration), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1",
        "TF_VAR_endpoint": server.url,
    }  # fmt: skip

    def run(command, *arguments, action="kms:Encrypt", exits=0):
        result = subprocess.run(
            ["terraform", command, "-no-color", *arguments],
            env={**environment, "TF_VAR_action": action},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == exits, result.stdout + result.stderr
        return result.stdout

    run("init", "-input=false")
    return run


@pytest.mark.parametrize("terraform", ["identities.tf"], indirect=True)
def test_identities_are_kept_by_terraform(server, terraform, long):
    apply, plan = ("apply", "-auto-approve", "-input=false"), ("plan", "-detailed-exitcode", "-input=false")
    terraform(*apply)
    assert json.loads(terraform("output", "-json"))["account"]["value"] == ACCOUNT
    terraform(*plan)
    iam = server.client(service="iam")
    # Every run of terraform takes many seconds to start its provider.
    if long:
        terraform(*plan, action="kms:Decrypt", exits=2)
        terraform(*apply, action="kms:Decrypt")
        terraform(*plan, action="kms:Decrypt")
        own = iam.get_user_policy(UserName="terraform", PolicyName="own")["PolicyDocument"]
        assert own["Statement"][0]["Action"] == "kms:Decrypt"
    terraform("destroy", "-auto-approve", "-input=false")
    assert "terraform" not in [user["UserName"] for user in iam.list_users()["Users"]]


@pytest.mark.parametrize("terraform", ["replica_key.tf"], indirect=True)
def test_a_replica_key_is_kept_by_terraform(server, terraform):
    terraform("apply", "-auto-approve", "-input=false")
    made = {name: output["value"] for name, output in json.loads(terraform("output", "-json")).items()}
    key = made["primary"].rsplit("/", 1)[1]
    assert key.startswith("mrk-") and made["replica"] == made["primary"].replace("us-east-1", "eu-west-1")
    terraform("plan", "-detailed-exitcode", "-input=false")
    sealed = server.client("us-east-1").encrypt(KeyId=key, Plaintext=b"a")["CiphertextBlob"]
    assert server.client("eu-west-1").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"a"
    terraform("destroy", "-auto-approve", "-input=false")
    states = [
        server.client(region).describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for region in ("eu-west-1", "us-east-1")
    ]
    assert states == ["PendingDeletion", "PendingReplicaDeletion"]


@pytest.mark.parametrize("terraform", ["alarm.tf"], indirect=True)
def test_alarms_are_kept_by_terraform(server, terraform):
    apply, plan = ("apply", "-auto-approve", "-input=false"), ("plan", "-detailed-exitcode", "-input=false")
    terraform(*apply)
    terraform(*plan)
    cloudwatch = server.client(service="cloudwatch")
    failures, usage = cloudwatch.describe_alarms(AlarmNamePrefix="terraform/")["MetricAlarms"]
    assert (usage["Threshold"], usage["DatapointsToAlarm"], usage["TreatMissingData"]) == (0.5, 2, "notBreaching")
    assert cloudwatch.list_tags_for_resource(ResourceARN=usage["AlarmArn"])["Tags"] == [{"Key": "team", "Value": "keys"}]
    assert [query["Id"] for query in failures["Metrics"]] == ["rate", "failed", "done"]
    terraform(*apply, action="kms:Decrypt")
    (usage,) = cloudwatch.describe_alarms(AlarmNames=["terraform/usage"])["MetricAlarms"]
    assert usage["AlarmDescription"] == "may kms:Decrypt & more"
    terraform("destroy", "-auto-approve", "-input=false")
    assert cloudwatch.describe_alarms(AlarmNamePrefix="terraform/")["MetricAlarms"] == []
