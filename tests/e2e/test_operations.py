"""Every operation on good input, through boto3."""

import datetime
import json

import pytest

from server import ACCOUNT, REGION, alias_arn, key_arn


def state(kms, key):
    return kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]


def alias_name(request, suffix=""):
    """A name of the test's own."""
    return f"alias/{request.node.name.translate(str.maketrans('[]. ', '____'))}{suffix}"


def without_metadata(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


# Keys


def test_a_new_key_has_the_documented_defaults(kms):
    metadata = kms.create_key()["KeyMetadata"]
    created = metadata.pop("CreationDate")
    assert abs((datetime.datetime.now(datetime.UTC) - created).total_seconds()) < 60
    material = metadata.pop("CurrentKeyMaterialId")
    assert len(material) == 64 and int(material, 16) >= 0
    assert metadata == {
        "AWSAccountId": ACCOUNT,
        "Arn": key_arn(metadata["KeyId"]),
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "Description": "",
        "Enabled": True,
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "KeyId": metadata["KeyId"],
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
        "Origin": "AWS_KMS",
    }


def test_a_key_keeps_what_it_was_made_with(kms):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
        ],
    }
    tags = [{"TagKey": "team", "TagValue": "a"}, {"TagKey": "Empty", "TagValue": ""}]
    key = kms.create_key(Description="ünïcode", Policy=json.dumps(policy), Tags=tags)["KeyMetadata"]["KeyId"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "ünïcode"
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"]) == policy
    assert kms.list_resource_tags(KeyId=key)["Tags"] == tags


def test_an_update_changes_the_description_alone(kms, key):
    before = kms.describe_key(KeyId=key)["KeyMetadata"]
    for description in ("new", "", "x" * 8192):
        kms.update_key_description(KeyId=key, Description=description)
        assert kms.describe_key(KeyId=key)["KeyMetadata"] == {**before, "Description": description}


def test_a_key_goes_off_and_on(kms, key):
    for _ in range(2):  # Each call may be repeated.
        kms.disable_key(KeyId=key)
        assert state(kms, key) == "Disabled"
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert metadata["Enabled"] is False
    for _ in range(2):
        kms.enable_key(KeyId=key)
        assert state(kms, key) == "Enabled"


@pytest.mark.parametrize("days", [7, 30, None])
def test_a_deletion_is_scheduled_and_cancelled(kms, key, days):
    window = {"PendingWindowInDays": days} if days else {}
    planned = without_metadata(kms.schedule_key_deletion(KeyId=key, **window))
    date = planned.pop("DeletionDate")
    left = date - datetime.datetime.now(datetime.UTC)
    assert abs(left - datetime.timedelta(days=days or 30)) < datetime.timedelta(days=1, minutes=5)
    assert planned == {"KeyId": key_arn(key), "KeyState": "PendingDeletion", "PendingWindowInDays": days or 30}
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (metadata["KeyState"], metadata["DeletionDate"]) == ("PendingDeletion", date)
    assert without_metadata(kms.cancel_key_deletion(KeyId=key)) == {"KeyId": key_arn(key)}
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert metadata["KeyState"] == "Disabled" and "DeletionDate" not in metadata


def test_all_forms_of_a_key_id_lead_to_the_key(kms, key, request):
    alias = alias_name(request)
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    for form in (key, key_arn(key), alias, alias_arn(alias)):
        assert kms.describe_key(KeyId=form)["KeyMetadata"]["KeyId"] == key, form
        sealed = kms.encrypt(KeyId=form, Plaintext=b"x")
        assert sealed["KeyId"] == key_arn(key), form
        opened = kms.decrypt(KeyId=form, CiphertextBlob=sealed["CiphertextBlob"])
        assert (opened["Plaintext"], opened["KeyId"]) == (b"x", key_arn(key)), form
        assert kms.generate_data_key(KeyId=form, KeySpec="AES_256")["KeyId"] == key_arn(key), form
    for form in (key, key_arn(key)):
        assert kms.get_key_rotation_status(KeyId=form)["KeyId"] == key_arn(key), form


# Aliases


def test_an_alias_moves_from_key_to_key(kms, request):
    alias = alias_name(request)
    first, second = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    kms.create_alias(AliasName=alias, TargetKeyId=first)
    sealed = kms.encrypt(KeyId=alias, Plaintext=b"x")
    assert sealed["KeyId"] == key_arn(first)
    (entry,) = kms.list_aliases(KeyId=first)["Aliases"]
    assert entry["AliasName"] == alias and entry["AliasArn"] == alias_arn(alias) and entry["TargetKeyId"] == first
    assert isinstance(entry["CreationDate"], datetime.datetime)
    kms.update_alias(AliasName=alias, TargetKeyId=key_arn(second))
    assert kms.list_aliases(KeyId=first)["Aliases"] == []
    assert kms.list_aliases(KeyId=key_arn(second))["Aliases"][0]["TargetKeyId"] == second
    assert kms.encrypt(KeyId=alias, Plaintext=b"x")["KeyId"] == key_arn(second)
    assert kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])["KeyId"] == key_arn(first)
    kms.delete_alias(AliasName=alias)
    assert kms.list_aliases(KeyId=second)["Aliases"] == []
    assert state(kms, second) == "Enabled"
    kms.create_alias(AliasName=alias, TargetKeyId=first)
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"] == first


