"""The Recipient parameter: answers that only an attested enclave can read, with documents made here."""

import json
import time

import attestation
import audit
import botocore.exceptions
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from server import Server

CONTEXT = {"purpose": "test"}


@pytest.fixture(scope="module")
def nitro():
    return attestation.Chain()


@pytest.fixture(scope="module")
def running(nitro, tmp_path_factory):
    directory = tmp_path_factory.mktemp("recipient")
    (directory / "root.pem").write_bytes(nitro.root_pem())
    server = Server(directory / "data", config=f'[attestation]\nroots = ["aws", "{directory}/root.pem"]\n').start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def kms(running):
    return running.client()


@pytest.fixture(scope="module")
def key(kms):
    return kms.create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture(scope="module")
def enclave():
    return attestation.recipient_key()


@pytest.fixture
def recipient(nitro, enclave):
    return attestation.recipient(nitro.document(enclave.public_key()))


def refused(call, **request):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_plaintext_is_decrypted_for_the_enclave_alone(kms, key, enclave, recipient):
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext=CONTEXT, Recipient=recipient)
    assert {"Plaintext", "KeyMaterialId"}.isdisjoint(opened)
    assert (opened["KeyId"].endswith(key), opened["EncryptionAlgorithm"]) == (True, "SYMMETRIC_DEFAULT")
    assert attestation.open_envelope(enclave, opened["CiphertextForRecipient"]) == b"secret"


