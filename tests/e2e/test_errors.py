"""Bad input, and the exact code, message and status it is answered with.

A message of None means that the answer has no such member.
"""

import base64
import json

import pytest

import raw
from server import ACCOUNT, alias_arn, b64, key_arn

UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab"
UNKNOWN_MRK = "mrk-1234abcd12ab34cd56ef1234567890ab"
BLOB = b64(b"x")
NO_ALIASES = ("InvalidArnException", "Key Aliases are not supported for this operation.")
KEY_SPECS = (
    "[RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1, ECC_NIST_EDWARDS25519, "
    "SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512, SM2, ML_DSA_44, ML_DSA_65, ML_DSA_87"
)


def invalid(*violations):
    """The answer to violations of the model, in the words of the service."""
    count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected: "
    return "ValidationException", count + "; ".join(violations)


def violation(member, rule, value="null"):
    """`value` is what the message shows; None where the member is sensitive."""
    shown = "Value" if value is None else f"Value {value}"
    return f"{shown} at '{member}' failed to satisfy constraint: Member must {rule}"


NULL = "not be null"
LONGER = "have length greater than or equal to {}".format
SHORTER = "have length less than or equal to {}".format
MORE = "have value greater than or equal to {}".format
LESS = "have value less than or equal to {}".format
PATTERN = "satisfy regular expression pattern: {}".format
ENUM = "satisfy enum value set: {}".format


def check(server, operation, body, code, message):
    answer = raw.call(server, operation, body)
    assert (answer.status, *answer.error) == (400, code, message), (operation, body)


