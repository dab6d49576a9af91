"""Keys of every spec, through boto3, each answer checked by a library that is not the server's."""

import hashlib
import hmac
import os

import botocore.exceptions
import pytest
from cryptography import exceptions
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa, utils

import audit
import openssl

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}
RSA = ("RSA_2048", "RSA_3072", "RSA_4096")
RSASSA = [f"RSASSA_{scheme}_SHA_{bits}" for scheme in ("PKCS1_V1_5", "PSS") for bits in HASHES]
ECDSA = {"ECC_NIST_P256": "256", "ECC_NIST_P384": "384", "ECC_NIST_P521": "512", "ECC_SECG_P256K1": "256"}
ML_DSA = {"ML_DSA_44": mldsa.MLDSA44PublicKey, "ML_DSA_65": mldsa.MLDSA65PublicKey, "ML_DSA_87": mldsa.MLDSA87PublicKey}
ML_KEM = {"ML_KEM_512": 768, "ML_KEM_768": 1088, "ML_KEM_1024": 1568}
MESSAGE = b"a message for a signature"
CONTEXT = {"purpose": "test"}
PAIRS = [*RSA, *CURVES, "ECC_NIST_EDWARDS25519", *ML_KEM]


@pytest.fixture(scope="module")
def make(kms):
    """The ids of keys, one for each spec and usage."""
    made = {}

    def make(spec, usage):
        if (spec, usage) not in made:
            made[spec, usage] = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        return made[spec, usage]

    return make


def public_key(kms, key):
    return serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])


def refused(call, code, **request):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**request)
    assert error.value.response["Error"]["Code"] == code
    return error.value.response["Error"]["Message"]


def rsa_padding(algorithm, digest):
    if "PSS" in algorithm:
        return padding.PSS(padding.MGF1(digest), digest.digest_size)
    return padding.PKCS1v15()


def signing_cells():
    """Every spec that signs with each algorithm and type of message that it takes."""
    cells = [(spec, algorithm, kind) for spec in RSA for algorithm in RSASSA for kind in ("RAW", "DIGEST")]
    cells += [(spec, f"ECDSA_SHA_{bits}", kind) for spec, bits in ECDSA.items() for kind in ("RAW", "DIGEST")]
    cells += [("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "RAW"), ("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "DIGEST")]
    return cells + [(spec, "ML_DSA_SHAKE_256", kind) for spec in ML_DSA for kind in ("RAW", "EXTERNAL_MU")]


def sent(spec, algorithm, kind, public):
    """What is sent to be signed, for `MESSAGE`."""
    if kind == "EXTERNAL_MU":
        raw = public.public_bytes_raw()
        tr = hashlib.shake_256(raw).digest(64)
        return hashlib.shake_256(tr + b"\0\0" + MESSAGE).digest(64)
    if kind == "DIGEST":
        return hashlib.new(f"sha{algorithm[-3:]}", MESSAGE).digest()
    return MESSAGE


def verify(public, spec, algorithm, signature):
    """Verifies a signature of `MESSAGE` without the server."""
    digest = HASHES.get(algorithm[-3:])
    if spec in RSA:
        public.verify(signature, MESSAGE, rsa_padding(algorithm, digest), digest)
    elif spec in CURVES:
        assert isinstance(public.curve, CURVES[spec])
        public.verify(signature, MESSAGE, ec.ECDSA(digest))
    elif algorithm == "ED25519_SHA_512" or spec in ML_DSA:
        assert isinstance(public, ML_DSA.get(spec, ed25519.Ed25519PublicKey))
        public.verify(signature, MESSAGE)


@pytest.mark.parametrize(("spec", "algorithm", "kind"), signing_cells())
def test_a_signature_is_verified_by_the_service_and_without_it(kms, make, spec, algorithm, kind):
    key = make(spec, "SIGN_VERIFY")
    public = public_key(kms, key)
    request = {
        "KeyId": key, "MessageType": kind, "SigningAlgorithm": algorithm,
        "Message": sent(spec, algorithm, kind, public),
    }  # fmt: skip
    signed = kms.sign(**request)
    assert (signed["KeyId"].endswith(key), signed["SigningAlgorithm"]) == (True, algorithm)
    verified = kms.verify(**request, Signature=signed["Signature"])
    assert (verified["KeyId"].endswith(key), verified["SignatureValid"]) == (True, True)
    verify(public, spec, algorithm, signed["Signature"])
    altered = signed["Signature"][:-1] + bytes([signed["Signature"][-1] ^ 1])
    # An SDK makes a text of its own where there is none.
    refused(kms.verify, "KMSInvalidSignatureException", **request, Signature=altered)
    refused(kms.sign, "DryRunOperationException", **request, DryRun=True)
    refused(kms.verify, "DryRunOperationException", **request, Signature=signed["Signature"], DryRun=True)


