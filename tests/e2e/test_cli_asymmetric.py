"""Asymmetric and HMAC keys as a user pastes them into a terminal; `openssl` checks what comes out.

The pinned command line does not know Encapsulate and Decapsulate yet: boto3 calls them in `test_key_specs.py`.
"""

import base64

import pytest

import openssl


def written(aws, name, text):
    """Writes a member of an answer, base64, to a file for the next command."""
    (aws.directory / name).write_bytes(base64.b64decode(text))
    return f"fileb://{name}"


def shell(aws, key):
    shown = aws("kms", "get-public-key", "--key-id", key)
    return openssl.OpenSsl(aws.directory, base64.b64decode(shown["PublicKey"]))


def test_an_rsa_key_signs(aws):
    key = aws("kms", "create-key", "--key-usage", "SIGN_VERIFY", "--key-spec", "RSA_2048")["KeyMetadata"]["KeyId"]
    aws("kms", "create-alias", "--alias-name", "alias/release-signing", "--target-key-id", key)
    key = "alias/release-signing"
    message = b"release 1.0"
    (aws.directory / "message.txt").write_bytes(message)
    shown = aws("kms", "get-public-key", "--key-id", key)
    assert (shown["KeySpec"], shown["KeyUsage"], len(shown["SigningAlgorithms"])) == ("RSA_2048", "SIGN_VERIFY", 6)
    signed = aws(
        "kms", "sign", "--key-id", key, "--message", "fileb://message.txt", "--message-type", "RAW",
        "--signing-algorithm", "RSASSA_PKCS1_V1_5_SHA_256",
    )  # fmt: skip
    signature = written(aws, "signature.bin", signed["Signature"])
    verified = aws(
        "kms", "verify", "--key-id", key, "--message", "fileb://message.txt", "--message-type", "RAW",
        "--signing-algorithm", "RSASSA_PKCS1_V1_5_SHA_256", "--signature", signature,
    )  # fmt: skip
    assert verified["SignatureValid"] is True
    outside = shell(aws, key)
    assert outside.verify(message, base64.b64decode(signed["Signature"]), "-sha256")
    assert not outside.verify(b"release 2.0", base64.b64decode(signed["Signature"]), "-sha256")
    (aws.directory / "other.txt").write_bytes(b"release 2.0")
    aws(
        "kms", "verify", "--key-id", key, "--message", "fileb://other.txt", "--message-type", "RAW",
        "--signing-algorithm", "RSASSA_PKCS1_V1_5_SHA_256", "--signature", signature, fails="KMSInvalidSignatureException",
    )  # fmt: skip


PSS = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")


@pytest.mark.parametrize(
    ("spec", "algorithm", "options"),
    [
        *((spec, f"RSASSA_PKCS1_V1_5_SHA_{bits}", (f"-sha{bits}",)) for spec in ("RSA_2048", "RSA_4096") for bits in (256, 384, 512)),
        *((spec, f"RSASSA_PSS_SHA_{bits}", (f"-sha{bits}", *PSS)) for spec in ("RSA_2048", "RSA_3072") for bits in (256, 384, 512)),
        ("ECC_NIST_P256", "ECDSA_SHA_256", ("-sha256",)),
        ("ECC_NIST_P384", "ECDSA_SHA_384", ("-sha384",)),
        ("ECC_NIST_P521", "ECDSA_SHA_512", ("-sha512",)),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256", ("-sha256",)),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", None),
    ],
)
def test_openssl_verifies_what_is_signed(kms, tmp_path, spec, algorithm, options):
    key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    outside = openssl.OpenSsl(tmp_path, kms.get_public_key(KeyId=key)["PublicKey"])
    message = b"a message"
    signature = kms.sign(KeyId=key, SigningAlgorithm=algorithm, Message=message)["Signature"]
    for checked, expected in ((message, True), (b"another", False)):
        if options is None:
            assert outside.verify_raw(checked, signature) is expected
        else:
            assert outside.verify(checked, signature, *options) is expected