# Input that no key is needed for: (operation, body, (code, message)).
WITHOUT_A_KEY = [
    # Identifiers
    ("DescribeKey", {"KeyId": UNKNOWN}, ("NotFoundException", f"Key '{key_arn(UNKNOWN)}' does not exist")),
    ("DescribeKey", {"KeyId": UNKNOWN.upper()}, ("NotFoundException", f"Key '{key_arn(UNKNOWN.upper())}' does not exist")),
    ("DescribeKey", {"KeyId": key_arn(UNKNOWN)}, ("NotFoundException", f"Key '{key_arn(UNKNOWN)}' does not exist")),
    ("DescribeKey", {"KeyId": UNKNOWN_MRK}, ("NotFoundException", f"Key '{key_arn(UNKNOWN_MRK)}' does not exist")),
    ("DescribeKey", {"KeyId": "fake-key-id"}, ("NotFoundException", "Invalid keyId 'fake-key-id'")),
    ("DescribeKey", {"KeyId": UNKNOWN.replace("-", "")}, ("NotFoundException", f"Invalid keyId '{UNKNOWN.replace('-', '')}'")),
    ("DescribeKey", {"KeyId": "mrk-fake-key-id"}, ("NotFoundException", "Invalid keyId 'mrk-fake-key-id'")),
    ("DescribeKey", {"KeyId": key_arn("foo")}, ("NotFoundException", "Invalid keyId foo")),
    ("DescribeKey", {"KeyId": key_arn(UNKNOWN, "us-west-2")}, ("NotFoundException", "Invalid arn us-west-2")),
    ("DescribeKey", {"KeyId": alias_arn("alias/x", "us-west-2")}, ("NotFoundException", "Invalid arn us-west-2")),
    ("DescribeKey", {"KeyId": "alias/nothing"}, ("NotFoundException", f"Alias {alias_arn('alias/nothing')} is not found.")),
    ("DescribeKey", {"KeyId": alias_arn("alias/nothing")}, ("NotFoundException", f"Alias {alias_arn('alias/nothing')} is not found.")),
    ("Encrypt", {"KeyId": "alias/nothing", "Plaintext": BLOB}, ("NotFoundException", f"Alias {alias_arn('alias/nothing')} is not found.")),
    ("DeleteAlias", {"AliasName": "alias/nothing"}, ("NotFoundException", f"Alias {alias_arn('alias/nothing')} is not found.")),
    ("DescribeKey", {"KeyId": "alias/aws/nothing"}, ("NotFoundException", f"Alias {alias_arn('alias/aws/nothing')} is not found.")),
    # Model constraints on KeyId
    ("DescribeKey", {}, invalid(violation("keyId", NULL))),
    ("DescribeKey", {"KeyId": None}, invalid(violation("keyId", NULL))),
    ("DescribeKey", {"KeyId": ""}, invalid(violation("keyId", LONGER(1), "''"), violation("keyId", PATTERN(r"^\p{ASCII}+$"), "''"))),
    ("DescribeKey", {"KeyId": "キー"}, invalid(violation("keyId", PATTERN(r"^\p{ASCII}+$"), "'キー'"))),
    ("DescribeKey", {"KeyId": "x" * 2049}, invalid(violation("keyId", SHORTER(2048), f"'{'x' * 2049}'"))),
    # Random bytes
    ("GenerateRandom", {}, ("ValidationException", "NumberOfBytes is required.")),
    ("GenerateRandom", {"NumberOfBytes": 0}, invalid(violation("numberOfBytes", MORE(1), "'0'"))),
    ("GenerateRandom", {"NumberOfBytes": 1025}, invalid(violation("numberOfBytes", LESS(1024), "'1025'"))),
    # Encrypt
    ("Encrypt", {"KeyId": UNKNOWN}, invalid(violation("plaintext", NULL, None))),
    ("Encrypt", {"KeyId": UNKNOWN, "Plaintext": ""}, invalid(violation("plaintext", LONGER(1), None))),
    ("Encrypt", {"KeyId": UNKNOWN, "Plaintext": b64(b"x" * 4097)}, invalid(violation("plaintext", SHORTER(4096), None))),
    (
        "Encrypt",
        {"KeyId": UNKNOWN, "Plaintext": BLOB, "EncryptionAlgorithm": "FOO"},
        invalid(violation("encryptionAlgorithm", ENUM("[RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT]"), "'FOO'")),
    ),
    # Decrypt
    ("Decrypt", {}, invalid(violation("ciphertextBlob", NULL))),
    ("Decrypt", {"CiphertextBlob": ""}, invalid(violation("ciphertextBlob", LONGER(1), None))),
    ("Decrypt", {"CiphertextBlob": b64(b"x" * 6145)}, invalid(violation("ciphertextBlob", SHORTER(6144), None))),
    ("Decrypt", {"CiphertextBlob": BLOB}, ("InvalidCiphertextException", None)),
    ("Decrypt", {"CiphertextBlob": b64(bytes(200))}, ("InvalidCiphertextException", None)),
    ("Decrypt", {"CiphertextBlob": b64(b"\xc5\x01" + bytes(200))}, ("InvalidCiphertextException", None)),
    ("ReEncrypt", {"DestinationKeyId": UNKNOWN}, invalid(violation("ciphertextBlob", NULL))),
    ("ReEncrypt", {"CiphertextBlob": BLOB}, invalid(violation("destinationKeyId", NULL))),
    # Data keys
    ("GenerateDataKey", {"KeyId": UNKNOWN, "NumberOfBytes": 0}, invalid(violation("numberOfBytes", MORE(1), "'0'"))),
    ("GenerateDataKey", {"KeyId": UNKNOWN, "NumberOfBytes": 1025}, invalid(violation("numberOfBytes", LESS(1024), "'1025'"))),
    ("GenerateDataKey", {"KeyId": UNKNOWN}, ("ValidationException", "Please specify either number of bytes or key spec.")),
    (
        "GenerateDataKeyWithoutPlaintext",
        {"KeyId": UNKNOWN, "NumberOfBytes": 32, "KeySpec": "AES_256"},
        ("ValidationException", "Please specify either number of bytes or key spec."),
    ),
    # Aliases
    (
        "CreateAlias",
        {"AliasName": "nothing", "TargetKeyId": UNKNOWN},
        (
            "ValidationException",
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ),
    ),
    ("CreateAlias", {"AliasName": "alias/a:b", "TargetKeyId": UNKNOWN}, ("ValidationException", "alias/a:b contains invalid characters for an alias")),
    (
        "CreateAlias",
        {"AliasName": "alias/a!", "TargetKeyId": UNKNOWN},
        invalid(violation("aliasName", PATTERN("^[a-zA-Z0-9:/_-]+$"), "'alias/a!'")),
    ),
    ("CreateAlias", {"AliasName": "alias/a"}, invalid(violation("targetKeyId", NULL))),
    ("CreateAlias", {"AliasName": "alias/a", "TargetKeyId": UNKNOWN}, ("NotFoundException", f"Key '{key_arn(UNKNOWN)}' does not exist")),
    # CreateKey
    ("CreateKey", {"Tags": [{"TagKey": f"k{n}", "TagValue": ""} for n in range(51)]}, ("TagException", "Too many tags")),
    ("CreateKey", {"Tags": [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]}, ("TagException", "Duplicate tag keys")),
    ("CreateKey", {"Tags": [{"TagKey": "aws:a", "TagValue": ""}]}, ("TagException", "Tags beginning with aws: are reserved")),
    ("CreateKey", {"Tags": [{"TagKey": "AWS:a", "TagValue": ""}]}, ("TagException", "Tags beginning with aws: are reserved")),
    (
        "CreateKey",
        {"Tags": [{"TagKey": "k", "TagValue": "v" * 257}]},
        invalid(violation("tags.1.member.tagValue", SHORTER(256), f"'{'v' * 257}'")),
    ),
    (
        "CreateKey",
        {"Tags": [{"TagKey": "a" * 129, "TagValue": ""}]},
        invalid(violation("tags.1.member.tagKey", SHORTER(128), f"'{'a' * 129}'")),
    ),
    ("CreateKey", {"Description": "x" * 8193}, invalid(violation("description", SHORTER(8192), f"'{'x' * 8193}'"))),
    (
        "CreateKey",
        {"KeySpec": "HMAC_256"},
        ("ValidationException", "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."),
    ),
    # Limits of the lists
    ("ListKeys", {"Limit": 0}, invalid(violation("limit", MORE(1), "'0'"))),
    ("ListKeys", {"Limit": 1001}, invalid(violation("limit", LESS(1000), "'1001'"))),
    ("ListKeyPolicies", {"KeyId": UNKNOWN}, ("NotFoundException", f"Key '{key_arn(UNKNOWN)}' does not exist")),
]


