"""What IAM and STS answer where the service model says little: texts, members that are left out, orders, as they were seen of AWS."""

import json

import boto3
import httpx
import pytest

from test_iam import ACCOUNT, READ_ONLY, policy, refused, trust


@pytest.fixture(scope="module")
def iam(server):
    return server.client(service="iam")


@pytest.fixture(scope="module")
def alice(iam):
    """A user who may call STS, who is not the root user."""
    iam.create_user(UserName="recorded-alice")
    iam.put_user_policy(UserName="recorded-alice", PolicyName="p", PolicyDocument=policy("sts:*"))
    return iam.create_access_key(UserName="recorded-alice")["AccessKey"]


def sts_of(iam, key):
    session = boto3.Session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"), region_name="us-east-1",
    )  # fmt: skip
    return session.client("sts", endpoint_url=iam.meta.endpoint_url)


def test_violations_show_no_values_and_stand_in_the_order_of_their_names(server):
    unchecked = server.client(service="iam", validate=False)
    assert refused(
        unchecked.create_open_id_connect_provider, Url="https://" + "a" * 255, ClientIDList=["c" * 256], ThumbprintList=["1"]
    ) == (
        "ValidationError",
        "3 validation errors detected: Value at 'clientIDList' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 255, Member must have length greater than or equal to 1]; "
        "Value at 'thumbprintList' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or "
        "equal to 40, Member must have length greater than or equal to 40]; "
        "Value at 'url' failed to satisfy constraint: Member must have length less than or equal to 255",
        400,
    )


def test_keys_of_tags_that_are_outside_their_limits_are_not_shown(iam):
    iam.create_user(UserName="untagged")
    text = refused(iam.untag_user, UserName="untagged", TagKeys=["k" * 129])[1]
    assert text.startswith("1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [")
    assert text.endswith("+, Member must not be null]")


@pytest.mark.parametrize(
    "statement",
    [
        {"Condition": {"a": {}}},
        {"Condition": {"x": {}, "y": {}}},
        {"Resource": "arn:aws:s3:us-west-2:123456789012:accesspoint/my-access-point"},
        {"Resource": "arn:aws:s3:us-west-2:123456789012:accesspoint/my-access-point/object/*"},
    ],
)
def test_policies_that_iam_takes(iam, statement):
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", **statement}}
    made = iam.create_policy(PolicyName="taken", PolicyDocument=json.dumps(document))["Policy"]
    assert "Tags" not in made and iam.get_policy(PolicyArn=made["Arn"])["Policy"]["Tags"] == []
    iam.delete_policy(PolicyArn=made["Arn"])


def test_a_policy_without_a_version_may_be_written_on_an_identity_and_does_not_substitute(iam):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}"}
    iam.create_user(UserName="versionless")
    for version in ({}, {"Version": "2008-10-17"}):
        document = json.dumps({**version, "Statement": [statement]})
        iam.put_user_policy(UserName="versionless", PolicyName="p", PolicyDocument=document)
        asked = {"ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::b/versionless", "arn:aws:s3:::b/${aws:username}"]}
        user = f"arn:aws:iam::{ACCOUNT}:user/versionless"
        (result,) = iam.simulate_principal_policy(PolicySourceArn=user, **asked)["EvaluationResults"]
        assert [one["EvalResourceDecision"] for one in result["ResourceSpecificResults"]] == ["implicitDeny", "allowed"]
        assert refused(iam.create_policy, PolicyName="versionless", PolicyDocument=document)[1] == (
            "Policy document must be version 2012-10-17 or greater."
        )


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("NumericEquals", "ten"),
        ("DateEquals", "soon"),
        ("ArnLike", "rubbish"),
        ("IpAddress", "2001:db8::5/64"),
        ("BinaryEquals", "no base64"),
    ],
)
def test_values_that_are_none_of_their_types_may_be_passed_for_a_session_and_are_not_kept(iam, alice, operator, value):
    text = policy("sts:*", Condition={operator: {"aws:RequestTag/a": value}})
    kept = {"UserName": "recorded-alice", "PolicyName": "typed", "PolicyDocument": text}
    assert refused(iam.put_user_policy, **kept)[::2] == ("MalformedPolicyDocument", 400)
    managed = {"PolicyName": "typed", "PolicyDocument": text}
    assert refused(iam.create_policy, **managed)[::2] == ("MalformedPolicyDocument", 400)
    passing = {"Name": "bob", "Policy": text}
    sts = sts_of(iam, alice)
    if operator == "BinaryEquals":
        assert refused(sts.get_federation_token, **passing)[::2] == ("MalformedPolicyDocument", 400)
    else:
        sts.get_federation_token(**passing)