def test_an_rsa_key_encrypts(aws):
    key = aws("kms", "create-key", "--key-usage", "ENCRYPT_DECRYPT", "--key-spec", "RSA_2048")["KeyMetadata"]["KeyId"]
    (aws.directory / "secret.txt").write_bytes(b"hello")
    algorithm = ("--encryption-algorithm", "RSAES_OAEP_SHA_256")
    sealed = aws("kms", "encrypt", "--key-id", key, "--plaintext", "fileb://secret.txt", *algorithm)
    blob = written(aws, "sealed.bin", sealed["CiphertextBlob"])
    opened = aws("kms", "decrypt", "--key-id", key, "--ciphertext-blob", blob, *algorithm)
    assert base64.b64decode(opened["Plaintext"]) == b"hello"
    oaep = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
    (aws.directory / "outside.bin").write_bytes(shell(aws, key).encrypt(b"from outside", *oaep))
    opened = aws("kms", "decrypt", "--key-id", key, "--ciphertext-blob", "fileb://outside.bin", *algorithm)
    assert base64.b64decode(opened["Plaintext"]) == b"from outside"
    aws(
        "kms", "encrypt", "--key-id", key, "--plaintext", "fileb://secret.txt",
        fails="(InvalidKeyUsageException) when calling the Encrypt operation: Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.",
    )  # fmt: skip


def test_an_hmac_key_makes_macs(aws):
    key = aws("kms", "create-key", "--key-usage", "GENERATE_VERIFY_MAC", "--key-spec", "HMAC_256")["KeyMetadata"]["KeyId"]
    (aws.directory / "message.txt").write_bytes(b"pay 5")
    asked = ("--key-id", key, "--message", "fileb://message.txt", "--mac-algorithm", "HMAC_SHA_256")
    mac = written(aws, "mac.bin", aws("kms", "generate-mac", *asked)["Mac"])
    assert aws("kms", "verify-mac", *asked, "--mac", mac)["MacValid"] is True
    (aws.directory / "message.txt").write_bytes(b"pay 500")
    aws("kms", "verify-mac", *asked, "--mac", mac, fails="KMSInvalidMacException")


def test_an_elliptic_curve_key_agrees(aws):
    made = ("kms", "create-key", "--key-usage", "KEY_AGREEMENT", "--key-spec", "ECC_NIST_P256")
    ours, theirs = (aws(*made)["KeyMetadata"]["KeyId"] for _ in range(2))
    secrets = []
    for key, peer in ((ours, theirs), (theirs, ours)):
        public = written(aws, "peer.der", aws("kms", "get-public-key", "--key-id", peer)["PublicKey"])
        derived = aws("kms", "derive-shared-secret", "--key-id", key, "--key-agreement-algorithm", "ECDH", "--public-key", public)
        secrets.append(derived["SharedSecret"])
    assert secrets[0] == secrets[1] and len(base64.b64decode(secrets[0])) == 32


def test_an_ml_dsa_key_signs(aws):
    key = aws("kms", "create-key", "--key-usage", "SIGN_VERIFY", "--key-spec", "ML_DSA_65")["KeyMetadata"]["KeyId"]
    (aws.directory / "message.txt").write_bytes(b"post quantum")
    asked = ("--key-id", key, "--message", "fileb://message.txt", "--signing-algorithm", "ML_DSA_SHAKE_256")
    signature = written(aws, "signature.bin", aws("kms", "sign", *asked)["Signature"])
    assert aws("kms", "verify", *asked, "--signature", signature)["SignatureValid"] is True


def test_a_data_key_pair_signs_outside(aws):
    key = aws("kms", "create-key")["KeyMetadata"]["KeyId"]
    made = aws("kms", "generate-data-key-pair", "--key-id", key, "--key-pair-spec", "RSA_2048")
    blob = written(aws, "private.bin", made["PrivateKeyCiphertextBlob"])
    assert aws("kms", "decrypt", "--ciphertext-blob", blob)["Plaintext"] == made["PrivateKeyPlaintext"]
    pair = openssl.OpenSsl(aws.directory, *(base64.b64decode(made[name]) for name in ("PublicKey", "PrivateKeyPlaintext")))
    assert pair.decrypt(pair.encrypt(b"secret")) == b"secret"