@pytest.mark.parametrize(("operation", "body", "error"), WITHOUT_A_KEY)
def test_bad_input_is_answered_in_the_words_of_aws(server, operation, body, error):
    check(server, operation, body, *error)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("CancelKeyDeletion", {}),
        ("DisableKey", {}),
        ("DisableKeyRotation", {}),
        ("EnableKey", {}),
        ("EnableKeyRotation", {}),
        ("GetKeyPolicy", {}),
        ("GetKeyRotationStatus", {}),
        ("ListKeyPolicies", {}),
        ("ListResourceTags", {}),
        ("PutKeyPolicy", {"Policy": "{}"}),
        ("RotateKeyOnDemand", {}),
        ("ScheduleKeyDeletion", {}),
        ("TagResource", {"Tags": []}),
        ("UntagResource", {"TagKeys": []}),
        ("UpdateKeyDescription", {"Description": ""}),
    ],
)
def test_operations_on_keys_refuse_aliases_before_they_look(server, operation, body):
    for alias in ("alias/nothing", alias_arn("alias/nothing")):
        check(server, operation, {"KeyId": alias, **body}, *NO_ALIASES)


@pytest.mark.parametrize("operation", ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"])
def test_an_unknown_spec_of_a_data_key_is_refused_with_the_key_specs(server, operation):
    for spec in ("FOO", "RSA_2048"):
        code, message = raw.call(server, operation, {"KeyId": UNKNOWN, "KeySpec": spec}).error
        assert code == "ValidationException"
        assert message.startswith(invalid(violation("keySpec", ENUM(KEY_SPECS), f"'{spec}'"))[1]), message


def test_values_outside_the_enums_of_create_key_are_refused(server):
    for member, value in (("KeySpec", "HMAC_random"), ("KeyUsage", "RANDOM"), ("Origin", "MARS")):
        code, message = raw.call(server, "CreateKey", {member: value}).error
        name = member[0].lower() + member[1:]
        assert code == "ValidationException"
        assert message.startswith(
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
            "Member must satisfy enum value set: ["
        ), message


def test_violations_are_counted_and_joined(server):
    check(
        server,
        "CreateAlias",
        {},
        *invalid(violation("aliasName", NULL), violation("targetKeyId", NULL)),
    )


# States. Each entry: an operation, and what it needs besides the key.
USES = [
    ("Encrypt", {"Plaintext": BLOB}),
    ("GenerateDataKey", {"KeySpec": "AES_256"}),
    ("GenerateDataKeyWithoutPlaintext", {"KeySpec": "AES_256"}),
]
CHANGES = [
    ("DisableKey", {}),
    ("DisableKeyRotation", {}),
    ("EnableKey", {}),
    ("EnableKeyRotation", {}),
    ("RotateKeyOnDemand", {}),
    ("ScheduleKeyDeletion", {}),
    ("TagResource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    ("UntagResource", {"TagKeys": ["a"]}),
    ("UpdateKeyDescription", {"Description": "x"}),
]


@pytest.fixture
def sealed(kms, key):
    return b64(kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"])


def test_a_disabled_key_is_of_no_use(server, kms, key, sealed, shared_key):
    kms.disable_key(KeyId=key)
    refused = ("DisabledException", f"{key_arn(key)} is disabled.")
    rotations = [("EnableKeyRotation", {}), ("DisableKeyRotation", {}), ("RotateKeyOnDemand", {})]
    for operation, body in USES + rotations:
        check(server, operation, {"KeyId": key, **body}, *refused)
    check(server, "Decrypt", {"CiphertextBlob": sealed}, *refused)
    check(server, "ReEncrypt", {"CiphertextBlob": sealed, "DestinationKeyId": shared_key}, *refused)
    other = b64(kms.encrypt(KeyId=shared_key, Plaintext=b"x")["CiphertextBlob"])
    check(server, "ReEncrypt", {"CiphertextBlob": other, "DestinationKeyId": key}, *refused)


def test_a_key_pending_deletion_is_neither_used_nor_changed(server, kms, key, sealed):
    kms.schedule_key_deletion(KeyId=key)
    refused = ("KMSInvalidStateException", f"{key_arn(key)} is pending deletion.")
    for operation, body in USES + CHANGES:
        check(server, operation, {"KeyId": key, **body}, *refused)
    check(server, "Decrypt", {"CiphertextBlob": sealed}, *refused)
    check(server, "CreateAlias", {"AliasName": "alias/for-the-dead", "TargetKeyId": key}, *refused)


def test_only_a_key_pending_deletion_can_be_spared(server, key):
    check(
        server, "CancelKeyDeletion", {"KeyId": key}, "KMSInvalidStateException", f"{key_arn(key)} is not pending deletion."
    )


def test_the_waiting_period_is_seven_to_thirty_days(server, key):
    for days, rule in ((6, MORE(7)), (0, MORE(7)), (31, LESS(30))):
        error = invalid(violation("pendingWindowInDays", rule, f"'{days}'"))
        check(server, "ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": days}, *error)


def test_the_rotation_period_is_90_to_2560_days(server, key):
    for days, rule in ((89, MORE(90)), (2561, LESS(2560))):
        error = invalid(violation("rotationPeriodInDays", rule, f"'{days}'"))
        check(server, "EnableKeyRotation", {"KeyId": key, "RotationPeriodInDays": days}, *error)


def test_rotations_on_demand_are_limited_to_25(server, kms, key):
    for _ in range(25):
        kms.rotate_key_on_demand(KeyId=key)
    check(
        server,
        "RotateKeyOnDemand",
        {"KeyId": key},
        "LimitExceededException",
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed "
        f"for this key: {key_arn(key)}",
    )


# Cryptography


def test_a_ciphertext_opens_under_its_own_context_alone(server, kms, shared_key):
    sealed = b64(kms.encrypt(KeyId=shared_key, Plaintext=b"x", EncryptionContext={"a": "b", "c": "d"})["CiphertextBlob"])
    for context in (None, {}, {"a": "b"}, {"a": "b", "c": "D"}, {"A": "b", "c": "d"}, {"a": "bc", "": "d"}, {"a": "b", "c": "d", "e": ""}):
        body = {"CiphertextBlob": sealed, **({} if context is None else {"EncryptionContext": context})}
        check(server, "Decrypt", body, "InvalidCiphertextException", None)
        body = {"CiphertextBlob": sealed, "DestinationKeyId": shared_key, "SourceEncryptionContext": context or {}}
        check(server, "ReEncrypt", body, "InvalidCiphertextException", None)


def test_another_key_than_that_of_the_ciphertext_is_incorrect(server, key, sealed, shared_key):
    error = ("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
    check(server, "Decrypt", {"CiphertextBlob": sealed, "KeyId": shared_key}, *error)
    check(server, "ReEncrypt", {"CiphertextBlob": sealed, "SourceKeyId": shared_key, "DestinationKeyId": key}, *error)


def test_an_algorithm_of_another_key_spec_does_not_fit(server, shared_key):
    body = {"KeyId": shared_key, "Plaintext": BLOB, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    check(
        server,
        "Encrypt",
        body,
        "InvalidKeyUsageException",
        "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
    )


# Aliases, tags and policies of a key that exists


def test_an_alias_is_made_once(server, kms, key):
    kms.create_alias(AliasName="alias/made-once", TargetKeyId=key)
    check(
        server,
        "CreateAlias",
        {"AliasName": "alias/made-once", "TargetKeyId": key},
        "AlreadyExistsException",
        f"An alias with the name {alias_arn('alias/made-once')} already exists",
    )


def test_aliases_of_services_are_reserved(server, key):
    for operation, body in (
        ("CreateAlias", {"AliasName": "alias/aws/mine", "TargetKeyId": key}),
        ("UpdateAlias", {"AliasName": "alias/aws/s3", "TargetKeyId": key}),
        ("DeleteAlias", {"AliasName": "alias/aws/s3"}),
    ):
        assert raw.call(server, operation, body).error[0] in ("NotAuthorizedException", "NotFoundException"), operation


def test_an_alias_that_is_not_there_cannot_move(server, key):
    check(
        server,
        "UpdateAlias",
        {"AliasName": "alias/never-made", "TargetKeyId": key},
        "NotFoundException",
        f"Alias {alias_arn('alias/never-made')} is not found.",
    )


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}], "Duplicate tag keys"),
        ([{"TagKey": "aws:x", "TagValue": ""}], "Tags beginning with aws: are reserved"),
        ([{"TagKey": f"k{n}", "TagValue": ""} for n in range(51)], "Too many tags"),
    ],
)
def test_bad_tags_are_refused_whole(server, kms, key, tags, message):
    check(server, "TagResource", {"KeyId": key, "Tags": tags}, "TagException", message)
    assert kms.list_resource_tags(KeyId=key)["Tags"] == []