def test_alias_names_use_their_whole_alphabet_and_length(kms, key):
    for name in ("alias/a", "alias/A-b_c/d/9", "alias/" + "x" * 250):
        kms.create_alias(AliasName=name, TargetKeyId=key)
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == key
        kms.delete_alias(AliasName=name)


# Tags


def test_tags_are_added_replaced_and_removed(kms, key):
    def tags():
        return {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key)["Tags"]}

    assert tags() == {}
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "A", "TagValue": "2"}])
    assert tags() == {"a": "1", "A": "2"}
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "3"}, {"TagKey": "b", "TagValue": ""}])
    assert tags() == {"a": "3", "A": "2", "b": ""}
    kms.untag_resource(KeyId=key, TagKeys=["A", "never there"])
    assert tags() == {"a": "3", "b": ""}


# Policies


def test_the_default_policy_gives_the_account_everything(kms, key):
    answer = kms.get_key_policy(KeyId=key)
    assert json.loads(answer["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    assert answer["PolicyName"] == "default"


def test_a_policy_is_returned_as_it_was_put(kms, key):
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    text = json.dumps({**json.loads(policy), "Id": "spaced   out"}, indent=3)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    assert kms.get_key_policy(KeyId=key)["Policy"] == text
    names = without_metadata(kms.list_key_policies(KeyId=key))
    assert names == {"PolicyNames": ["default"], "Truncated": False}


# Cryptography


CONTEXTS = [
    pytest.param({}, id="none"),
    pytest.param({"purpose": "demo", "environment": "test"}, id="two"),
    pytest.param({"ключ": "значение", "emoji": "🔑", "empty": ""}, id="unicode"),
    pytest.param({f"k{n}": "v" * 100 for n in range(50)}, id="many"),
]


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("size", [1, 32, 4096])
def test_what_is_encrypted_is_decrypted(kms, shared_key, size, context):
    plaintext = bytes(n % 251 for n in range(size))
    sealed = kms.encrypt(KeyId=shared_key, Plaintext=plaintext, EncryptionContext=context)
    assert without_metadata(sealed).keys() == {"CiphertextBlob", "EncryptionAlgorithm", "KeyId"}
    assert sealed["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    reordered = dict(reversed(context.items()))
    for named in ({}, {"KeyId": shared_key}, {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}):
        opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=reordered, **named)
        assert opened["Plaintext"] == plaintext
        assert opened["KeyId"] == key_arn(shared_key)


def test_no_two_ciphertexts_are_equal(kms, shared_key):
    blobs = {kms.encrypt(KeyId=shared_key, Plaintext=b"same")["CiphertextBlob"] for _ in range(20)}
    assert len(blobs) == 20


def test_reencryption_moves_a_ciphertext(kms, shared_key, key):
    sealed = kms.encrypt(KeyId=shared_key, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=sealed,
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=key,
        DestinationEncryptionContext={"b": "2"},
    )
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key_arn(shared_key), key_arn(key))
    assert moved["SourceEncryptionAlgorithm"] == moved["DestinationEncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    current = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert moved["DestinationKeyMaterialId"] == current
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})["Plaintext"] == b"x"
    same = kms.re_encrypt(
        CiphertextBlob=sealed, SourceKeyId=shared_key, SourceEncryptionContext={"a": "1"}, DestinationKeyId=shared_key
    )
    assert kms.decrypt(CiphertextBlob=same["CiphertextBlob"])["Plaintext"] == b"x"


