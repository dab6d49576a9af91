"""Imported key material, wrapped by a library that is not the server's."""

import datetime
import hashlib
import hmac
import os

import botocore.exceptions
import pytest
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

CURVES = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}
WRAPPING_KEYS = ("RSA_2048", "RSA_3072", "RSA_4096")
OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
RSA_AES = ("RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")


def wrap(algorithm, public_key, material):
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm in OAEP:
        return public_key.encrypt(material, oaep)
    key = os.urandom(32)
    return public_key.encrypt(key, oaep) + keywrap.aes_key_wrap_with_padding(key, material)


def import_into(kms, key, material, algorithm="RSAES_OAEP_SHA_256", wrapping_key="RSA_2048", **more):
    parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_key)
    left = parameters["ParametersValidTo"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(hours=23) < left <= datetime.timedelta(hours=24, minutes=1)
    public_key = serialization.load_der_public_key(parameters["PublicKey"])
    assert f"RSA_{public_key.key_size}" == wrapping_key
    wrapped = wrap(algorithm, public_key, material)
    if "ValidTo" not in more:
        more["ExpirationModel"] = "KEY_MATERIAL_DOES_NOT_EXPIRE"
    return kms.import_key_material(
        KeyId=key, ImportToken=parameters["ImportToken"], EncryptedKeyMaterial=wrapped, **more
    )


def external(kms, spec, usage):
    made = kms.create_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyMetadata"]
    assert (made["KeyState"], made["Origin"]) == ("PendingImport", "EXTERNAL")
    return made["KeyId"]


def pkcs8(private_key):
    return private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def refused(call, code, *args, **request):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(*args, **request)
    assert error.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("wrapping_key", WRAPPING_KEYS)
@pytest.mark.parametrize("algorithm", OAEP)
def test_a_symmetric_key_comes_back_under_every_wrapping(kms, algorithm, wrapping_key):
    key, material = external(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), os.urandom(32)
    first = import_into(kms, key, material, algorithm, wrapping_key)
    sealed = kms.encrypt(KeyId=key, Plaintext=b"a")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key)
    refused(kms.decrypt, "KMSInvalidStateException", CiphertextBlob=sealed)
    refused(import_into, "IncorrectKeyMaterialException", kms, key, os.urandom(32), algorithm, wrapping_key)
    assert import_into(kms, key, material, algorithm, wrapping_key)["KeyMaterialId"] == first["KeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"a"


@pytest.mark.parametrize("bits,length", [(224, 28), (256, 32), (256, 64), (384, 48), (512, 64), (512, 128)])
def test_an_hmac_key_makes_the_same_macs(kms, bits, length):
    key, material = external(kms, f"HMAC_{bits}", "GENERATE_VERIFY_MAC"), os.urandom(length)
    import_into(kms, key, material)
    mac = kms.generate_mac(KeyId=key, MacAlgorithm=f"HMAC_SHA_{bits}", Message=b"m")["Mac"]
    assert mac == hmac.new(material, b"m", f"sha{bits}").digest()


@pytest.mark.parametrize("algorithm,wrapping_key", [*((a, "RSA_2048") for a in RSA_AES), (OAEP[1], "RSA_4096")])
@pytest.mark.parametrize("spec", CURVES)
def test_an_elliptic_curve_key_is_the_one_that_was_imported(kms, spec, algorithm, wrapping_key):
    private_key = ec.generate_private_key(CURVES[spec]())
    check_signer(kms, spec, private_key, algorithm, wrapping_key)


@pytest.mark.parametrize("algorithm,wrapping_key", [(OAEP[0], "RSA_3072"), (RSA_AES[1], "RSA_2048")])
def test_an_ed25519_key_is_the_one_that_was_imported(kms, algorithm, wrapping_key):
    check_signer(kms, "ECC_NIST_EDWARDS25519", ed25519.Ed25519PrivateKey.generate(), algorithm, wrapping_key)


@pytest.mark.parametrize("algorithm,wrapping_key", [(RSA_AES[0], "RSA_2048"), (RSA_AES[1], "RSA_4096")])
@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_an_rsa_key_is_the_one_that_was_imported(kms, bits, algorithm, wrapping_key):
    private_key = rsa.generate_private_key(65537, bits)
    check_signer(kms, f"RSA_{bits}", private_key, algorithm, wrapping_key)


def check_signer(kms, spec, private_key, algorithm, wrapping_key):
    key = external(kms, spec, "SIGN_VERIFY")
    refused(kms.get_public_key, "KMSInvalidStateException", KeyId=key)
    import_into(kms, key, pkcs8(private_key), algorithm, wrapping_key)
    public_key = private_key.public_key()
    spki = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    answer = kms.get_public_key(KeyId=key)
    assert answer["PublicKey"] == spki
    name = answer["SigningAlgorithms"][0]
    signature = kms.sign(KeyId=key, SigningAlgorithm=name, Message=b"m")["Signature"]
    assert kms.verify(KeyId=key, SigningAlgorithm=name, Message=b"m", Signature=signature)["SignatureValid"]
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        public_key.verify(signature, b"m")
    elif isinstance(private_key, ec.EllipticCurvePrivateKey):
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[name[-3:]]
        public_key.verify(signature, b"m", ec.ECDSA(digest))


def test_a_key_of_another_kind_is_refused(kms):
    wrong = pkcs8(ec.generate_private_key(ec.SECP384R1()))
    right = pkcs8(ec.generate_private_key(ec.SECP256R1()))
    key = external(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    for material in (wrong, right + b"\0", right[:-1], b"", os.urandom(32)):
        if material:
            refused(import_into, "IncorrectKeyMaterialException", kms, key, material, RSA_AES[1])
    import_into(kms, key, right, RSA_AES[1])


def test_the_material_id_says_nothing_without_the_secret_of_the_deployment(kms):
    key, material = external(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), bytes(32)
    answer = import_into(kms, key, material, ValidTo=datetime.datetime.now() + datetime.timedelta(days=1))
    assert answer["KeyMaterialId"] != hashlib.sha256(material).hexdigest()
    described = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert described["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert described["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
