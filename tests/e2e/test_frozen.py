"""What an earlier release wrote, this one reads."""

import base64
import json
import tarfile

import pytest

import freeze
import server as harness

ARCHIVES = sorted((harness.REPOSITORY / "tests" / "frozen").glob("*.tar.gz"))


def test_something_is_frozen():
    assert ARCHIVES


def test_a_key_of_every_spec_is_frozen(tmp_path):
    found = set()
    for archive in ARCHIVES:
        with tarfile.open(archive) as packed:
            expected = json.load(packed.extractfile("expected.json"))
        found |= {held["spec"] for held in expected["file"].get("specs", [])}
    assert found == freeze.SPECS.keys()


@pytest.mark.parametrize("seal", ["file", "passphrase"])
@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_a_frozen_data_directory_opens_and_holds_what_it_held(archive, seal, tmp_path, make_server):
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    expected = json.loads((tmp_path / "expected.json").read_text())[seal]
    server = make_server(seal, config=freeze.config(seal, tmp_path)).start()
    kms = server.client()

    for sealed in expected["sealed"]:
        opened = kms.decrypt(CiphertextBlob=base64.b64decode(sealed["blob"]), EncryptionContext=sealed["context"])
        assert base64.b64encode(opened["Plaintext"]).decode() == sealed["plaintext"]
    # The first archive has none.
    for held in expected.get("specs", []):
        result = freeze.used_again(kms, held["spec"], held["usage"], held["key"], base64.b64decode(held["made"]))
        assert base64.b64encode(result).decode() == held["result"], held["spec"]
    for name in ("alias/frozen", "alias/frozen/second"):
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == expected["key"]
    metadata = kms.describe_key(KeyId=expected["key"])["KeyMetadata"]
    assert (metadata["Description"], metadata["KeyState"]) == ("frozen", "Enabled")
    assert metadata["CurrentKeyMaterialId"] == expected["materials"][-1]
    tags = kms.list_resource_tags(KeyId=expected["key"])["Tags"]
    assert tags == [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": ""}]
    assert kms.get_key_policy(KeyId=expected["key"])["Policy"] == expected["policy"]
    assert kms.get_key_rotation_status(KeyId=expected["key"])["RotationPeriodInDays"] == 2560
    rotations = kms.list_key_rotations(KeyId=expected["key"], IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [rotation["KeyMaterialId"] for rotation in rotations][: len(expected["materials"])] == expected["materials"]
    assert kms.describe_key(KeyId=expected["disabled"])["KeyMetadata"]["KeyState"] == "Disabled"
    # The waiting period of the frozen key ends one day, and with it the key.
    try:
        leaving = kms.describe_key(KeyId=expected["leaving"])["KeyMetadata"]
        assert leaving["KeyState"] == "PendingDeletion"
        assert leaving["DeletionDate"].timestamp() == pytest.approx(expected["deletion"], abs=1)
    except kms.exceptions.NotFoundException:
        import time

        assert time.time() >= expected["deletion"]
    assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"] == expected["managed"]