@pytest.mark.parametrize(
    ("size", "length"),
    [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1}, 1), ({"NumberOfBytes": 1024}, 1024)],
)
def test_a_data_key_comes_in_clear_and_sealed(kms, shared_key, size, length):
    made = kms.generate_data_key(KeyId=shared_key, EncryptionContext={"a": "1"}, **size)
    material = kms.describe_key(KeyId=shared_key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert len(made["Plaintext"]) == length
    assert (made["KeyId"], made["KeyMaterialId"]) == (key_arn(shared_key), material)
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "1"})
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (made["Plaintext"], material)
    blind = kms.generate_data_key_without_plaintext(KeyId=shared_key, EncryptionContext={"a": "1"}, **size)
    assert without_metadata(blind).keys() == {"CiphertextBlob", "KeyId", "KeyMaterialId"}
    assert len(kms.decrypt(CiphertextBlob=blind["CiphertextBlob"], EncryptionContext={"a": "1"})["Plaintext"]) == length


@pytest.mark.parametrize("length", [1, 32, 1024])
def test_random_bytes_are_as_many_as_asked_for(kms, length):
    assert len(kms.generate_random(NumberOfBytes=length)["Plaintext"]) == length
    assert kms.generate_random(NumberOfBytes=32)["Plaintext"] != kms.generate_random(NumberOfBytes=32)["Plaintext"]


def test_a_dry_run_says_what_would_have_been(kms, shared_key):
    sealed = kms.encrypt(KeyId=shared_key, Plaintext=b"x")["CiphertextBlob"]
    for call in (
        lambda: kms.encrypt(KeyId=shared_key, Plaintext=b"x", DryRun=True),
        lambda: kms.decrypt(CiphertextBlob=sealed, DryRun=True),
        lambda: kms.re_encrypt(CiphertextBlob=sealed, DestinationKeyId=shared_key, DryRun=True),
        lambda: kms.generate_data_key(KeyId=shared_key, KeySpec="AES_256", DryRun=True),
        lambda: kms.generate_data_key_without_plaintext(KeyId=shared_key, KeySpec="AES_256", DryRun=True),
    ):
        with pytest.raises(kms.exceptions.DryRunOperationException) as caught:
            call()
        assert caught.value.response["Error"]["Message"] == (
            "The request would have succeeded, but the DryRun option is set."
        )
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.encrypt(KeyId="alias/nothing-here", Plaintext=b"x", DryRun=True)


# Rotation


def test_rotation_goes_on_and_off(kms, key):
    off = {"KeyId": key_arn(key), "KeyRotationEnabled": False}
    assert without_metadata(kms.get_key_rotation_status(KeyId=key)) == off
    for period in (365, 90, 2560):
        kms.enable_key_rotation(KeyId=key, **({} if period == 365 else {"RotationPeriodInDays": period}))
        status = kms.get_key_rotation_status(KeyId=key)
        assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, period)
        left = status["NextRotationDate"] - datetime.datetime.now(datetime.UTC)
        assert abs(left - datetime.timedelta(days=period)) < datetime.timedelta(days=1)
    kms.disable_key_rotation(KeyId=key)
    assert without_metadata(kms.get_key_rotation_status(KeyId=key)) == off


