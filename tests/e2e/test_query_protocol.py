"""IAM and STS on the wire: forms, XML, signatures, and the service that a request is for."""

import urllib.parse
import xml.etree.ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

import raw
from server import ACCOUNT, REGION

IAM, STS = "https://iam.amazonaws.com/doc/2010-05-08/", "https://sts.amazonaws.com/doc/2011-06-15/"
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}
FORM = "application/x-www-form-urlencoded; charset=utf-8"
IDENTITY = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}


def form(**parameters):
    return urllib.parse.urlencode(parameters).encode()


def call(server, body, *, service="sts", method="POST", path="/", content_type=FORM, presigned=False, **options):
    """A signed request with exactly this body."""
    credentials, region = options.get("credentials") or server.credentials, options.get("region", REGION)
    request = botocore.awsrequest.AWSRequest(
        method=method, url=server.url + path, data=body, headers={"Content-Type": content_type} if body else {}
    )
    who = botocore.credentials.Credentials(*credentials)
    auth = botocore.auth.SigV4QueryAuth if presigned else botocore.auth.SigV4Auth
    auth(who, service, region).add_auth(request)
    path = request.url.removeprefix(server.url)
    return raw.send(server, body, {**dict(request.headers.items()), "Host": server.host}, method=method, path=path)


def error(answer, namespace):
    root = xml.etree.ElementTree.fromstring(answer.body)
    assert root.tag == f"{{{namespace}}}ErrorResponse", answer.body
    found = {child.tag.removeprefix(f"{{{namespace}}}"): child.text for child in root[0]}
    assert found.pop("Type") == "Sender"
    assert root[1].text == answer.headers["x-amzn-RequestId"]
    return answer.status, found["Code"], found["Message"]


def test_an_answer_has_the_form_of_the_service(server):
    answer = call(server, form(**IDENTITY))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/xml")
    request_id = answer.headers["x-amzn-RequestId"]
    assert answer.body.decode() == (
        f'<GetCallerIdentityResponse xmlns="{STS}"><GetCallerIdentityResult><UserId>{ACCOUNT}</UserId>'
        f"<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:root</Arn></GetCallerIdentityResult>"
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )


