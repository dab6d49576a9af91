"""Freezes a data directory: `python freeze.py FILE.tar.gz` runs the binary, uses it, and packs what it left.

The archive holds one directory for each kind of seal, and `expected.json`: what a later release must find.
"""

import base64
import json
import pathlib
import sys
import tarfile
import tempfile

import server as harness

PASSPHRASE = "a passphrase that protects nothing\n"
# The least that argon2id takes, so that the test is quick.
PASSPHRASE_CONFIG = """
[seal]
kind = "passphrase"
passphrase_file = "{file}"
argon2_memory_kib = 64
argon2_passes = 1
argon2_lanes = 1
"""


def config(seal, directory):
    if seal == "file":
        return None
    file = pathlib.Path(directory) / "passphrase.txt"
    file.write_text(PASSPHRASE)
    return PASSPHRASE_CONFIG.format(file=file)


def text(blob):
    return base64.b64encode(blob).decode()


def fill(kms):
    """Uses every kind of record, and says what must be found again."""
    key = kms.create_key(Description="frozen", Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": ""}])
    key = key["KeyMetadata"]["KeyId"]
    sealed = []

    def encrypt(plaintext, context):
        blob = kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
        sealed.append({"blob": text(blob), "plaintext": text(plaintext), "context": context})

    encrypt(b"the first material", {})
    kms.rotate_key_on_demand(KeyId=key)
    encrypt(b"the second material", {"purpose": "demo", "\u00e4": "\u00e9"})
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=2560)
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"a": "b"})
    sealed.append({"blob": text(data_key["CiphertextBlob"]), "plaintext": text(data_key["Plaintext"]), "context": {"a": "b"}})
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    policy["Id"] = "frozen"
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    for name in ("alias/frozen", "alias/frozen/second"):
        kms.create_alias(AliasName=name, TargetKeyId=key)
    disabled = kms.create_key(Description="disabled")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=disabled)
    leaving = kms.create_key(Description="leaving")["KeyMetadata"]["KeyId"]
    deletion = kms.schedule_key_deletion(KeyId=leaving, PendingWindowInDays=30)["DeletionDate"]
    managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"]
    rotations = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    return {
        "key": key,
        "disabled": disabled,
        "leaving": leaving,
        "deletion": deletion.timestamp(),
        "managed": managed,
        "policy": json.dumps(policy),
        "sealed": sealed,
        "materials": [rotation["KeyMaterialId"] for rotation in rotations],
    }


def main(archive):
    with tempfile.TemporaryDirectory() as directory:
        directory, expected = pathlib.Path(directory), {}
        for seal in ("file", "passphrase"):
            server = harness.Server(directory / seal, config=config(seal, directory)).start()
            expected[seal] = fill(server.client())
            server.process.terminate()
            assert server.process.wait() == 0
        (directory / "expected.json").write_text(json.dumps(expected, indent=1))
        with tarfile.open(archive, "w:gz") as packed:
            for name in ("file", "passphrase", "expected.json"):
                packed.add(directory / name, name)


if __name__ == "__main__":
    main(sys.argv[1])