def test_the_fifty_first_tag_is_one_too_many(server, kms, key):
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": f"k{n}", "TagValue": ""} for n in range(50)])
    check(server, "TagResource", {"KeyId": key, "Tags": [{"TagKey": "x", "TagValue": ""}]}, "TagException", "Too many tags")
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "k0", "TagValue": "replaced"}])


def statement(principal, action="kms:*"):
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."


@pytest.mark.parametrize("operation", ["CreateKey", "PutKeyPolicy"])
def test_a_policy_that_locks_everybody_out_is_refused(server, key, operation):
    target = {"KeyId": key} if operation == "PutKeyPolicy" else {}
    for text in (policy(statement(ROOT, "kms:Encrypt")), policy(statement({"AWS": "arn:aws:iam::999999999999:root"}))):
        check(server, operation, {"Policy": text, **target}, "MalformedPolicyDocumentException", LOCKED_OUT)
    for resource in ("arn:aws:kms:us-west-2:*:key/*", "arn:aws:s3:::bucket", []):
        text = policy({**statement(ROOT), "Resource": resource})
        check(server, operation, {"Policy": text, **target}, "MalformedPolicyDocumentException", LOCKED_OUT)
    for text in (
        "not json",
        "[]",
        "{",
        policy({**statement(ROOT), "Effect": "Perhaps"}),
        policy({**statement(ROOT), "Effect": {"Allow": None}}),
        policy([None, "Allow", ROOT, None, "kms:*", None, "*"]),
        policy(statement(ROOT)).replace('"Effect"', '"Effect": "Allow", "Effect"'),
        "[" * 5000,
    ):
        code = raw.call(server, operation, {"Policy": text, **target}).error[0]
        assert code == "MalformedPolicyDocumentException", text