def test_a_rotation_on_demand_changes_the_material_and_keeps_the_old(kms, key):
    def current():
        return kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]

    first = current()
    sealed = kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"]
    assert kms.list_key_rotations(KeyId=key)["Rotations"] == []
    assert without_metadata(kms.rotate_key_on_demand(KeyId=key)) == {"KeyId": key_arn(key)}
    second = current()
    assert first != second
    opened = kms.decrypt(CiphertextBlob=sealed)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"before", first)
    assert kms.generate_data_key(KeyId=key, KeySpec="AES_256")["KeyMaterialId"] == second
    (rotation,) = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert (rotation["RotationType"], rotation["KeyMaterialId"]) == ("ON_DEMAND", second)
    assert isinstance(rotation["RotationDate"], datetime.datetime)
    entries = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    states = {entry["KeyMaterialId"]: entry["KeyMaterialState"] for entry in entries}
    assert states == {first: "NON_CURRENT", second: "CURRENT"}
    (oldest,) = [entry for entry in entries if entry["KeyMaterialId"] == first]
    assert "RotationDate" not in oldest and "RotationType" not in oldest
    moved = kms.re_encrypt(CiphertextBlob=sealed, DestinationKeyId=key)
    assert (moved["SourceKeyMaterialId"], moved["DestinationKeyMaterialId"]) == (first, second)


def test_the_last_usage_names_the_last_operation(kms, key):
    answer = kms.get_key_last_usage(KeyId=key)
    assert answer["KeyId"] == key_arn(key)
    assert isinstance(answer["TrackingStartDate"], datetime.datetime)
    assert answer["KeyCreationDate"] == kms.describe_key(KeyId=key)["KeyMetadata"]["CreationDate"]
    kms.encrypt(KeyId=key, Plaintext=b"x")
    # The record is batched, so it may still be missing; what it says must be right.
    usage = kms.get_key_last_usage(KeyId=key).get("KeyLastUsage")
    assert usage is None or usage["Operation"] == "Encrypt"


# Lists


def test_pages_of_keys_are_whole_and_without_doubles(kms):
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)}
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["Keys"]) <= 2 for page in pages)
    assert [page["Truncated"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert [("NextMarker" in page) for page in pages] == [page["Truncated"] for page in pages]
    found = [entry["KeyId"] for page in pages for entry in page["Keys"]]
    assert made <= set(found) and len(found) == len(set(found))
    assert all(entry["KeyArn"] == key_arn(entry["KeyId"]) for page in pages for entry in page["Keys"])


def test_pages_of_aliases_tags_and_rotations_are_whole(kms, key, request):
    names = {alias_name(request, f"-{n}") for n in range(5)}
    for name in names:
        kms.create_alias(AliasName=name, TargetKeyId=key)
    pages = kms.get_paginator("list_aliases").paginate(KeyId=key, PaginationConfig={"PageSize": 2})
    found = [entry["AliasName"] for page in pages for entry in page["Aliases"]]
    assert sorted(found) == sorted(names)

    kms.tag_resource(KeyId=key, Tags=[{"TagKey": f"t{n:02}", "TagValue": str(n)} for n in range(50)])
    pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key, PaginationConfig={"PageSize": 20})
    assert len({tag["TagKey"] for page in pages for tag in page["Tags"]}) == 50

    for _ in range(3):
        kms.rotate_key_on_demand(KeyId=key)
    pages = list(kms.get_paginator("list_key_rotations").paginate(KeyId=key, PaginationConfig={"PageSize": 2}))
    assert [len(page["Rotations"]) for page in pages] == [2, 1]


def test_every_alias_is_in_the_whole_list(kms, key, request):
    alias = alias_name(request)
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 7})
    assert alias in {entry["AliasName"] for page in pages for entry in page["Aliases"]}