def test_an_operation_may_be_asked_for_in_a_query_string(server):
    path = "/?" + form(**IDENTITY).decode()
    for presigned in (False, True):
        answer = call(server, b"", method="GET", path=path, presigned=presigned)
        assert answer.status == 200, answer.body
        assert f"<Account>{ACCOUNT}</Account>".encode() in answer.body
    forged = call(server, b"", method="GET", path=path, presigned=True, credentials=(server.credentials[0], "no"))
    assert error(forged, STS)[:2] == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("service", "body", "expected"),
    [
        ("iam", form(Action="Nothing", Version="2010-05-08"),
         (400, "InvalidAction", "Could not find operation Nothing for version 2010-05-08")),
        ("iam", form(Action="GetUser"),
         (400, "InvalidAction", "Could not find operation GetUser for version NO_VERSION_SPECIFIED")),
        ("iam", form(**IDENTITY),
         (400, "InvalidAction", "Could not find operation GetCallerIdentity for version 2011-06-15")),
        ("sts", form(Action="GetUser", Version="2010-05-08"),
         (400, "InvalidAction", "Could not find operation GetUser for version 2010-05-08")),
        ("sts", form(Version="2011-06-15"),
         (400, "MissingAction", "The request must contain the parameter Action.")),
        ("sts", form(**IDENTITY) + b"&Action=GetUser",
         (400, "MalformedQueryString", "The query string contains a syntax error.")),
        ("sts", form(**IDENTITY) + b"&x=%zz",
         (400, "MalformedQueryString", "The query string contains a syntax error.")),
        ("iam", form(Action="ListUsers", Version="2010-05-08", MaxItems="many"),
         (400, "MalformedInput", "The input is not of the form that the operation takes.")),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_the_words_of_its_service(server, service, body, expected):
    assert error(call(server, body, service=service), IAM if service == "iam" else STS) == expected


@pytest.mark.parametrize("service", ["iam", "sts"])
def test_signatures_are_refused_in_the_words_of_the_service(server, service):
    namespace = IAM if service == "iam" else STS
    body = form(Action="GetUser" if service == "iam" else "GetCallerIdentity", Version=VERSIONS[service])
    access_key, secret = server.credentials
    for credentials, expected in [
        ((access_key, "wrong"), (403, "SignatureDoesNotMatch")),
        (("AKIAUNKNOWN123456789", secret), (403, "InvalidClientTokenId")),
        ((access_key, secret, "a-token"), (403, "InvalidClientTokenId")),
    ]:
        assert error(call(server, body, service=service, credentials=credentials), namespace)[:2] == expected
    unsigned = raw.send(server, body, {"Host": server.host, "Content-Type": FORM})
    assert error(unsigned, namespace) == (403, "MissingAuthenticationToken", "Request is missing Authentication Token")
    broken = raw.send(
        server, body, {"Host": server.host, "Content-Type": FORM, "Authorization": "AWS4-HMAC-SHA256 Credential"}
    )
    # The body of one that claims to be signed, and is not, is not looked at: it does not tell the service.
    assert error(broken, IAM)[:2] == (403, "IncompleteSignature")


def test_a_form_for_another_service_is_refused(server):
    status, code, message = error(call(server, form(**IDENTITY), service="s3"), IAM)
    assert (status, code) == (403, "SignatureDoesNotMatch")
    assert message == "Credential should be scoped to correct service: 'iam'. "


def test_iam_takes_every_region_and_sts_too(server):
    listed = form(Action="ListUsers", Version="2010-05-08")
    for region in ("us-east-1", "eu-central-1"):
        assert call(server, form(**IDENTITY), region=region).status == 200
        assert call(server, listed, service="iam", region=region).status == 200
    nowhere = call(server, form(**IDENTITY), region="nowhere")
    assert error(nowhere, STS)[:2] == (403, "SignatureDoesNotMatch")


def test_a_request_with_a_target_is_for_kms_whatever_its_form(server):
    answer = raw.call(server, "ListKeys", b"{}", headers={"Content-Type": FORM})
    assert answer.status == 200 and "Keys" in answer.json
    other = raw.send(server, b"{}", {"Host": server.host, "Content-Type": raw.CONTENT_TYPE})
    assert other.error == ("UnknownOperationException", None)


def test_texts_come_back_as_they_were_sent(server):
    iam = server.client(service="iam")
    name = "query-texts"
    iam.create_user(UserName=name)
    iam.tag_user(UserName=name, Tags=[{"Key": "ä+= /", "Value": "ö: @"}])
    assert iam.list_user_tags(UserName=name)["Tags"] == [{"Key": "ä+= /", "Value": "ö: @"}]
    iam.create_role(
        RoleName=name, Description="<&>\"' ÿ\n\tx", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":'
        f'"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}',
    )  # fmt: skip
    assert iam.get_role(RoleName=name)["Role"]["Description"] == "<&>\"' ÿ\n\tx"


def test_requests_of_iam_are_counted(server):
    server.client(service="iam").list_groups()
    text = raw.send(server, b"", {"Host": server.host}, method="GET", path="/metrics").body.decode()
    assert 'keyreeve_requests_total{operation="iam:ListGroups",code="OK"}' in text


def test_the_aws_command_manages_identities(aws):
    assert aws("sts", "get-caller-identity")["Account"] == ACCOUNT
    made = aws("iam", "create-user", "--user-name", "cli", "--path", "/cli/", "--tags", "Key=a,Value=b c")
    assert made["User"]["Tags"] == [{"Key": "a", "Value": "b c"}]
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}'
    arn = aws("iam", "create-policy", "--policy-name", "cli", "--policy-document", document)["Policy"]["Arn"]
    aws("iam", "attach-user-policy", "--user-name", "cli", "--policy-arn", arn)
    attached = aws("iam", "list-attached-user-policies", "--user-name", "cli")["AttachedPolicies"]
    assert attached == [{"PolicyName": "cli", "PolicyArn": arn}]
    key = aws("iam", "create-access-key", "--user-name", "cli")["AccessKey"]
    aws("iam", "delete-user", "--user-name", "cli", fails="must delete access keys first.")
    aws("iam", "delete-access-key", "--user-name", "cli", "--access-key-id", key["AccessKeyId"])
    aws("iam", "detach-user-policy", "--user-name", "cli", "--policy-arn", arn)
    aws("iam", "delete-user", "--user-name", "cli")
    aws("iam", "delete-policy", "--policy-arn", arn)
    aws("iam", "get-user", "--user-name", "cli", fails="The user with name cli cannot be found.")