@pytest.mark.parametrize("spec", RSA)
@pytest.mark.parametrize(("algorithm", "digest"), [("RSAES_OAEP_SHA_1", hashes.SHA1()), ("RSAES_OAEP_SHA_256", hashes.SHA256())])
def test_a_ciphertext_made_without_the_service_is_decrypted(kms, make, spec, algorithm, digest):
    key = make(spec, "ENCRYPT_DECRYPT")
    public = public_key(kms, key)
    assert public.key_size == int(spec[-4:])
    longest = public.key_size // 8 - 2 * digest.digest_size - 2
    for plaintext in (b"x", os.urandom(longest)):
        sealed = public.encrypt(plaintext, padding.OAEP(padding.MGF1(digest), digest, None))
        opened = kms.decrypt(KeyId=key, EncryptionAlgorithm=algorithm, CiphertextBlob=sealed)
        assert opened["Plaintext"] == plaintext
        sealed = kms.encrypt(KeyId=key, EncryptionAlgorithm=algorithm, Plaintext=plaintext)
        assert len(sealed["CiphertextBlob"]) == public.key_size // 8
        opened = kms.decrypt(KeyId=key, EncryptionAlgorithm=algorithm, CiphertextBlob=sealed["CiphertextBlob"])
        assert (opened["Plaintext"], opened["EncryptionAlgorithm"]) == (plaintext, algorithm)
        assert "KeyMaterialId" not in opened
    assert refused(kms.encrypt, "ValidationException", KeyId=key, EncryptionAlgorithm=algorithm, Plaintext=bytes(longest + 1)) == (
        f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {longest} bytes."
    )
    for wrong in (os.urandom(public.key_size // 8), sealed["CiphertextBlob"][1:], b"x"):
        refused(kms.decrypt, "InvalidCiphertextException", KeyId=key, EncryptionAlgorithm=algorithm, CiphertextBlob=wrong)


def test_a_ciphertext_moves_between_a_symmetric_key_and_a_public_key(kms, make, shared_key):
    key, algorithm = make("RSA_2048", "ENCRYPT_DECRYPT"), "RSAES_OAEP_SHA_256"
    sealed = kms.encrypt(KeyId=shared_key, Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
    there = kms.re_encrypt(
        CiphertextBlob=sealed, SourceEncryptionContext=CONTEXT, DestinationKeyId=key, DestinationEncryptionAlgorithm=algorithm
    )
    assert "DestinationKeyMaterialId" not in there and len(there["SourceKeyMaterialId"]) == 64
    opened = kms.decrypt(KeyId=key, EncryptionAlgorithm=algorithm, CiphertextBlob=there["CiphertextBlob"])
    assert opened["Plaintext"] == b"secret"
    back = kms.re_encrypt(
        CiphertextBlob=there["CiphertextBlob"], SourceKeyId=key, SourceEncryptionAlgorithm=algorithm,
        DestinationKeyId=shared_key, DestinationEncryptionContext=CONTEXT,
    )  # fmt: skip
    assert "SourceKeyMaterialId" not in back and len(back["DestinationKeyMaterialId"]) == 64
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"], EncryptionContext=CONTEXT)["Plaintext"] == b"secret"


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_a_mac_is_as_long_as_its_digest_and_verified(kms, make, bits):
    key, algorithm = make(f"HMAC_{bits}", "GENERATE_VERIFY_MAC"), f"HMAC_SHA_{bits}"
    for message in (b"x", os.urandom(4096)):
        request = {"KeyId": key, "MacAlgorithm": algorithm, "Message": message}
        made = kms.generate_mac(**request)
        assert (len(made["Mac"]), made["MacAlgorithm"]) == (bits // 8, algorithm)
        assert kms.generate_mac(**request)["Mac"] == made["Mac"]
        assert kms.verify_mac(**request, Mac=made["Mac"])["MacValid"] is True
        assert not hmac.compare_digest(made["Mac"], kms.generate_mac(**{**request, "Message": message + b"x"} if len(message) < 4096 else {**request, "Message": message[1:]})["Mac"])
        refused(kms.verify_mac, "KMSInvalidMacException", **request, Mac=bytes(bits // 8))
        refused(kms.verify_mac, "KMSInvalidMacException", **request, Mac=made["Mac"][:-1])
    refused(kms.get_public_key, "UnsupportedOperationException", KeyId=key)


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"])
def test_a_secret_is_agreed_on_with_a_key_outside(kms, make, spec):
    key = make(spec, "KEY_AGREEMENT")
    for _ in range(8):
        own = ec.generate_private_key(CURVES[spec]())
        peer = own.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        agreed = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=peer)
        assert agreed["SharedSecret"] == own.exchange(ec.ECDH(), public_key(kms, key))
        assert (agreed["KeyOrigin"], agreed["KeyAgreementAlgorithm"]) == ("AWS_KMS", "ECDH")
    for wrong in (peer[:-1], peer[:-1] + bytes([peer[-1] ^ 1]), b"x"):
        refused(kms.derive_shared_secret, "ValidationException", KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=wrong)


@pytest.mark.parametrize(("spec", "length"), ML_KEM.items())
def test_a_secret_is_encapsulated_and_recovered(kms, make, spec, length):
    key = make(spec, "ENCAPSULATE_DECAPSULATE")
    request = {"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}
    made = kms.encapsulate(**request)
    assert (len(made["SharedSecret"]), len(made["SharedSecretCiphertextBlob"])) == (32, length)
    blobs = [(made["SharedSecretCiphertextBlob"], made["SharedSecret"])]
    if spec != "ML_KEM_512":
        secret, blob = public_key(kms, key).encapsulate()
        blobs.append((blob, secret))
    for blob, secret in blobs:
        assert kms.decapsulate(**request, SharedSecretCiphertextBlob=blob)["SharedSecret"] == secret
        forged = kms.decapsulate(**request, SharedSecretCiphertextBlob=blob[:-1] + bytes([blob[-1] ^ 1]))["SharedSecret"]
        assert len(forged) == 32 and forged != secret
    refused(kms.decapsulate, "InvalidCiphertextException", **request, SharedSecretCiphertextBlob=bytes(length - 1))
    refused(kms.encapsulate, "DryRunOperationException", **request, DryRun=True)


@pytest.mark.parametrize("spec", PAIRS)
def test_a_data_key_pair_is_a_pair_outside(kms, shared_key, spec):
    made = kms.generate_data_key_pair(KeyId=shared_key, KeyPairSpec=spec, EncryptionContext=CONTEXT)
    assert (made["KeyPairSpec"], len(made["KeyMaterialId"])) == (spec, 64)
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == made["PrivateKeyPlaintext"]
    blind = kms.generate_data_key_pair_without_plaintext(KeyId=shared_key, KeyPairSpec=spec)
    assert "PrivateKeyPlaintext" not in blind and blind["PublicKey"] != made["PublicKey"]
    later = kms.decrypt(CiphertextBlob=blind["PrivateKeyCiphertextBlob"])["Plaintext"]
    if spec == "ML_KEM_512":
        assert len(made["PrivateKeyPlaintext"]) == len(later) == 86
        return
    for private, public in ((made["PrivateKeyPlaintext"], made["PublicKey"]), (later, blind["PublicKey"])):
        private, public = serialization.load_der_private_key(private, None), serialization.load_der_public_key(public)
        assert private.public_key() == public or spec.startswith("ML_KEM")
        if isinstance(private, rsa.RSAPrivateKey):
            sealed = public.encrypt(b"x", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
            assert private.decrypt(sealed, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)) == b"x"
        elif isinstance(private, ec.EllipticCurvePrivateKey):
            public.verify(private.sign(b"x", ec.ECDSA(hashes.SHA256())), b"x", ec.ECDSA(hashes.SHA256()))
        elif isinstance(private, ed25519.Ed25519PrivateKey):
            public.verify(private.sign(b"x"), b"x")
        else:
            assert isinstance(private, mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey)
            secret, blob = public.encapsulate()
            assert private.decapsulate(blob) == secret


def test_a_private_key_made_outside_of_it_signs_what_the_service_does_not_take_for_its_own(kms, make):
    key = make("ECC_NIST_P256", "SIGN_VERIFY")
    stranger = ec.generate_private_key(ec.SECP256R1()).sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    request = {"KeyId": key, "SigningAlgorithm": "ECDSA_SHA_256", "Message": MESSAGE}
    refused(kms.verify, "KMSInvalidSignatureException", **request, Signature=stranger)
    # What the service signs is a signature in the form that every library reads.
    r, s = utils.decode_dss_signature(kms.sign(**request)["Signature"])
    with pytest.raises(exceptions.InvalidSignature):
        public_key(kms, key).verify(utils.encode_dss_signature(s, r), MESSAGE, ec.ECDSA(hashes.SHA256()))


def test_no_key_but_a_symmetric_one_makes_data_keys_or_rotates(kms, make):
    key = make("RSA_2048", "ENCRYPT_DECRYPT")
    text = "You cannot generate a data key with an asymmetric CMK"
    assert refused(kms.generate_data_key, "InvalidKeyUsageException", KeyId=key, KeySpec="AES_256") == text
    text = "You cannot generate a data key pair with an asymmetric CMK"
    assert refused(kms.generate_data_key_pair, "InvalidKeyUsageException", KeyId=key, KeyPairSpec="RSA_2048") == text
    for call in (kms.enable_key_rotation, kms.rotate_key_on_demand):
        refused(call, "UnsupportedOperationException", KeyId=key)
    assert kms.list_key_rotations(KeyId=key)["Rotations"] == []
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_keys_of_every_kind_are_the_same_after_a_restart(fresh_server):
    kms = fresh_server.start().client()
    made = {}
    for spec, usage in (
        ("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P521", "SIGN_VERIFY"), ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
        ("ML_DSA_44", "SIGN_VERIFY"), ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"), ("HMAC_256", "GENERATE_VERIFY_MAC"),
    ):  # fmt: skip
        key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        made[spec] = (key, result(kms, spec, key))
    fresh_server.kill()
    kms = fresh_server.start().client()
    for spec, (key, before) in made.items():
        assert result(kms, spec, key) == before, spec


def result(kms, spec, key):
    """Something that depends on the key alone."""
    if spec.startswith("HMAC"):
        return kms.generate_mac(KeyId=key, MacAlgorithm="HMAC_SHA_256", Message=MESSAGE)["Mac"]
    return kms.get_public_key(KeyId=key)["PublicKey"]


def test_nothing_of_a_message_or_a_signature_is_in_the_trail(fresh_server):
    kms = fresh_server.start().client()
    signs = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    request = {"KeyId": signs, "SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "RAW", "Message": MESSAGE}
    signed = kms.sign(**request)
    kms.verify(**request, Signature=signed["Signature"])
    kms.get_public_key(KeyId=signs)
    events = {event["eventName"]: event for event in audit.completed(fresh_server.data_dir / "audit").values()}
    expected = {"keyId": signs, "signingAlgorithm": "ECDSA_SHA_256", "messageType": "RAW"}
    for name in ("Sign", "Verify"):
        assert events[name]["requestParameters"] == expected
        assert events[name]["responseElements"] is None and events[name]["readOnly"] is True
        assert events[name]["resources"][0]["ARN"].endswith(signs)
    assert events["GetPublicKey"]["requestParameters"] == {"keyId": signs}
    metadata = events["CreateKey"]["responseElements"]["keyMetadata"]
    assert (metadata["signingAlgorithms"], "encryptionAlgorithms" in metadata) == (["ECDSA_SHA_256"], False)


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    """A service that makes SM2 keys."""
    import server as harness

    running = harness.Server(tmp_path_factory.mktemp("sm2") / "data", config="[crypto]\nsm2 = true\n").start()
    yield running.client()
    running.kill()


def test_sm2_keys_are_made_where_a_setting_says_so(kms, shared_key, chinese):
    refused(kms.create_key, "UnsupportedOperationException", KeySpec="SM2", KeyUsage="SIGN_VERIFY")
    refused(kms.generate_data_key_pair, "UnsupportedOperationException", KeyId=shared_key, KeyPairSpec="SM2")
    assert chinese.create_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["SigningAlgorithms"] == ["SM2DSA"]


def test_an_sm2_signature_is_verified_by_openssl(chinese, tmp_path):
    key = chinese.create_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    shell = openssl.OpenSsl(tmp_path, chinese.get_public_key(KeyId=key)["PublicKey"])
    signed = chinese.sign(KeyId=key, SigningAlgorithm="SM2DSA", Message=MESSAGE)["Signature"]
    assert shell.verify(MESSAGE, signed, "-sm3", "-sigopt", "distid:1234567812345678")
    assert not shell.verify(MESSAGE + b"x", signed, "-sm3", "-sigopt", "distid:1234567812345678")
    assert chinese.verify(KeyId=key, SigningAlgorithm="SM2DSA", Message=MESSAGE, Signature=signed)["SignatureValid"]


def test_sm2_ciphertexts_are_exchanged_with_openssl(chinese, tmp_path):
    key = chinese.create_key(KeySpec="SM2", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    shell = openssl.OpenSsl(tmp_path, chinese.get_public_key(KeyId=key)["PublicKey"])
    opened = chinese.decrypt(KeyId=key, EncryptionAlgorithm="SM2PKE", CiphertextBlob=shell.encrypt(b"secret"))
    assert opened["Plaintext"] == b"secret"
    symmetric = chinese.create_key()["KeyMetadata"]["KeyId"]
    pair = chinese.generate_data_key_pair(KeyId=symmetric, KeyPairSpec="SM2")
    assert openssl.OpenSsl(tmp_path, pair["PublicKey"], pair["PrivateKeyPlaintext"]).decrypt(
        openssl.OpenSsl(tmp_path, pair["PublicKey"]).encrypt(b"secret")
    ) == b"secret"
