"""Many changes of one key at once: each is made or refused as if they had come one after the other."""

import concurrent.futures
import json

import botocore.exceptions
import pytest
import raw
from test_crash_life import together

REGIONS = ["eu-west-1", "ap-southeast-2", "us-west-2", "eu-central-1", "ca-central-1", "sa-east-1"]


def at_once(calls):
    """What became of each: None, or the code of the error."""

    def outcome(call):
        try:
            call()
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return None

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))


@pytest.fixture
def kms(fresh_server):
    return fresh_server.start().client(max_pool_connections=64)


def test_of_many_who_move_the_primary_key_those_succeed_that_moved_it(fresh_server, kms):
    clients = {region: fresh_server.client(region) for region in ["us-east-1", *REGIONS]}
    for turn in range(6):
        key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        for region in REGIONS:
            kms.replicate_key(KeyId=key, ReplicaRegion=region)
        # In half of them, all move it to one Region.
        targets = REGIONS if turn % 2 else [REGIONS[0]] * len(REGIONS)
        calls = [lambda to=to: kms.update_primary_region(KeyId=key, PrimaryRegion=to) for to in targets]
        outcomes = at_once(calls)
        assert outcomes.count(None) == 1, outcomes
        assert set(outcomes) <= {None, "UnsupportedOperationException", "KMSInvalidStateException"}, outcomes
        shown = [client.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"] for client in clients.values()]
        assert {told["PrimaryKey"]["Region"] for told in shown} == {targets[outcomes.index(None)]}
        assert [told["MultiRegionKeyType"] for told in shown].count("PRIMARY") == 1
    fresh_server.terminate()
    together(fresh_server)


def test_a_key_that_is_replicated_while_its_primary_key_moves_stays_one(fresh_server, kms):
    for _ in range(6):
        key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        kms.replicate_key(KeyId=key, ReplicaRegion=REGIONS[0])
        move = lambda: kms.update_primary_region(KeyId=key, PrimaryRegion=REGIONS[0])  # noqa: E731
        replicate = [lambda to=to: kms.replicate_key(KeyId=key, ReplicaRegion=to) for to in REGIONS[1:]]
        outcomes = at_once([*replicate[:3], move, *replicate[3:]])
        assert set(outcomes) <= {None, "UnsupportedOperationException", "KMSInvalidStateException"}, outcomes
    fresh_server.terminate()
    together(fresh_server)


def test_a_key_has_as_many_aliases_as_the_quota_says_whoever_comes_first(kms):
    for operation in ["create_alias", "update_alias"]:
        key, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
        names = [f"alias/{key}-{number}" for number in range(60)]
        if operation == "update_alias":
            others = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
            for number, name in enumerate(names):
                kms.create_alias(AliasName=name, TargetKeyId=others[number % 2])
        calls = [lambda name=name: getattr(kms, operation)(AliasName=name, TargetKeyId=key) for name in names]
        outcomes = at_once(calls)
        assert outcomes.count(None) == 50 and outcomes.count("LimitExceededException") == 10, outcomes
        assert len(kms.list_aliases(KeyId=key)["Aliases"]) == 50
        assert kms.list_aliases(KeyId=other)["Aliases"] == []


def test_many_changes_of_one_key_at_once_are_all_made(fresh_server, kms):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    kms.create_alias(AliasName="alias/moved", TargetKeyId=key)
    second = kms.create_key()["KeyMetadata"]["KeyId"]
    changes = [
        ("TagResource", lambda number: {"KeyId": key, "Tags": [{"TagKey": f"{number % 40}", "TagValue": "v"}]}),
        ("UpdateKeyDescription", lambda number: {"KeyId": key, "Description": f"{number}"}),
        ("PutKeyPolicy", lambda number: {"KeyId": key, "Policy": json.dumps({**policy, "Id": f"{number}"})}),
        ("EnableKeyRotation", lambda number: {"KeyId": key, "RotationPeriodInDays": 90 + number}),
        ("UpdateAlias", lambda number: {"AliasName": "alias/moved", "TargetKeyId": [key, second][number % 2]}),
    ]
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        for operation, body in changes:
            answers = list(pool.map(lambda number: raw.call(fresh_server, operation, body(number)), range(128)))  # noqa: B023
            assert [answer.status for answer in answers] == [200] * 128, (operation, {answer.body for answer in answers})
    assert len(kms.list_resource_tags(KeyId=key)["Tags"]) == 40