def test_the_check_for_a_lock_out_can_be_bypassed(server, kms):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    text = policy(statement(ROOT, ["kms:Get*", "kms:Describe*"]))
    kms.put_key_policy(KeyId=key, Policy=text, BypassPolicyLockoutSafetyCheck=True)
    assert kms.get_key_policy(KeyId=key)["Policy"] == text


def test_only_the_default_policy_exists(server, key):
    check(server, "GetKeyPolicy", {"KeyId": key, "PolicyName": "other"}, "NotFoundException", "No such policy exists")


def test_a_marker_of_no_list_is_refused(server, key):
    for operation, body in (("ListKeys", {}), ("ListAliases", {}), ("ListResourceTags", {"KeyId": key}), ("ListKeyRotations", {"KeyId": key})):
        for marker in ("nonsense", b64(b"{}")):
            code = raw.call(server, operation, {"Marker": marker, **body}).error[0]
            assert code == "InvalidMarkerException", (operation, marker)


def test_keys_of_services_belong_to_their_service(server, kms):
    key = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"]
    for operation, body in (("DisableKey", {}), ("ScheduleKeyDeletion", {}), ("PutKeyPolicy", {"Policy": policy(statement(ROOT))})):
        answer = raw.call(server, operation, {"KeyId": key, **body})
        assert answer.status == 400, operation


def test_no_error_shows_the_plaintext(server, key):
    secret = b"the-secret-plaintext" * 300
    answer = raw.call(server, "Encrypt", {"KeyId": key, "Plaintext": b64(secret)})
    assert answer.status == 400
    assert base64.b64encode(secret[:30]) not in answer.body and b"the-secret" not in answer.body
