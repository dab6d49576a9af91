"""The life of a key, as a user pastes it into a terminal."""

import base64
import json
import time

from server import ACCOUNT, key_arn

POLICY = {
    "Version": "2012-10-17",
    "Id": "key-policy",
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
ALIAS = "alias/app-encryption-key"
CONTEXT = "purpose=demo,environment=test"


def test_the_life_of_a_key_on_the_command_line(aws):
    # Make a key and a name for it.
    made = aws(
        "kms", "create-key",
        "--description", "Application encryption key",
        "--key-usage", "ENCRYPT_DECRYPT",
        "--key-spec", "SYMMETRIC_DEFAULT",
        "--policy", json.dumps(POLICY),
    )["KeyMetadata"]
    key = made["KeyId"]
    arn = key_arn(key)
    assert (made["Arn"], made["AWSAccountId"], made["KeyState"]) == (arn, ACCOUNT, "Enabled")
    assert made["Description"] == "Application encryption key"
    assert made["Enabled"] is True
    assert aws("kms", "create-alias", "--alias-name", ALIAS, "--target-key-id", key) == ""

    # Find it.
    assert {"KeyId": key, "KeyArn": arn} in aws("kms", "list-keys")["Keys"]
    assert aws("kms", "describe-key", "--key-id", ALIAS)["KeyMetadata"] == made

    # Change its description.
    assert aws("kms", "update-key-description", "--key-id", key, "--description", "Renamed") == ""
    assert aws("kms", "describe-key", "--key-id", ALIAS)["KeyMetadata"]["Description"] == "Renamed"

    # Rotation.
    assert aws("kms", "get-key-rotation-status", "--key-id", key) == {"KeyId": arn, "KeyRotationEnabled": False}
    assert aws("kms", "enable-key-rotation", "--key-id", key) == ""
    status = aws("kms", "get-key-rotation-status", "--key-id", key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 365)
    assert "NextRotationDate" in status

    # Off and on.
    assert aws("kms", "disable-key", "--key-id", key) == ""
    assert aws("kms", "describe-key", "--key-id", key)["KeyMetadata"]["KeyState"] == "Disabled"
    aws("kms", "encrypt", "--key-id", key, "--plaintext", "aGVsbG8=", fails=f"(DisabledException) when calling the Encrypt operation: {arn} is disabled.")
    assert aws("kms", "enable-key", "--key-id", key) == ""
    assert aws("kms", "describe-key", "--key-id", key)["KeyMetadata"]["KeyState"] == "Enabled"

    # Encrypt and decrypt under a context.
    (aws.directory / "secret.txt").write_bytes(b"hello, key")
    sealed = aws("kms", "encrypt", "--key-id", ALIAS, "--plaintext", "fileb://secret.txt", "--encryption-context", CONTEXT)
    assert (sealed["KeyId"], sealed["EncryptionAlgorithm"]) == (arn, "SYMMETRIC_DEFAULT")
    (aws.directory / "sealed.bin").write_bytes(base64.b64decode(sealed["CiphertextBlob"]))
    opened = aws("kms", "decrypt", "--ciphertext-blob", "fileb://sealed.bin", "--encryption-context", CONTEXT)
    assert base64.b64decode(opened["Plaintext"]) == b"hello, key"
    assert (opened["KeyId"], opened["EncryptionAlgorithm"]) == (arn, "SYMMETRIC_DEFAULT")
    aws("kms", "decrypt", "--ciphertext-blob", "fileb://sealed.bin", fails="(InvalidCiphertextException)")

    # Data keys.
    data_key = aws("kms", "generate-data-key", "--key-id", ALIAS, "--key-spec", "AES_256")
    assert len(base64.b64decode(data_key["Plaintext"])) == 32
    assert (data_key["KeyId"], len(data_key["KeyMaterialId"])) == (arn, 64)
    (aws.directory / "data-key.bin").write_bytes(base64.b64decode(data_key["CiphertextBlob"]))
    assert aws("kms", "decrypt", "--ciphertext-blob", "fileb://data-key.bin")["Plaintext"] == data_key["Plaintext"]
    blind = aws("kms", "generate-data-key-without-plaintext", "--key-id", ALIAS, "--key-spec", "AES_256")
    assert "Plaintext" not in blind and blind["KeyId"] == arn

    # Move the ciphertext to another key and another context.
    other = aws("kms", "create-key")["KeyMetadata"]["KeyId"]
    moved = aws(
        "kms", "re-encrypt",
        "--ciphertext-blob", "fileb://sealed.bin",
        "--source-encryption-context", CONTEXT,
        "--destination-key-id", other,
        "--destination-encryption-context", "purpose=moved",
    )
    assert (moved["SourceKeyId"], moved["KeyId"]) == (arn, key_arn(other))
    (aws.directory / "moved.bin").write_bytes(base64.b64decode(moved["CiphertextBlob"]))
    opened = aws("kms", "decrypt", "--ciphertext-blob", "fileb://moved.bin", "--encryption-context", "purpose=moved")
    assert base64.b64decode(opened["Plaintext"]) == b"hello, key"

    # Its policy.
    # The command line asks for all pages and leaves out how they were cut.
    assert aws("kms", "list-key-policies", "--key-id", key)["PolicyNames"] == ["default"]
    shown = aws("kms", "get-key-policy", "--key-id", key, "--policy-name", "default")
    assert (json.loads(shown["Policy"]), shown["PolicyName"]) == (POLICY, "default")
    changed = {**POLICY, "Id": "changed"}
    (aws.directory / "policy.json").write_text(json.dumps(changed))
    put = aws("kms", "put-key-policy", "--key-id", key, "--policy-name", "default", "--policy", "file://policy.json")
    assert put == ""
    text = aws("kms", "get-key-policy", "--key-id", key, "--policy-name", "default", "--output", "text", "--query", "Policy")
    assert (text if isinstance(text, dict) else json.loads(text)) == changed

    # Deletion, and back.
    planned = aws("kms", "schedule-key-deletion", "--key-id", key, "--pending-window-in-days", "30")
    assert (planned["KeyId"], planned["KeyState"], planned["PendingWindowInDays"]) == (arn, "PendingDeletion", 30)
    assert "DeletionDate" in planned
    aws("kms", "encrypt", "--key-id", key, "--plaintext", "aGVsbG8=", fails=f"(KMSInvalidStateException) when calling the Encrypt operation: {arn} is pending deletion.")
    assert aws("kms", "cancel-key-deletion", "--key-id", key) == {"KeyId": arn}
    assert aws("kms", "describe-key", "--key-id", key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_the_credentials_file_serves_as_a_shared_credentials_file(server):
    access_key_id, secret = server.credentials
    assert 16 <= len(access_key_id) <= 128
    assert len(secret) >= 40
    assert (server.data_dir / "credentials").stat().st_mode & 0o077 == 0


def test_dates_are_of_now(aws):
    made = aws("kms", "create-key")["KeyMetadata"]
    created = made["CreationDate"]
    if isinstance(created, str):
        import datetime

        created = datetime.datetime.fromisoformat(created).timestamp()
    assert abs(created - time.time()) < 60
