"""Attestation documents as Nitro makes them, under a root of our own, and what comes back: CiphertextForRecipient.

    nitro = attestation.Chain()                       # write nitro.root_pem() where `[attestation] roots` looks
    key = attestation.recipient_key()
    client.decrypt(..., Recipient=attestation.recipient(nitro.document(key.public_key())))
    attestation.open_envelope(key, answer["CiphertextForRecipient"])

Run as a program it writes the documents that `crates/attestation/tests` reads.
"""

import base64
import datetime
import hashlib
import json
import os
import pathlib
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

ES384 = b"\xa1\x01\x38\x22"
COSE_SIGN1 = 18
MODULE_ID = "i-0123456789abcdef0-enc0123456789abcdef"
TPM_MODULE_ID = "i-0123456789abcdef0-tpm0000000000000000"
OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None)


# --- documents


def pcrs(count=16, length=48, seed="enclave"):
    """Registers with a value each; the document of a debug enclave has `{n: bytes(48)}`."""
    digest = {32: hashlib.sha256, 48: hashlib.sha384, 64: hashlib.sha512}[length]
    return {index: digest(f"{seed} {index}".encode()).digest() for index in range(count)}


def recipient_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def recipient(document):
    """The `Recipient` of a request."""
    return {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document}


def spki(public_key):
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class Issued:
    """A certificate and its private key."""

    def __init__(self, name, issuer=None, **options):
        self.key = options.pop("key", None) or ec.generate_private_key(options.pop("curve", ec.SECP384R1()))
        self.name = name
        self.certificate = certificate(self, issuer or self, **options)
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)


def certificate(
    subject,
    issuer,
    *,
    not_before=None,
    not_after=None,
    ca=True,
    path_length=None,
    constraints=True,
    usage=None,
    issuer_name=None,
    digest=None,
    extra=(),
):
    """One as Nitro issues them; each option is a way to spoil it."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(distinguished(subject.name))
        .issuer_name(distinguished(issuer_name or issuer.name))
        .public_key(subject.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before or now - datetime.timedelta(hours=1))
        .not_valid_after(not_after or now + datetime.timedelta(hours=3))
    )
    if constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    usage = ({"key_cert_sign"} if ca else {"digital_signature"}) if usage is None else usage
    if usage:
        builder = builder.add_extension(key_usage(usage), critical=ca)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer.key, digest or hashes.SHA384())


def distinguished(name):
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Keyreeve tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def key_usage(names):
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in names for name in every.split()})


class Chain:
    """A root, `intermediates` authorities below it, and the certificate that signs documents."""

    def __init__(self, intermediates=3, **options):
        self.authorities = [Issued("test.nitro-enclaves", **options)]
        for left in reversed(range(intermediates)):
            name = f"{left}.test.nitro-enclaves"
            self.authorities.append(Issued(name, self.authorities[-1], path_length=left, **options))
        self.signer = Issued("i-0123456789abcdef0.test", self.authorities[-1], ca=False, **options)

    def root_pem(self):
        return self.authorities[0].certificate.public_bytes(serialization.Encoding.PEM)

    def document(self, public_key, *, tagged=False, nitrotpm=False, indefinite=False, registers=None, **fields):
        """A signed document for `public_key`, an object or bytes.

        `fields` replaces fields, or adds them. `None` is null and `...` leaves a field out, for the key, too.
        """
        absent = (bytes, type(None), type(...))
        registers = registers or pcrs(24 if nitrotpm else 16)
        content = {
            "module_id": TPM_MODULE_ID if nitrotpm else MODULE_ID,
            "digest": "SHA384",
            "timestamp": time.time_ns() // 1_000_000,
            "nitrotpm_pcrs" if nitrotpm else "pcrs": registers,
            "certificate": self.signer.der,
            "cabundle": [authority.der for authority in self.authorities],
            "public_key": public_key if isinstance(public_key, absent) else spki(public_key),
            "user_data": None,
            "nonce": None,
        } | fields
        payload = cbor({name: value for name, value in content.items() if value is not ...}, indefinite)
        return sign(self.signer.key, payload, tagged)


def sign(key, payload, tagged=False):
    """COSE_Sign1 with ES384."""
    signed = cbor(["Signature1", ES384, b"", payload])
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA384())))
    signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    return (head(6, COSE_SIGN1) if tagged else b"") + cbor([ES384, {}, payload, signature])


def head(major, argument):
    """The head of a CBOR item, as short as can be."""
    for size, code in ((0, None), (1, 24), (2, 25), (4, 26), (8, 27)):
        if size == 0 and argument < 24:
            return bytes([major << 5 | argument])
        if size and argument < 1 << 8 * size:
            return bytes([major << 5 | code]) + argument.to_bytes(size, "big")
    raise ValueError(argument)


def cbor(value, indefinite=False):
    """CBOR of what documents consist of; `indefinite` is for the outermost map alone."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    entries = b"".join(cbor(key) + cbor(item) for key, item in value.items())
    return b"\xbf" + entries + b"\xff" if indefinite else head(5, len(value)) + entries


