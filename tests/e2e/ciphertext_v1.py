"""The ciphertext format, version 1, written a second time: to read what the server writes.

Layout, in bytes: magic C5 01 · suite · flags · key id (16) · key material id (32) · nonce (16) · IV (12) · key commitment
(32) · ciphertext and tag (16). The first 68 bytes are the header; it and the canonical encryption context are the
associated data. The message key and the commitment come from the key material by SP 800-108 in counter mode.
"""

import dataclasses
import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"\xc5\x01"
SUITE = 1
HEADER = 68
OVERHEAD = 128

# Name, first byte, length: in the order of the layout.
FIELDS = [
    ("magic", 0, 2),
    ("suite", 2, 1),
    ("flags", 3, 1),
    ("key id", 4, 16),
    ("key material id", 20, 32),
    ("nonce", 52, 16),
    ("iv", 68, 12),
    ("commitment", 80, 32),
]


@dataclasses.dataclass
class Blob:
    suite: int
    flags: int
    key_id: bytes
    key_material_id: bytes
    nonce: bytes
    iv: bytes
    commitment: bytes
    sealed: bytes


def parse(blob):
    """The fields of a blob; ValueError where it is not of this format."""
    if len(blob) <= OVERHEAD or blob[:2] != MAGIC:
        raise ValueError("not a ciphertext of version 1")
    fields = {name.replace(" ", "_"): blob[at : at + length] for name, at, length in FIELDS}
    del fields["magic"]
    fields["suite"], fields["flags"] = fields["suite"][0], fields["flags"][0]
    return Blob(**fields, sealed=blob[112:])


def canonical_context(context):
    """The encryption context as bytes: sorted by the UTF-8 of the names, with lengths, so that no two are the same."""
    pairs = sorted((name.encode(), value.encode()) for name, value in (context or {}).items())
    encoded = struct.pack(">I", len(pairs))
    for text in (part for pair in pairs for part in pair):
        encoded += struct.pack(">I", len(text)) + text
    return encoded


def derive(material, header, context):
    """(message key, commitment): KDF in counter mode with HMAC-SHA-256, the counter of 32 bits before the fixed input."""
    fixed = b"KMS/v1/enc\0" + header + hashlib.sha256(context).digest() + struct.pack(">I", 512)
    block = [hmac.digest(material, struct.pack(">I", counter) + fixed, "sha256") for counter in (1, 2)]
    return block[0], block[1]


def seal(material, key_id, key_material_id, plaintext, context, nonce, iv, flags=0):
    header = MAGIC + bytes([SUITE, flags]) + key_id + key_material_id + nonce
    encoded = canonical_context(context)
    key, commitment = derive(material, header, encoded)
    return header + iv + commitment + AESGCM(key).encrypt(iv, plaintext, header + encoded)


def open_sealed(material, blob, context):
    """The plaintext; ValueError where anything is not as it was sealed."""
    found, header, encoded = parse(blob), blob[:HEADER], canonical_context(context)
    key, commitment = derive(material, header, encoded)
    if not hmac.compare_digest(commitment, found.commitment):
        raise ValueError("another key, header or context")
    try:
        return AESGCM(key).decrypt(found.iv, found.sealed, header + encoded)
    except InvalidTag:
        raise ValueError("forged") from None
