"""Regions of every partition: ARNs made and taken there are those of the partition."""

import json

import botocore.exceptions
import botocore.loaders
import pytest

from server import ACCOUNT

PARTITIONS = {
    partition["id"]: sorted(region for region in partition["regions"] if not region.endswith("-global"))
    for partition in botocore.loaders.create_loader().load_data("partitions")["partitions"]
}
EVERY = [(partition, region) for partition, regions in PARTITIONS.items() for region in regions]
ONE_EACH = [(partition, regions[0]) for partition, regions in PARTITIONS.items()]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(("partition", "region"), EVERY)
def test_a_key_has_the_partition_of_its_region(server, partition, region):
    arn = server.client(region=region).create_key()["KeyMetadata"]["Arn"]
    assert arn.startswith(f"arn:{partition}:kms:{region}:{ACCOUNT}:key/")


@pytest.mark.parametrize(("partition", "region"), ONE_EACH)
def test_policies_and_grants_name_keys_and_principals_of_the_partition(server, partition, region):
    kms, iam = server.client(region=region), server.client(service="iam")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    root = f"arn:{partition}:iam::{ACCOUNT}:root"
    assert root in kms.get_key_policy(KeyId=key)["Policy"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    name = f"of-{partition}"
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    user = server.client(region=region, credentials=(made["AccessKeyId"], made["SecretAccessKey"]))
    arn = f"arn:{partition}:iam::{ACCOUNT}:user/{name}"

    def may(call, **arguments):
        try:
            call(**arguments)
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException", error
            return False
        return True

    encrypt = {"KeyId": key, "Plaintext": b"x"}
    assert not may(user.encrypt, **encrypt)
    elsewhere = "arn:aws-cn:" if partition != "aws-cn" else "arn:aws:"
    for resource, allowed in [(key, True), (key.replace(f"arn:{partition}:", elsewhere), False)]:
        statement = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": resource}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(statement))
        assert may(user.encrypt, **encrypt) == allowed, resource
    iam.delete_user_policy(UserName=name, PolicyName="p")

    everything = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    named = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Encrypt", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=policy(everything, named))
    assert arn in kms.get_key_policy(KeyId=key)["Policy"]
    assert may(user.encrypt, **encrypt)
    kms.put_key_policy(KeyId=key, Policy=policy(everything))
    assert not may(user.encrypt, **encrypt)

    grant = kms.create_grant(KeyId=key, GranteePrincipal=arn, RetiringPrincipal=root, Operations=["Encrypt"])
    assert may(user.encrypt, **encrypt)
    (listed,) = kms.list_grants(KeyId=key, GranteePrincipal=arn)["Grants"]
    assert (listed["GranteePrincipal"], listed["IssuingAccount"], listed["KeyId"]) == (arn, root, key)
    assert grant["GrantId"] in [one["GrantId"] for one in kms.list_retirable_grants(RetiringPrincipal=root)["Grants"]]
    kms.retire_grant(KeyId=key, GrantId=grant["GrantId"])
    assert not may(user.encrypt, **encrypt)


def test_an_account_alone_is_a_principal_of_the_partition_that_is_called(server):
    kms = server.client(region="cn-north-1")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    made = kms.create_grant(KeyId=key, GranteePrincipal=ACCOUNT, RetiringPrincipal=ACCOUNT, Operations=["Encrypt"])
    (listed,) = kms.list_grants(KeyId=key, GranteePrincipal=ACCOUNT)["Grants"]
    root = f"arn:aws-cn:iam::{ACCOUNT}:root"
    assert (listed["GranteePrincipal"], listed["RetiringPrincipal"]) == (root, root)
    assert kms.list_grants(KeyId=key, GranteePrincipal=root)["Grants"] == [listed]
    kms.retire_grant(KeyId=key, GrantId=made["GrantId"])


def test_sm2_is_of_the_regions_of_china(server):
    asked = {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"}
    for region in PARTITIONS["aws-cn"]:
        kms = server.client(region=region)
        key = kms.create_key(**asked)["KeyMetadata"]["KeyId"]
        kms.sign(KeyId=key, Message=b"x", SigningAlgorithm="SM2DSA")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        server.client(region="us-gov-west-1").create_key(**asked)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("UnsupportedOperationException", "KeySpec SM2 is not supported in this Region")
