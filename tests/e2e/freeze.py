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


# One key of every kind of material, and of its usages the one that says most.
SPECS = {
    "RSA_2048": "ENCRYPT_DECRYPT", "RSA_3072": "SIGN_VERIFY", "RSA_4096": "SIGN_VERIFY",
    "ECC_NIST_P256": "SIGN_VERIFY", "ECC_NIST_P384": "KEY_AGREEMENT", "ECC_NIST_P521": "SIGN_VERIFY",
    "ECC_SECG_P256K1": "SIGN_VERIFY", "ECC_NIST_EDWARDS25519": "SIGN_VERIFY", "SM2": "ENCRYPT_DECRYPT",
    "HMAC_224": "GENERATE_VERIFY_MAC", "HMAC_256": "GENERATE_VERIFY_MAC", "HMAC_384": "GENERATE_VERIFY_MAC",
    "HMAC_512": "GENERATE_VERIFY_MAC", "ML_DSA_44": "SIGN_VERIFY", "ML_DSA_65": "SIGN_VERIFY", "ML_DSA_87": "SIGN_VERIFY",
    "ML_KEM_512": "ENCAPSULATE_DECAPSULATE", "ML_KEM_768": "ENCAPSULATE_DECAPSULATE", "ML_KEM_1024": "ENCAPSULATE_DECAPSULATE",
}  # fmt: skip
MESSAGE = b"a frozen message"


def use(kms, spec, usage, key):
    """What the key makes now, for `used_again` to check later."""
    if usage == "ENCRYPT_DECRYPT":
        algorithm = "SM2PKE" if spec == "SM2" else "RSAES_OAEP_SHA_256"
        return kms.encrypt(KeyId=key, EncryptionAlgorithm=algorithm, Plaintext=MESSAGE)["CiphertextBlob"], MESSAGE
    if usage == "GENERATE_VERIFY_MAC":
        return kms.generate_mac(KeyId=key, MacAlgorithm=f"HMAC_SHA_{spec[-3:]}", Message=MESSAGE)["Mac"], MESSAGE
    if usage == "ENCAPSULATE_DECAPSULATE":
        made = kms.encapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM")
        return made["SharedSecretCiphertextBlob"], made["SharedSecret"]
    if usage == "KEY_AGREEMENT":
        public = kms.get_public_key(KeyId=key)["PublicKey"]
        return public, kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=public)["SharedSecret"]
    algorithm = kms.describe_key(KeyId=key)["KeyMetadata"]["SigningAlgorithms"][0]
    return kms.sign(KeyId=key, SigningAlgorithm=algorithm, Message=MESSAGE)["Signature"], MESSAGE


def used_again(kms, spec, usage, key, made):
    """What comes out of `made`: the second value that `use` returned."""
    if usage == "ENCRYPT_DECRYPT":
        algorithm = "SM2PKE" if spec == "SM2" else "RSAES_OAEP_SHA_256"
        return kms.decrypt(KeyId=key, EncryptionAlgorithm=algorithm, CiphertextBlob=made)["Plaintext"]
    if usage == "GENERATE_VERIFY_MAC":
        assert kms.verify_mac(KeyId=key, MacAlgorithm=f"HMAC_SHA_{spec[-3:]}", Message=MESSAGE, Mac=made)["MacValid"]
        return MESSAGE
    if usage == "ENCAPSULATE_DECAPSULATE":
        return kms.decapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM", SharedSecretCiphertextBlob=made)["SharedSecret"]
    if usage == "KEY_AGREEMENT":
        return kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=made)["SharedSecret"]
    algorithm = kms.describe_key(KeyId=key)["KeyMetadata"]["SigningAlgorithms"][0]
    assert kms.verify(KeyId=key, SigningAlgorithm=algorithm, Message=MESSAGE, Signature=made)["SignatureValid"]
    return MESSAGE


def fill_specs(kms):
    """Makes a key of every spec and uses it."""
    found = []
    for spec, usage in SPECS.items():
        key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        made, result = use(kms, spec, usage, key)
        found.append({"spec": spec, "usage": usage, "key": key, "made": text(made), "result": text(result)})
    return found


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
        "specs": fill_specs(kms),
        "materials": [rotation["KeyMaterialId"] for rotation in rotations],
    }


def main(archive):
    with tempfile.TemporaryDirectory() as directory:
        directory, expected = pathlib.Path(directory), {}
        for seal in ("file", "passphrase"):
            settings = (config(seal, directory) or "") + "\n[crypto]\nsm2 = true\n"
            server = harness.Server(directory / seal, config=settings).start()
            expected[seal] = fill(server.client())
            server.process.terminate()
            assert server.process.wait() == 0
        (directory / "expected.json").write_text(json.dumps(expected, indent=1))
        with tarfile.open(archive, "w:gz") as packed:
            for name in ("file", "passphrase", "expected.json"):
                packed.add(directory / name, name)


if __name__ == "__main__":
    main(sys.argv[1])