# --- CiphertextForRecipient

SEQUENCE, SET, OCTET_STRING, CONTEXT_0, CONTEXT_0_CONSTRUCTED = 0x30, 0x31, 0x04, 0x80, 0xA0
ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
DATA = bytes.fromhex("06092a864886f70d010701")
VERSION_2 = bytes.fromhex("020102")
OAEP_SHA_256 = bytes.fromhex(
    "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108"
    "300d06096086480165030402010500"
)
AES_256_CBC = bytes.fromhex("060960864801650304012a")


class Ber:
    """Reads BER in the one form that the service writes and its clients read."""

    def __init__(self, data):
        self.data = data

    def take(self, expected):
        assert self.data.startswith(expected), f"{self.data[:16].hex()} where {expected.hex()} should be"
        self.data = self.data[len(expected) :]

    def definite(self, tag):
        """The content of an element of definite length, which is as short as can be."""
        assert self.data[0] == tag and self.data[1] != 0x80, f"{self.data[:4].hex()} where {tag:02x} should be"
        size = self.data[1] & 0x7F if self.data[1] & 0x80 else 0
        length = int.from_bytes(self.data[2 : 2 + size], "big") if size else self.data[1]
        assert size == 0 or length >= 0x80 and self.data[2] != 0, "a length longer than need be"
        content = self.data[2 + size : 2 + size + length]
        assert len(content) == length, "cut off"
        self.data = self.data[2 + size + length :]
        return content

    def indefinite(self, tag):
        self.take(bytes([tag, 0x80]))

    def end(self):
        assert not self.data, f"{len(self.data)} bytes too many"


def parse_envelope(envelope):
    """The parts of a CiphertextForRecipient: key identifier, encrypted key, IV, ciphertext."""
    assert 1 <= len(envelope) <= 6144
    ber = Ber(envelope)
    ber.indefinite(SEQUENCE)
    ber.take(ENVELOPED_DATA)
    ber.indefinite(CONTEXT_0_CONSTRUCTED)
    ber.indefinite(SEQUENCE)
    ber.take(VERSION_2)
    recipients = Ber(ber.definite(SET))
    info = Ber(recipients.definite(SEQUENCE))
    recipients.end()
    info.take(VERSION_2)
    identifier = info.definite(CONTEXT_0)
    info.take(OAEP_SHA_256)
    encrypted_key = info.definite(OCTET_STRING)
    info.end()
    ber.indefinite(SEQUENCE)
    ber.take(DATA)
    algorithm = Ber(ber.definite(SEQUENCE))
    algorithm.take(AES_256_CBC)
    iv = algorithm.definite(OCTET_STRING)
    algorithm.end()
    ber.indefinite(CONTEXT_0_CONSTRUCTED)
    ciphertext = ber.definite(OCTET_STRING)
    while ber.data[:1] == bytes([OCTET_STRING]):
        ciphertext += ber.definite(OCTET_STRING)
    ber.take(bytes(10))
    ber.end()
    return identifier, encrypted_key, iv, ciphertext


