"""AssumeRoleWithWebIdentity, with boto3: tokens of an issuer whose keys are pinned, good ones and all kinds of bad ones."""

import base64
import json
import re
import time

import boto3
import botocore
import botocore.exceptions
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from server import ACCOUNT, Server

ISSUER = "https://idp.example/realms/test"
HOST = "idp.example/realms/test"
# To a provider this is somebody else, whose keys we know as well.
OTHER_CASE = "https://idp.example/realms/TEST"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Issuer:
    """An identity provider's keys, and tokens signed with them."""

    def __init__(self):
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())

    @property
    def keys(self):
        public, point = self.rsa.public_key().public_numbers(), self.ec.public_key().public_numbers()
        return {
            "keys": [
                {"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": number(public.n), "e": number(public.e)},
                {
                    "kty": "EC", "kid": "e", "use": "sig", "crv": "P-256",
                    "x": b64(point.x.to_bytes(32, "big")), "y": b64(point.y.to_bytes(32, "big")),
                },
                {"kty": "oct", "kid": "o", "k": b64(b"k" * 32)},
            ]
        }  # fmt: skip

    def token(self, algorithm="RS256", kid="r", signer=None, **claims):
        now = int(time.time())
        all_claims = {"iss": ISSUER, "aud": "app", "sub": "alice", "iat": now, "exp": now + 600, **claims}
        all_claims = {name: value for name, value in all_claims.items() if value is not None}
        head = b64(json.dumps({"alg": algorithm, "typ": "JWT", "kid": kid}).encode())
        text = f"{head}.{b64(json.dumps(all_claims).encode())}"
        if algorithm == "RS256":
            signature = (signer or self.rsa).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        elif algorithm == "ES256":
            r, s = utils.decode_dss_signature(self.ec.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        else:
            signature = b""
        return f"{text}.{b64(signature)}"


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture(scope="module")
def server(tmp_path_factory, issuer):
    directory = tmp_path_factory.mktemp("web-identity")
    keys = directory / "jwks.json"
    keys.write_text(json.dumps(issuer.keys))
    pinned = f'"{ISSUER}" = "{keys}", "{OTHER_CASE}" = "{keys}"'
    server = Server(directory / "data", config=f"[identity]\njwks = {{ {pinned} }}\n").start()
    iam = server.client(service="iam")
    iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["app"], ThumbprintList=["0" * 40])
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"},
                "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
                "Condition": {"StringEquals": {f"{HOST}:aud": "app"}, "StringLike": {f"{HOST}:sub": ["alice", "team-*"]}},
            }
        ],
    }
    iam.create_role(RoleName="Web", AssumeRolePolicyDocument=json.dumps(trust))
    allow = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["kms:ListKeys", "kms:CreateKey"], "Resource": "*"}],
    }
    iam.put_role_policy(RoleName="Web", PolicyName="p", PolicyDocument=json.dumps(allow))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def sts(server):
    """A client that has no credentials."""
    unsigned = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("sts", endpoint_url=server.url, region_name="us-east-1", config=unsigned)


def assume(sts, token, **more):
    asked = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/Web", "RoleSessionName": "web", **more}
    return sts.assume_role_with_web_identity(WebIdentityToken=token, **asked)


def refused(sts, token, **more):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        assume(sts, token, **more)
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "r"), ("ES256", "e")])
def test_a_token_begins_a_session(server, sts, issuer, algorithm, kid):
    answer = assume(sts, issuer.token(algorithm, kid))
    assert answer["SubjectFromWebIdentityToken"] == "alice" and answer["Audience"] == "app"
    assert answer["Provider"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Web/web"
    made = answer["Credentials"]
    kms = boto3.client(
        "kms", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"], aws_session_token=made["SessionToken"],
    )  # fmt: skip
    kms.list_keys()


def test_a_token_that_is_not_good_is_refused(sts, issuer):
    now = int(time.time())
    other = Issuer()
    good = issuer.token()
    head, body, signature = good.split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed["sub"] = "team-x"
    for case, token, expected in [
        ("another key", issuer.token(signer=other.rsa), "InvalidIdentityToken"),
        ("changed", f"{head}.{b64(json.dumps(changed).encode())}.{signature}", "InvalidIdentityToken"),
        ("not signed", issuer.token("none"), "InvalidIdentityToken"),
        ("a shared secret", issuer.token("HS256", "o"), "InvalidIdentityToken"),
        ("an unknown key", issuer.token(kid="x"), "InvalidIdentityToken"),
        ("the key of another algorithm", issuer.token("ES256", "r"), "InvalidIdentityToken"),
        ("no token", "something", "InvalidIdentityToken"),
        ("another issuer", issuer.token(iss="https://other.example"), "InvalidIdentityToken"),
        ("an issuer in other letters", issuer.token(iss=OTHER_CASE), "InvalidIdentityToken"),
        ("an issuer in the clear", issuer.token(iss=ISSUER.replace("https", "http")), "InvalidIdentityToken"),
        ("another audience", issuer.token(aud="other"), "InvalidIdentityToken"),
        ("expired", issuer.token(exp=now - 1), "ExpiredTokenException"),
        ("without an end", issuer.token(exp=None), "InvalidIdentityToken"),
        ("without an audience", issuer.token(aud=None), "InvalidIdentityToken"),
        ("without an issuer", issuer.token(iss=None), "InvalidIdentityToken"),
        ("of the future", issuer.token(nbf=now + 3600), "InvalidIdentityToken"),
        ("without a subject", issuer.token(sub=None), "InvalidIdentityToken"),
        ("a subject that is not trusted", issuer.token(sub="bob"), "AccessDenied"),
    ]:
        assert refused(sts, token) == expected, case
    assert refused(sts, good, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/None") == "AccessDenied"
    assert refused(sts, good, RoleArn="arn:aws:iam::999999999999:role/Web") == "InvalidIdentityToken"
    assume(sts, issuer.token(sub="team-blue"))


def test_the_text_of_a_refusal_says_what_the_token_lacks(sts, issuer):
    past = int(time.time()) - 1
    for token, expected in [
        (issuer.token(exp=past), rf"Token expired: current date/time \d{{10}} must be before the expiration date/time {past}"),
        (issuer.token(exp=None), "Missing a required claim: exp"),
        (issuer.token(aud=None), "Missing a required claim: aud"),
        (issuer.token(sub=None), "Missing a required claim: sub"),
        (issuer.token(iss=None), "Missing a required claim: iss"),
        (issuer.token(aud="other"), "Incorrect token audience"),
        (issuer.token(iss="https://other.example"), "No OpenIDConnect provider found in your account for https://other.example"),
        (
            issuer.token(kid="x"),
            "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
            "documentation for requirements",
        ),
        (
            "something",
            r"The ID Token provided is not a valid JWT\. \(You may see this error if you sent an Access Token\)",
        ),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            assume(sts, token)
        assert re.fullmatch(expected, caught.value.response["Error"]["Message"]), caught.value


def test_claims_may_tag_the_session(sts, issuer):
    tags = {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]}
    assume(sts, issuer.token(**{"https://aws.amazon.com/tags": tags}))


def test_an_sdk_does_it_by_itself(server, issuer, tmp_path, monkeypatch):
    file = tmp_path / "token"
    file.write_text(issuer.token())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/Web",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    identity = boto3.Session().client("sts").get_caller_identity()
    assert identity["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/Web/")
