"""What the server seals, read by an implementation of its own: `ciphertext_v1.py`."""

import uuid

import pytest

import ciphertext_v1 as v1
import raw
from server import b64

# A blob of the format's first day. It must open for ever.
FROZEN_MATERIAL = bytes(range(32))
FROZEN_CONTEXT = {"b": "2", "a": "1", "ä": "é"}
FROZEN_BLOB = bytes.fromhex(
    "c50101001234abcd12ab34cd56ef1234567890aba89a5ad7244084b5ca62dac7da175bd58ed8a599a7f5459b152f1508"
    "596dafbf22222222222222222222222222222222333333333333333333333333391a6aa6d4b11e9599a9e58e28a20731"
    "9e3e4e19b30eebe16605af473a8fa2cab356db855cb47726d5cceb5bcd4afc9a482fa2e050"
)


def opens(server, blob, context=None):
    """(200, None), or (status, (code, message))."""
    body = {"CiphertextBlob": b64(blob), "EncryptionContext": context or {}}
    answer = raw.call(server, "Decrypt", body)
    return answer.status, None if answer.status == 200 else answer.error


INVALID = (400, ("InvalidCiphertextException", None))


def test_the_frozen_blob_opens_and_is_made_again():
    assert v1.open_sealed(FROZEN_MATERIAL, FROZEN_BLOB, FROZEN_CONTEXT) == b"hello"
    found = v1.parse(FROZEN_BLOB)
    again = v1.seal(
        FROZEN_MATERIAL, found.key_id, found.key_material_id, b"hello", FROZEN_CONTEXT, found.nonce, found.iv
    )
    assert again == FROZEN_BLOB
    for context in ({}, {"a": "1"}, {**FROZEN_CONTEXT, "c": ""}):
        with pytest.raises(ValueError):
            v1.open_sealed(FROZEN_MATERIAL, FROZEN_BLOB, context)


@pytest.mark.parametrize("size", [1, 32, 4096])
def test_a_blob_names_its_key_and_material_and_is_128_bytes_longer(kms, key, size):
    made = kms.generate_data_key(KeyId=key, NumberOfBytes=min(size, 1024))
    sealed = kms.encrypt(KeyId=key, Plaintext=bytes(size))["CiphertextBlob"]
    assert len(sealed) == size + v1.OVERHEAD
    for blob in (sealed, made["CiphertextBlob"]):
        found = v1.parse(blob)
        assert (found.suite, found.flags) == (v1.SUITE, 0)
        assert uuid.UUID(bytes=found.key_id) == uuid.UUID(key)
        assert found.key_material_id.hex() == made["KeyMaterialId"]
    # The context is bound, not carried.
    context = {"a name that would be seen": "a value that would be seen"}
    bound = kms.encrypt(KeyId=key, Plaintext=bytes(size), EncryptionContext=context)["CiphertextBlob"]
    assert len(bound) == size + v1.OVERHEAD and b"would be seen" not in bound


def test_nonces_and_ivs_are_fresh(kms, key):
    found = [v1.parse(kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]) for _ in range(50)]
    for field in ("nonce", "iv", "commitment"):
        assert len({getattr(blob, field) for blob in found}) == 50, field


def test_a_rotation_shows_in_the_blob(kms, key):
    before = v1.parse(kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"])
    kms.rotate_key_on_demand(KeyId=key)
    after = v1.parse(kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"])
    assert before.key_id == after.key_id and before.key_material_id != after.key_material_id


@pytest.mark.parametrize(("field", "at", "length"), [*v1.FIELDS, ("ciphertext", 112, 5), ("tag", 117, 16)])
def test_a_changed_field_does_not_open(server, kms, key, field, at, length):
    blob = kms.encrypt(KeyId=key, Plaintext=b"hello", EncryptionContext={"a": "b"})["CiphertextBlob"]
    assert len(blob) == 117 + 16
    assert opens(server, blob, {"a": "b"})[0] == 200
    for byte in range(at, at + length):
        changed = bytearray(blob)
        changed[byte] ^= 1 << (byte % 8)
        status, error = opens(server, bytes(changed), {"a": "b"})
        if field == "key id":
            # It names a key that is not there, which is answered as a key that one may not use.
            assert status == 400 and error[0] in ("AccessDeniedException", "InvalidCiphertextException"), byte
        else:
            assert (status, error) == INVALID, byte


def test_a_blob_cut_short_or_made_longer_does_not_open(server, kms, key):
    blob = kms.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"]
    for length in (1, 2, 3, 4, 20, 52, 68, 80, 111, 112, 127, 128, len(blob) - 1):
        assert opens(server, blob[:length]) == INVALID, length
    assert opens(server, blob + b"\0") == INVALID
    assert opens(server, blob + bytes(6144 - len(blob))) == INVALID
    assert opens(server, b"\0" + blob) == INVALID


def test_parts_of_two_blobs_do_not_make_a_third(server, kms, key, shared_key):
    first = kms.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"]
    second = kms.encrypt(KeyId=key, Plaintext=b"world")["CiphertextBlob"]
    other = kms.encrypt(KeyId=shared_key, Plaintext=b"other")["CiphertextBlob"]
    for name, at, length in v1.FIELDS[4:]:
        mixed = first[:at] + second[at : at + length] + first[at + length :]
        assert mixed == first or opens(server, mixed) == INVALID, name
    assert opens(server, other[: v1.HEADER] + first[v1.HEADER :]) == INVALID
    assert opens(server, first[: v1.HEADER] + other[v1.HEADER :]) == INVALID


def test_a_blob_that_somebody_else_sealed_does_not_open(server, kms, key):
    found = v1.parse(kms.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"])
    forged = v1.seal(bytes(32), found.key_id, found.key_material_id, b"hello", {}, found.nonce, found.iv)
    assert opens(server, forged) == INVALID