def open_envelope(private_key, envelope):
    """The plaintext of a CiphertextForRecipient."""
    identifier, encrypted_key, iv, ciphertext = parse_envelope(envelope)
    assert identifier == hashlib.sha256(spki(private_key.public_key())).digest()
    key = private_key.decrypt(encrypted_key, OAEP)
    assert (len(key), len(iv)) == (32, 16)
    decryptor = Cipher(algorithms.AES256(key), modes.CBC(iv)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


# --- the documents that `crates/attestation/tests` reads

CASES = pathlib.Path(__file__).parents[2] / "crates/attestation/tests/documents/cases.json"
MADE = datetime.datetime(2026, 6, 1, 12, 0, 0, tzinfo=datetime.UTC)


def cases():
    """Documents that are refused after their signature was verified, or not at all, and certificates to build others."""
    hour, second = datetime.timedelta(hours=1), datetime.timedelta(seconds=1)
    validity = {"not_before": MADE - hour, "not_after": MADE + hour}
    chain = Chain(intermediates=2, **validity)
    root, upper, lower = chain.authorities
    timestamp = int(MADE.timestamp()) * 1000
    rsa_key, small = recipient_key().public_key(), recipient_key(1024).public_key()
    short = {"registers": pcrs(2), "timestamp": timestamp}

    def authority(issuer=upper, **options):
        """Another certificate in the place of the lower authority, over the same key."""
        return Issued(lower.name, issuer, key=lower.key, **{**validity, "path_length": 0, **options}).der

    def signer(**options):
        return Issued(chain.signer.name, lower, **{**validity, "ca": False, "key": chain.signer.key, **options}).der

    stranger = Chain(intermediates=0, **validity).authorities[0]
    by_another = {
        "upper": Issued(upper.name, stranger, key=upper.key, path_length=1, issuer_name=root.name, **validity).der,
        "lower": authority(stranger, issuer_name=upper.name),
        "signer": Issued(
            chain.signer.name, stranger, key=chain.signer.key, ca=False, issuer_name=lower.name, **validity
        ).der,
    }

    def spoiled(signer=chain.signer.der, **authorities):
        """A document that is signed, and whose chain is not."""
        named = {"root": root.der, "upper": upper.der, "lower": lower.der} | authorities
        return chain.document(rsa_key, certificate=signer, cabundle=list(named.values()), **short)

    def changed(der, index):
        return der[:index] + bytes([der[index] ^ 1]) + (der[index + 1 :] if index != -1 else b"")

    # A byte of the serial number.
    serial = chain.signer.der.index(chain.signer.certificate.serial_number.to_bytes(20, "big").lstrip(b"\0")) + 4
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
    return {
        "timestamp": timestamp,
        "documents": {
            "enclave": chain.document(rsa_key, **short),
            "tagged": chain.document(rsa_key, tagged=True, **short),
            "indefinite": chain.document(rsa_key, indefinite=True, **short),
            "debug": chain.document(rsa_key, **short | {"registers": {0: bytes(48), 1: bytes(48)}}),
            "nitrotpm": chain.document(rsa_key, nitrotpm=True, **short),
            "root signs": root_signs(root, rsa_key, short, validity),
            "no key": chain.document(None, **short),
            "key left out": chain.document(..., **short),
            "EC key": chain.document(ec.generate_private_key(ec.SECP256R1()).public_key(), **short),
            "RSA key of 1024 bits": chain.document(small, **short),
            "PKCS#1 key": chain.document(
                rsa_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1), **short
            ),
            "key with a byte more": chain.document(spki(rsa_key) + b"\0", **short),
            "upper, signed by another": spoiled(upper=by_another["upper"]),
            "lower, signed by another": spoiled(lower=by_another["lower"]),
            "upper and lower, signed by another": spoiled(upper=by_another["upper"], lower=by_another["lower"]),
            "signer, signed by another": spoiled(by_another["signer"]),
            "signer, changed": spoiled(changed(chain.signer.der, serial)),
            "signer, changed signature": spoiled(changed(chain.signer.der, -1)),
        },
        "certificates": {
            "root": root.der,
            "upper": upper.der,
            "lower": lower.der,
            "signer": chain.signer.der,
            "other root": Issued(root.name, **validity).der,
            "root of the same key": Issued(root.name, key=root.key, **validity).der,
            "lower, expired": authority(not_after=MADE - second),
            "lower, until now": authority(not_after=MADE),
            "lower, from now": authority(not_before=MADE),
            "lower, future": authority(not_before=MADE + second),
            "lower, no authority": authority(ca=False, path_length=None, usage={"key_cert_sign"}),
            "lower, no constraints": authority(constraints=False),
            "lower, no key usage": authority(usage=set()),
            "lower, signs data": authority(usage={"digital_signature"}),
            "lower, issued by another": authority(stranger),
            "lower, signed with SHA-256": authority(digest=hashes.SHA256()),
            "lower, unknown extension": authority(extra=[(unknown, False)]),
            "lower, unknown critical extension": authority(extra=[(unknown, True)]),
            "upper, no path": Issued(upper.name, root, key=upper.key, path_length=0, **validity).der,
            "signer, expired": signer(not_after=MADE - second),
            "signer, future": signer(not_before=MADE + second),
            "signer, authority": signer(ca=True, usage={"digital_signature"}),
            "signer, no constraints": signer(constraints=False),
            "signer, signs certificates": signer(usage={"key_cert_sign"}),
            "signer, no key usage": signer(usage=set()),
            "signer, P-256": signer(key=None, curve=ec.SECP256R1()),
        },
    }


def root_signs(root, public_key, fields, validity):
    """A document whose certificate the root issued itself."""
    chain = Chain(intermediates=0, **validity)
    chain.authorities = [root]
    chain.signer = Issued("direct", root, ca=False, **validity)
    return chain.document(public_key, **fields)


def encoded(value):
    if isinstance(value, dict):
        return {name: encoded(item) for name, item in value.items()}
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


if __name__ == "__main__":
    CASES.write_text(json.dumps(encoded(cases()), indent=1) + os.linesep)
