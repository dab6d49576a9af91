"""Multi-Region keys: one server answers for all of their Regions."""

import base64
import json
import os
import threading
import time

import audit
import botocore.exceptions
import pytest
from server import ACCOUNT
from test_import import import_into

HOME, AWAY, THIRD = "us-east-1", "eu-west-1", "ap-southeast-2"


def arn(region, key):
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{key}"


def related(region, key):
    return {"Arn": arn(region, key), "Region": region}


def describe(kms, key):
    return kms.describe_key(KeyId=key)["KeyMetadata"]


def refused(call, code, text=None, **request):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**request)
    assert error.value.response["Error"]["Code"] == code, error.value.response
    if text is not None:
        assert error.value.response["Error"]["Message"] == text


@pytest.fixture(scope="module")
def regions(server):
    return {region: server.client(region) for region in (HOME, AWAY, THIRD)}


@pytest.fixture
def replicated(regions):
    """The id of a primary key in HOME that has a replica key in AWAY."""
    key = regions[HOME].create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    regions[HOME].replicate_key(KeyId=key, ReplicaRegion=AWAY)
    return key


def test_related_keys_know_each_other(regions):
    made = regions[HOME].create_key(MultiRegion=True, Description="one")["KeyMetadata"]
    key = made["KeyId"]
    assert key.startswith("mrk-") and len(key) == 36 and made["MultiRegion"]
    alone = {"MultiRegionKeyType": "PRIMARY", "PrimaryKey": related(HOME, key), "ReplicaKeys": []}
    assert made["MultiRegionConfiguration"] == alone
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
    )
    tags = [{"TagKey": "a", "TagValue": "b"}]
    answer = regions[HOME].replicate_key(
        KeyId=arn(HOME, key), ReplicaRegion=AWAY, Description="two", Tags=tags, Policy=policy
    )
    replica = answer["ReplicaKeyMetadata"]
    assert (replica["KeyState"], replica["Enabled"], replica["Description"]) == ("Creating", False, "two")
    assert "CurrentKeyMaterialId" not in replica, "a key that is being made has none yet"
    assert (answer["ReplicaPolicy"], answer["ReplicaTags"]) == (policy, tags)
    for region, kind, description in ((HOME, "PRIMARY", "one"), (AWAY, "REPLICA", "two")):
        seen = describe(regions[region], key)
        assert (seen["KeyState"], seen["Arn"], seen["Description"]) == ("Enabled", arn(region, key), description)
        expected = {
            "MultiRegionKeyType": kind, "PrimaryKey": related(HOME, key), "ReplicaKeys": [related(AWAY, key)],
        }  # fmt: skip
        assert seen["MultiRegionConfiguration"] == expected
        assert seen["CurrentKeyMaterialId"] == made["CurrentKeyMaterialId"]
    assert regions[AWAY].list_resource_tags(KeyId=key)["Tags"] == tags
    assert json.loads(regions[AWAY].get_key_policy(KeyId=key)["Policy"]) == json.loads(policy)
    refused(regions[THIRD].describe_key, "NotFoundException", KeyId=key)
    assert "ReplicaTags" not in regions[HOME].replicate_key(KeyId=key, ReplicaRegion=THIRD)


def test_what_was_encrypted_in_one_region_decrypts_in_another(regions, replicated):
    context = {"purpose": "test"}
    for there, here in ((HOME, AWAY), (AWAY, HOME)):
        blob = regions[there].encrypt(KeyId=replicated, Plaintext=b"a", EncryptionContext=context)["CiphertextBlob"]
        for more in ({}, {"KeyId": replicated}, {"KeyId": arn(here, replicated)}):
            opened = regions[here].decrypt(CiphertextBlob=blob, EncryptionContext=context, **more)
            assert (opened["Plaintext"], opened["KeyId"]) == (b"a", arn(here, replicated))
        moved = regions[here].re_encrypt(
            CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=replicated
        )
        assert moved["SourceKeyId"] == arn(here, replicated)
        assert regions[there].decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"a"
        refused(
            regions[here].decrypt, "InvalidCiphertextException", CiphertextBlob=blob, EncryptionContext={"purpose": "x"}
        )
    data_key = regions[HOME].generate_data_key(KeyId=replicated, KeySpec="AES_256")
    assert regions[AWAY].decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"] == data_key["Plaintext"]
    single = regions[HOME].create_key()["KeyMetadata"]["KeyId"]
    blob = regions[HOME].encrypt(KeyId=single, Plaintext=b"a")["CiphertextBlob"]
    with pytest.raises(botocore.exceptions.ClientError):
        regions[AWAY].decrypt(CiphertextBlob=blob)