# Keys of AWS services, and Regions


def test_a_key_of_a_service_is_made_when_it_is_first_named(server):
    kms = server.client("eu-central-1")
    metadata = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (metadata["KeyManager"], metadata["KeyState"], metadata["Origin"]) == ("AWS", "Enabled", "AWS_KMS")
    assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"] == metadata["KeyId"]
    status = kms.get_key_rotation_status(KeyId=metadata["KeyId"])
    assert status["KeyRotationEnabled"] is True
    named = {entry["AliasName"]: entry.get("TargetKeyId") for entry in kms.list_aliases()["Aliases"]}
    assert named["alias/aws/s3"] == metadata["KeyId"]


def test_regions_have_their_own_keys(server):
    here, there = server.client(REGION), server.client("eu-west-1")
    key = there.create_key()["KeyMetadata"]
    assert key["Arn"] == key_arn(key["KeyId"], "eu-west-1")
    with pytest.raises(here.exceptions.NotFoundException) as caught:
        here.describe_key(KeyId=key["KeyId"])
    assert caught.value.response["Error"]["Message"] == f"Key '{key_arn(key['KeyId'])}' does not exist"
    assert key["KeyId"] not in {entry["KeyId"] for page in here.get_paginator("list_keys").paginate() for entry in page["Keys"]}
    for region in (here, there):
        region.create_alias(AliasName="alias/in-both-regions", TargetKeyId=region.create_key()["KeyMetadata"]["KeyId"])
    sealed = there.encrypt(KeyId="alias/in-both-regions", Plaintext=b"x")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    with pytest.raises(here.exceptions.ClientError):
        here.decrypt(CiphertextBlob=sealed)


# Durability


def test_what_was_acknowledged_survives_a_kill(fresh_server):
    kms = fresh_server.start().client()
    key = kms.create_key(Description="kept")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/kept", TargetKeyId=key)
    kms.rotate_key_on_demand(KeyId=key)
    sealed = kms.encrypt(KeyId=key, Plaintext=b"kept", EncryptionContext={"a": "b"})["CiphertextBlob"]
    described = kms.describe_key(KeyId=key)["KeyMetadata"]
    credentials = fresh_server.credentials
    fresh_server.kill()
    kms = fresh_server.start().client()
    assert fresh_server.credentials == credentials
    assert kms.describe_key(KeyId="alias/kept")["KeyMetadata"] == described
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})["Plaintext"] == b"kept"
    assert fresh_server.terminate() == 0
    kms = fresh_server.start().client()
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})["Plaintext"] == b"kept"


def test_the_root_pair_can_be_chosen(fresh_server):
    pair = ("AKIAKEYREEVEEXAMPLE0", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    fresh_server.environment = {
        "KEYREEVE_ROOT_ACCESS_KEY_ID": pair[0],
        "KEYREEVE_ROOT_SECRET_ACCESS_KEY": pair[1],
    }
    assert fresh_server.start().client(credentials=pair).list_keys()["Keys"] == []


def test_the_account_and_the_regions_can_be_chosen(fresh_server):
    fresh_server.options = ["--account", "123456789012", "--regions", "eu-west-1,eu-central-1"]
    kms = fresh_server.start().client("eu-central-1")
    assert kms.create_key()["KeyMetadata"]["Arn"].startswith("arn:aws:kms:eu-central-1:123456789012:key/")
    other = fresh_server.client("us-east-1")
    with pytest.raises(other.exceptions.ClientError) as caught:
        other.list_keys()
    assert caught.value.response["Error"] == {
        "Code": "InvalidSignatureException",
        "Message": "Credential should be scoped to a valid region. ",
    }