def test_an_own_policy_is_told_under_the_name_that_was_asked_for_and_listed_under_its_first(iam):
    named = {"UserName": "recorded-alice", "PolicyDocument": policy("kms:*")}
    iam.put_user_policy(**named, PolicyName="Mixed")
    iam.put_user_policy(**named, PolicyName="MIXED")
    assert "Mixed" in iam.list_user_policies(UserName="recorded-alice")["PolicyNames"]
    assert iam.get_user_policy(UserName="recorded-alice", PolicyName="MIXED")["PolicyName"] == "MIXED"
    iam.delete_user_policy(UserName="recorded-alice", PolicyName="mixed")


def test_policies_that_are_boundaries_alone_are_among_those_that_are_attached(iam):
    arn = iam.create_policy(PolicyName="bounds", Path="/bounds/", PolicyDocument=policy("kms:*"))["Policy"]["Arn"]
    iam.create_user(UserName="recorded-bound", PermissionsBoundary=arn)
    for more, count in [({}, 1), ({"PolicyUsageFilter": "PermissionsPolicy"}, 0), ({"PolicyUsageFilter": "PermissionsBoundary"}, 1)]:
        assert len(iam.list_policies(PathPrefix="/bounds/", OnlyAttached=True, **more)["Policies"]) == count


def test_whoever_may_not_tag_is_told_so_before_what_is_wrong_with_the_tags(iam):
    iam.create_user(UserName="recorded-bob")
    may = policy("iam:TagUser", Condition={"StringEquals": {"aws:RequestTag/team": "approved"}})
    iam.put_user_policy(UserName="recorded-bob", PolicyName="p", PolicyDocument=may)
    bob = iam.create_access_key(UserName="recorded-bob")["AccessKey"]
    session = boto3.Session(bob["AccessKeyId"], bob["SecretAccessKey"], region_name="us-east-1")
    tag = session.client("iam", endpoint_url=iam.meta.endpoint_url).tag_user
    approved, other = {"Key": "team", "Value": "approved"}, {"Key": "team", "Value": "other"}
    for tags, expected in [
        ([other, approved], "InvalidInput"),
        ([approved, other], "AccessDenied"),
        ([], "AccessDenied"),
        ([{"Key": "aws:x", "Value": "1"}], "AccessDenied"),
        ([{"Key": "aws:x", "Value": "1"}, approved], "InvalidInput"),
    ]:
        assert refused(tag, UserName="recorded-bob", Tags=tags)[0] == expected, tags
    tag(UserName="recorded-bob", Tags=[approved])


def test_a_key_of_a_simulation_has_a_name_and_values_and_a_type(iam):
    whole = {"ContextKeyName": "a:key", "ContextKeyValues": ["x"], "ContextKeyType": "string"}
    for without, text in [
        ("ContextKeyName", "ContextKeyName cannot be null or empty."),
        ("ContextKeyValues", "Context values for context key a:key cannot be null or empty."),
        ("ContextKeyType", "Context key a:key has invalid type null."),
    ]:
        entry = {name: value for name, value in whole.items() if name != without}
        arguments = {"PolicyInputList": [policy("*")], "ActionNames": ["kms:Encrypt"], "ContextEntries": [entry]}
        assert refused(iam.simulate_custom_policy, **arguments) == ("InvalidInput", text, 400)
    iam.simulate_custom_policy(**{**arguments, "ContextEntries": [whole]})
    for kind, good, bad, expected in [
        ("numeric", ["01.00", "+1", "1e2", "1e9999"], ["0x10", " 1 ", "Infinity"], "numeric format"),
        ("ip", ["203.0.113.1", "2001:db8::1", "203.000.113.1"], ["203.0.113.0/24", "fe80::1%eth0"], "IP address"),
        ("binary", ["eWVz"], ["eWVz\n"], "base-64 encoded binary format"),
    ]:
        for value in good + bad:
            entry = {"ContextKeyName": "a:key", "ContextKeyValues": [value], "ContextKeyType": kind}
            arguments["ContextEntries"] = [entry]
            if value in good:
                iam.simulate_custom_policy(**arguments)
            else:
                text = f"Invalid context value for key a:key: expected {expected}."
                assert refused(iam.simulate_custom_policy, **arguments) == ("InvalidInput", text, 400)


def test_no_access_key_is_made_to_expire(iam, alice):
    key = {"UserName": "recorded-alice", "AccessKeyId": alice["AccessKeyId"]}
    assert refused(iam.update_access_key, **key, Status="Expired")[::2] == ("InvalidInput", 400)


def test_prefixes_and_documents_have_texts_of_their_own(iam):
    prefix = (
        "ValidationError",
        "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric "
        "characters and/or / characters.",
        400,
    )
    assert refused(iam.list_policies, PathPrefix="/foo") == prefix
    for call in (iam.list_users, iam.list_roles, iam.list_groups):
        assert refused(call, PathPrefix="invalid") == prefix
    assert refused(iam.create_policy, PolicyName="emoji", PolicyDocument='{"\U0001f600": 1}') == (
        "ValidationError", "The specified value for policyDocument is invalid. It must contain only printable ASCII characters.", 400
    )  # fmt: skip