def test_keys_of_other_kinds_are_used_across_regions(regions):
    def pair(spec, usage):
        key = regions[HOME].create_key(MultiRegion=True, KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        regions[HOME].replicate_key(KeyId=key, ReplicaRegion=AWAY)
        return key

    for spec, algorithm in (("ECC_NIST_P256", "ECDSA_SHA_256"), ("ML_DSA_44", "ML_DSA_SHAKE_256")):
        key = pair(spec, "SIGN_VERIFY")
        signed = regions[HOME].sign(KeyId=key, Message=b"m", SigningAlgorithm=algorithm)["Signature"]
        verified = regions[AWAY].verify(KeyId=key, Message=b"m", Signature=signed, SigningAlgorithm=algorithm)
        assert verified["SignatureValid"] and verified["KeyId"] == arn(AWAY, key)
        assert regions[HOME].get_public_key(KeyId=key)["PublicKey"] == regions[AWAY].get_public_key(KeyId=key)["PublicKey"]
    key = pair("HMAC_256", "GENERATE_VERIFY_MAC")
    mac = regions[AWAY].generate_mac(KeyId=key, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert regions[HOME].verify_mac(KeyId=key, Message=b"m", Mac=mac, MacAlgorithm="HMAC_SHA_256")["MacValid"]
    key = pair("RSA_2048", "ENCRYPT_DECRYPT")
    blob = regions[HOME].encrypt(KeyId=key, Plaintext=b"a", EncryptionAlgorithm="RSAES_OAEP_SHA_256")["CiphertextBlob"]
    opened = regions[AWAY].decrypt(KeyId=key, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert opened["Plaintext"] == b"a"
    key = pair("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")
    made = regions[HOME].encapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM")
    blob = made["SharedSecretCiphertextBlob"]
    taken = regions[AWAY].decapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM", SharedSecretCiphertextBlob=blob)
    assert (taken["KeyId"], bool(made["SharedSecret"])) == (arn(AWAY, key), True)
    assert taken["SharedSecret"] == made["SharedSecret"]
    own, other = pair("ECC_NIST_P256", "KEY_AGREEMENT"), pair("ECC_NIST_P256", "KEY_AGREEMENT")
    public = regions[HOME].get_public_key(KeyId=other)["PublicKey"]
    secrets = [
        regions[region].derive_shared_secret(KeyId=own, KeyAgreementAlgorithm="ECDH", PublicKey=public)["SharedSecret"]
        for region in (HOME, AWAY)
    ]
    assert secrets[0] == secrets[1]


def test_rotation_belongs_to_the_primary_key(regions, replicated):
    home, away = regions[HOME], regions[AWAY]
    text = f"{arn(AWAY, replicated)} is a multi-region replica key which is not valid for"
    for call, operation in (
        (away.enable_key_rotation, "EnableKeyRotation"),
        (away.disable_key_rotation, "DisableKeyRotation"),
        (away.rotate_key_on_demand, "RotateKeyOnDemand"),
    ):
        refused(call, "UnsupportedOperationException", f"{text} {operation}.", KeyId=replicated)
    text = f"{arn(AWAY, replicated)} is not a multi-region primary key."
    refused(away.replicate_key, "UnsupportedOperationException", text, KeyId=replicated, ReplicaRegion=THIRD)
    before = away.encrypt(KeyId=replicated, Plaintext=b"a")["CiphertextBlob"]
    home.enable_key_rotation(KeyId=replicated, RotationPeriodInDays=180)
    home.rotate_key_on_demand(KeyId=replicated)
    of_home, of_away = (kms.get_key_rotation_status(KeyId=replicated) for kms in (home, away))
    for member in ("KeyRotationEnabled", "RotationPeriodInDays", "NextRotationDate"):
        assert of_home[member] == of_away[member], member
    of_home, of_away = (kms.list_key_rotations(KeyId=replicated)["Rotations"] for kms in (home, away))
    assert of_away == [{**rotation, "KeyId": arn(AWAY, replicated)} for rotation in of_home]
    assert describe(home, replicated)["CurrentKeyMaterialId"] == describe(away, replicated)["CurrentKeyMaterialId"]
    after = home.encrypt(KeyId=replicated, Plaintext=b"b")["CiphertextBlob"]
    assert [away.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in (before, after)] == [b"a", b"b"]


def test_imported_material_is_imported_into_each_key(regions):
    home, away = regions[HOME], regions[AWAY]
    key = home.create_key(MultiRegion=True, Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    refused(home.replicate_key, "KMSInvalidStateException", KeyId=key, ReplicaRegion=AWAY)
    material = os.urandom(32)
    import_into(home, key, material)
    home.replicate_key(KeyId=key, ReplicaRegion=AWAY)
    assert describe(away, key)["KeyState"] == "PendingImport"
    with pytest.raises(away.exceptions.IncorrectKeyMaterialException):
        import_into(away, key, os.urandom(32))
    import_into(away, key, material)
    blob = home.encrypt(KeyId=key, Plaintext=b"a")["CiphertextBlob"]
    assert away.decrypt(CiphertextBlob=blob)["Plaintext"] == b"a"
    # The next material rotates once it is everywhere.
    material = os.urandom(32)
    import_into(home, key, material, ImportType="NEW_KEY_MATERIAL")
    refused(home.rotate_key_on_demand, "KMSInvalidStateException", KeyId=key)
    import_into(away, key, material, ImportType="EXISTING_KEY_MATERIAL")
    home.rotate_key_on_demand(KeyId=key)
    blob = away.encrypt(KeyId=key, Plaintext=b"b")["CiphertextBlob"]
    assert home.decrypt(CiphertextBlob=blob)["Plaintext"] == b"b"


def test_a_primary_key_waits_for_its_replica_keys(regions, replicated):
    home = regions[HOME]
    answer = home.schedule_key_deletion(KeyId=replicated, PendingWindowInDays=9)
    assert (answer["KeyState"], answer["PendingWindowInDays"]) == ("PendingReplicaDeletion", 9)
    assert "DeletionDate" not in answer
    seen = describe(home, replicated)
    assert (seen["KeyState"], seen["PendingDeletionWindowInDays"]) == ("PendingReplicaDeletion", 9)
    assert "DeletionDate" not in seen
    assert describe(regions[AWAY], replicated)["KeyState"] == "Enabled"
    assert home.cancel_key_deletion(KeyId=replicated)["KeyId"] == arn(HOME, replicated)
    assert describe(home, replicated)["KeyState"] == "Disabled"
    answer = regions[AWAY].schedule_key_deletion(KeyId=replicated, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion" and "DeletionDate" in answer


def test_the_primary_region_moves(server, regions, replicated):
    home, away = regions[HOME], regions[AWAY]
    missing = f"{replicated} does not have a replica key in the specified Region."
    refused(home.update_primary_region, "ValidationException", missing, KeyId=replicated, PrimaryRegion=THIRD)
    home.update_primary_region(KeyId=replicated, PrimaryRegion=AWAY)
    for kms, kind in ((home, "REPLICA"), (away, "PRIMARY")):
        seen = describe(kms, replicated)
        assert seen["KeyState"] == "Enabled"
        expected = {
            "MultiRegionKeyType": kind, "PrimaryKey": related(AWAY, replicated), "ReplicaKeys": [related(HOME, replicated)],
        }  # fmt: skip
        assert seen["MultiRegionConfiguration"] == expected
    away.replicate_key(KeyId=replicated, ReplicaRegion=THIRD)
    away.rotate_key_on_demand(KeyId=replicated)
    blob = regions[THIRD].encrypt(KeyId=replicated, Plaintext=b"a")["CiphertextBlob"]
    assert home.decrypt(CiphertextBlob=blob)["Plaintext"] == b"a"
    text = f"{arn(HOME, replicated)} is not a multi-Region primary key."
    refused(home.update_primary_region, "KMSInvalidStateException", text, KeyId=replicated, PrimaryRegion=AWAY)
    events = audit.events(server.data_dir / "audit")
    moved = [
        (event["awsRegion"], event["requestParameters"]["keyId"])
        for event in events
        if event["eventName"] == "UpdatePrimaryRegion"
        and not audit.is_opened(event)
        and "errorCode" not in event
        and replicated in event["requestParameters"]["keyId"]
    ]
    assert sorted(moved) == [(AWAY, arn(AWAY, replicated)), (HOME, replicated)]


def test_what_cannot_be_replicated_is_refused(regions, replicated):
    home = regions[HOME]
    single = home.create_key()["KeyMetadata"]["KeyId"]
    text = f"{arn(HOME, single)} is not a multi-region primary key."
    refused(home.replicate_key, "UnsupportedOperationException", text, KeyId=single, ReplicaRegion=AWAY)
    text = "You can create only one replica of each primary key in each AWS Region."
    refused(home.replicate_key, "AlreadyExistsException", text, KeyId=replicated, ReplicaRegion=AWAY)
    for region in (HOME, "cn-north-1", "us-gov-west-1"):
        refused(home.replicate_key, "ValidationException", KeyId=replicated, ReplicaRegion=region)
    refused(home.replicate_key, "NotFoundException", KeyId=arn(AWAY, replicated), ReplicaRegion=THIRD)
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    refused(
        home.replicate_key, "MalformedPolicyDocumentException", KeyId=replicated, ReplicaRegion=THIRD, Policy=policy
    )
    assert len(describe(home, replicated)["MultiRegionConfiguration"]["ReplicaKeys"]) == 1


def test_a_region_that_is_not_served_gets_no_replica_key(make_server):
    server = make_server(options=["--regions", f"{HOME},{AWAY}"]).start()
    home = server.client(HOME)
    key = home.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    refused(home.replicate_key, "ValidationException", KeyId=key, ReplicaRegion=THIRD)
    home.replicate_key(KeyId=key, ReplicaRegion=AWAY)
    assert describe(server.client(AWAY), key)["KeyState"] == "Enabled"


def test_the_command_line_walks_through_it(aws):
    key = aws("kms", "create-key", "--multi-region")["KeyMetadata"]["KeyId"]
    made = aws("kms", "replicate-key", "--key-id", key, "--replica-region", AWAY)
    assert made["ReplicaKeyMetadata"]["Arn"] == arn(AWAY, key)
    blob = aws("kms", "encrypt", "--key-id", key, "--plaintext", "a")["CiphertextBlob"]
    (aws.directory / "blob").write_bytes(base64.b64decode(blob))
    opened = aws("kms", "decrypt", "--ciphertext-blob", "fileb://blob", region=AWAY)
    assert base64.b64decode(opened["Plaintext"]) == b"a"
    aws("kms", "update-primary-region", "--key-id", key, "--primary-region", AWAY)
    seen = aws("kms", "describe-key", "--key-id", key, region=AWAY)["KeyMetadata"]
    assert seen["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    aws("kms", "rotate-key-on-demand", "--key-id", key, fails="UnsupportedOperationException")


def test_related_keys_are_the_same_after_a_restart(fresh_server):
    fresh_server.start()
    home = fresh_server.client(HOME)
    key = home.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    home.replicate_key(KeyId=key, ReplicaRegion=AWAY)
    home.rotate_key_on_demand(KeyId=key)
    blob = home.encrypt(KeyId=key, Plaintext=b"a")["CiphertextBlob"]
    before = [describe(fresh_server.client(region), key) for region in (HOME, AWAY)]
    for stop in (fresh_server.terminate, fresh_server.kill):
        stop()
        fresh_server.start()
        assert [describe(fresh_server.client(region), key) for region in (HOME, AWAY)] == before
        assert fresh_server.client(AWAY).decrypt(CiphertextBlob=blob)["Plaintext"] == b"a"


def test_kill_9_leaves_no_change_half_done(fresh_server, long):
    for round_ in range(6 if long else 2):
        # The jobs run when the server starts.
        fresh_server.start()
        clients = {region: fresh_server.client(region) for region in (HOME, AWAY, THIRD)}
        key = clients[HOME].create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        clients[HOME].replicate_key(KeyId=key, ReplicaRegion=AWAY)
        done = {"moves": 0, "rotations": 0}

        def change():
            here, there = HOME, AWAY
            try:
                while True:
                    clients[here].rotate_key_on_demand(KeyId=key)
                    done["rotations"] += 1
                    clients[here].update_primary_region(KeyId=key, PrimaryRegion=there)
                    done["moves"] += 1
                    here, there = there, here
            except botocore.exceptions.ClientError as error:
                # So many rotations on demand, and no more.
                assert error.response["Error"]["Code"] == "LimitExceededException", error
            except (botocore.exceptions.BotoCoreError, OSError):
                pass

        thread = threading.Thread(target=change)
        thread.start()
        time.sleep(0.05 + 0.05 * round_)
        fresh_server.kill()
        thread.join()
        fresh_server.start()
        clients = [fresh_server.client(region) for region in (HOME, AWAY)]
        deadline = time.monotonic() + 30
        while True:
            seen = [describe(kms, key) for kms in clients]
            if {one["KeyState"] for one in seen} == {"Enabled"} or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        assert [one["KeyState"] for one in seen] == ["Enabled", "Enabled"]
        about = [dict(one["MultiRegionConfiguration"]) for one in seen]
        assert sorted(one.pop("MultiRegionKeyType") for one in about) == ["PRIMARY", "REPLICA"]
        assert about[0] == about[1] and seen[0]["CurrentKeyMaterialId"] == seen[1]["CurrentKeyMaterialId"]
        rotations = [kms.list_key_rotations(KeyId=key)["Rotations"] for kms in clients]
        for rotation in rotations[0] + rotations[1]:
            # Each of its own Region.
            del rotation["KeyId"]
        assert rotations[0] == rotations[1]
        assert done["rotations"] <= len(rotations[0]) <= done["rotations"] + 1
        blob = clients[0].encrypt(KeyId=key, Plaintext=b"a")["CiphertextBlob"]
        assert clients[1].decrypt(CiphertextBlob=blob)["Plaintext"] == b"a"
        fresh_server.kill()