def test_an_rsa_ciphertext_is_decrypted_for_the_enclave_alone(kms, enclave, recipient):
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    request = {"KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    sealed = kms.encrypt(**request, Plaintext=b"secret")["CiphertextBlob"]
    opened = kms.decrypt(**request, CiphertextBlob=sealed, Recipient=recipient)
    assert "Plaintext" not in opened
    assert attestation.open_envelope(enclave, opened["CiphertextForRecipient"]) == b"secret"


def test_data_keys_are_made_for_the_enclave(kms, key, enclave, recipient):
    for size in (16, 32, 1024):
        made = kms.generate_data_key(KeyId=key, NumberOfBytes=size, EncryptionContext=CONTEXT, Recipient=recipient)
        assert {"Plaintext", "KeyMaterialId"}.isdisjoint(made)
        data_key = attestation.open_envelope(enclave, made["CiphertextForRecipient"])
        opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
        assert (len(data_key), opened["Plaintext"]) == (size, data_key)


@pytest.mark.parametrize("spec", ["RSA_2048", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_KEM_768"])
def test_data_key_pairs_are_made_for_the_enclave(kms, key, enclave, recipient, spec):
    made = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec, Recipient=recipient)
    assert {"PrivateKeyPlaintext", "KeyMaterialId"}.isdisjoint(made)
    private = attestation.open_envelope(enclave, made["CiphertextForRecipient"])
    assert kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"])["Plaintext"] == private
    public = serialization.load_der_private_key(private, None).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    assert public.public_bytes(serialization.Encoding.DER, form) == made["PublicKey"]


def test_randomness_is_for_the_enclave(kms, enclave, recipient):
    made = [kms.generate_random(NumberOfBytes=32, Recipient=recipient) for _ in range(2)]
    assert all("Plaintext" not in answer for answer in made)
    first, second = (attestation.open_envelope(enclave, answer["CiphertextForRecipient"]) for answer in made)
    assert len(first) == 32 and first != second


def test_a_secret_is_agreed_on_for_the_enclave(kms, enclave, recipient):
    key = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["KeyId"]
    own = ec.generate_private_key(ec.SECP384R1())
    agreed = kms.derive_shared_secret(
        KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=attestation.spki(own.public_key()), Recipient=recipient
    )
    assert "SharedSecret" not in agreed
    ours = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert attestation.open_envelope(enclave, agreed["CiphertextForRecipient"]) == own.exchange(ec.ECDH(), ours)


def test_nitrotpm_attests_too(kms, nitro, enclave):
    recipient = attestation.recipient(nitro.document(enclave.public_key(), nitrotpm=True))
    made = kms.generate_random(NumberOfBytes=32, Recipient=recipient)
    assert len(attestation.open_envelope(enclave, made["CiphertextForRecipient"])) == 32


def test_who_asked_is_in_the_trail(running, kms, key, nitro, enclave):
    recipient = attestation.recipient(nitro.document(enclave.public_key()))
    answer = kms.generate_data_key(KeyId=key, KeySpec="AES_256", Recipient=recipient)
    event = audit.completed(running.data_dir / "audit")[answer["ResponseMetadata"]["RequestId"]]
    assert event["additionalEventData"] == {
        "recipient": {
            "attestationDocumentModuleId": attestation.MODULE_ID,
            "attestationDocumentEnclaveImageDigest": attestation.pcrs()[0].hex(),
        },
        "keyMaterialId": kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"],
    }
    assert "recipient" not in event["requestParameters"]
    assert recipient["AttestationDocument"].hex() not in str(event)


def test_the_registers_of_a_nitrotpm_are_in_the_trail(running, kms, nitro, enclave):
    registers = attestation.pcrs(24)
    recipient = attestation.recipient(nitro.document(enclave.public_key(), nitrotpm=True))
    answer = kms.generate_random(NumberOfBytes=32, Recipient=recipient)
    event = audit.completed(running.data_dir / "audit")[answer["ResponseMetadata"]["RequestId"]]
    assert event["additionalEventData"] == {
        "recipient": {"attestationDocumentModuleId": attestation.TPM_MODULE_ID}
        | {f"attestationDocumentNitroTPMPCR{index}": registers[index].hex() for index in (4, 7, 8, 9, 16, 23)}
    }


def test_what_proves_nothing_is_refused_and_uses_no_key(kms, key, nitro, enclave):
    key_of_the_enclave = enclave.public_key()
    good = nitro.document(key_of_the_enclave)
    stale = int((time.time() - 360) * 1000)
    for document, text in (
        (b"x", "Recipient: the attestation document is malformed."),
        (good[:-1] + bytes([good[-1] ^ 1]), "Recipient: the signature of the attestation document does not fit."),
        (
            attestation.Chain().document(key_of_the_enclave),
            "Recipient: the attestation document leads to an unknown root certificate.",
        ),
        (nitro.document(key_of_the_enclave, timestamp=stale), "Recipient: the attestation document is too old."),
        (nitro.document(None), "Recipient: the attestation document has no public key."),
    ):
        for call, request in (
            (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
            (kms.generate_random, {"NumberOfBytes": 32}),
        ):
            assert refused(call, **request, Recipient=attestation.recipient(document)) == ("ValidationException", text)


def test_a_policy_lets_the_enclave_that_it_names_use_a_key_and_nobody_else(running, kms, key, nitro, enclave):
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    measured = attestation.pcrs()
    iam = running.client(service="iam")

    def client(name, conditions):
        measurements = {f"kms:RecipientAttestation:{name}": value for name, value in conditions.items()}
        condition = {"StringEqualsIgnoreCase": measurements}
        statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition}
        policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return running.client(credentials=(made["AccessKeyId"], made["SecretAccessKey"]))

    by_image = client("by-image", {"ImageSha384": measured[0].hex()})
    by_registers = client("by-registers", {f"PCR{index}": measured[index].hex() for index in (0, 8)})
    by_another = client("by-another", {"PCR8": measured[0].hex()})
    good = nitro.document(enclave.public_key())
    for user in (by_image, by_registers):
        opened = user.decrypt(CiphertextBlob=sealed, Recipient=attestation.recipient(good))
        assert attestation.open_envelope(enclave, opened["CiphertextForRecipient"]) == b"secret"
    other = attestation.pcrs(seed="another")
    unknown = attestation.Chain()
    for user, document in (
        (by_another, good),
        (by_image, None),
        (by_image, nitro.document(enclave.public_key(), registers=other)),
        (by_image, nitro.document(enclave.public_key(), registers={index: bytes(48) for index in range(16)})),
        (by_image, unknown.document(enclave.public_key())),
        (by_image, b"x"),
    ):
        request = {} if document is None else {"Recipient": attestation.recipient(document)}
        assert refused(user.decrypt, CiphertextBlob=sealed, **request)[0] == "AccessDeniedException"


def test_a_service_without_that_root_refuses_its_documents(make_server, nitro, enclave):
    kms = make_server().start().client()
    code, text = refused(
        kms.generate_random, NumberOfBytes=32, Recipient=attestation.recipient(nitro.document(enclave.public_key()))
    )
    assert (code, "unknown root" in text) == ("ValidationException", True)


def test_a_root_that_cannot_be_read_is_told_at_the_start(make_server, tmp_path):
    (tmp_path / "empty.pem").write_bytes(b"")
    for name, roots in (("missing", "/nowhere/root.pem"), ("empty", tmp_path / "empty.pem")):
        code, text = make_server(name, config=f'[attestation]\nroots = ["{roots}"]\n').fails()
        assert (code, f"[attestation] roots, `{roots}`" in text) == (2, True), text