def test_what_is_said_of_a_policy_that_is_not_there(iam):
    arn = f"arn:aws:iam::{ACCOUNT}:policy/not-there"
    version = "NoSuchEntity", f"Policy {arn} version v1 does not exist or is not attachable.", 404
    assert refused(iam.get_policy_version, PolicyArn=arn, VersionId="v1") == version
    assert refused(iam.set_default_policy_version, PolicyArn=arn, VersionId="v1") == version
    unattachable = "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404
    assert refused(iam.list_entities_for_policy, PolicyArn=arn) == unattachable
    iam.create_user(UserName="attacher")
    assert refused(iam.attach_user_policy, UserName="attacher", PolicyArn=arn) == unattachable
    text = "longpolicynamebutnoarn"
    no_arn = "ValidationError", f"ARN {text} is not valid.", 400
    assert refused(iam.attach_user_policy, UserName="attacher", PolicyArn=text) == no_arn
    assert refused(iam.put_user_permissions_boundary, UserName="attacher", PermissionsBoundary=text)[0] == "InvalidInput"


def test_what_is_said_of_a_provider_that_is_not_there(iam):
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/not-there.example.com"
    assert refused(iam.delete_open_id_connect_provider, OpenIDConnectProviderArn=arn) == (
        "NoSuchEntity", f"OpenId connect Provider {arn} cannot be found.", 404
    )  # fmt: skip
    arn = iam.create_open_id_connect_provider(Url="https://fifty.example.com")["OpenIDConnectProviderArn"]
    for tags in [range(40), range(40, 50)]:
        iam.tag_open_id_connect_provider(
            OpenIDConnectProviderArn=arn, Tags=[{"Key": f"k{tag}", "Value": ""} for tag in tags]
        )
    assert refused(iam.tag_open_id_connect_provider, OpenIDConnectProviderArn=arn, Tags=[{"Key": "k50", "Value": ""}]) == (
        "LimitExceeded", "The number of tags has reached the maximum limit.", 409
    )  # fmt: skip


def test_the_details_of_a_user_without_policies_have_no_list_of_them(iam):
    iam.create_user(UserName="bare")
    pages = iam.get_paginator("get_account_authorization_details").paginate(Filter=["User"])
    details = {user["UserName"]: user for page in pages for user in page["UserDetailList"]}
    assert "UserPolicyList" not in details["bare"] and details["bare"]["AttachedManagedPolicies"] == []


def test_transitive_tags_are_refused_without_naming_them(iam, alice):
    root_trust = json.loads(trust(f"arn:aws:iam::{ACCOUNT}:root"))
    root_trust["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession"]
    role = iam.create_role(RoleName="tagged-sessions", AssumeRolePolicyDocument=json.dumps(root_trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="tagged-sessions", PolicyName="p", PolicyDocument=policy("sts:*"))
    sts = sts_of(iam, alice)
    assume = {"RoleArn": role, "RoleSessionName": "session"}
    assert refused(sts.assume_role, **assume, TransitiveTagKeys=["zz"])[1] == (
        "The specified transitive tag key must be included in the requested tags."
    )
    tags = {"Tags": [{"Key": "one", "Value": "1"}], "TransitiveTagKeys": ["one"]}
    chained = sts_of(iam, sts.assume_role(**assume, **tags)["Credentials"])
    assert refused(chained.assume_role, **assume, Tags=[{"Key": "One", "Value": "2"}])[1] == (
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
    )


def test_a_federated_user_is_told_that_nothing_was_packed(iam, alice):
    assert sts_of(iam, alice).get_federation_token(Name="fed")["PackedPolicySize"] == 0


def test_aws_policies_are_read_only_still(iam):
    assert refused(iam.delete_policy, PolicyArn=READ_ONLY)[0] == "AccessDenied"


def test_whoever_accepts_json_is_answered_in_json(iam, alice):
    """As verifiers of signed requests do, such as those of Kubernetes: a presigned GetCallerIdentity, asked for as JSON."""
    sts = sts_of(iam, alice)
    url = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    answer = httpx.get(url, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    found = answer.json()["GetCallerIdentityResponse"]
    assert found["GetCallerIdentityResult"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/recorded-alice"
    assert found["ResponseMetadata"] == {"RequestId": answer.headers["x-amzn-requestid"]}
    forged = httpx.get(url.replace("X-Amz-Signature=", "X-Amz-Signature=0"), headers={"Accept": "application/json"})
    error = forged.json()["Error"]
    assert (forged.status_code, error["Code"], error["Type"]) == (403, "SignatureDoesNotMatch", "Sender")
    assert httpx.get(url).headers["Content-Type"] == "text/xml"
