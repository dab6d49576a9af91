"""The `openssl` command line: a second opinion on what the server makes."""

import subprocess


class OpenSsl:
    """`openssl` in `directory` with a public key and perhaps its private key, both DER."""

    def __init__(self, directory, public_key, private_key=None):
        self.directory = directory
        (directory / "public.der").write_bytes(public_key)
        self._run("pkey", "-pubin", "-inform", "DER", "-in", "public.der", "-out", "public.pem")
        if private_key is not None:
            (directory / "private.der").write_bytes(private_key)
            self._run("pkey", "-inform", "DER", "-in", "private.der", "-out", "private.pem")

    def verify(self, message, signature, *options):
        """Whether `openssl dgst` takes the signature."""
        (self.directory / "message").write_bytes(message)
        (self.directory / "signature").write_bytes(signature)
        verified = self._try("dgst", "-verify", "public.pem", "-signature", "signature", *options, "message")
        return b"Verified OK" in verified.stdout

    def verify_raw(self, message, signature):
        """As `verify`, for an algorithm that hashes by itself."""
        (self.directory / "message").write_bytes(message)
        (self.directory / "signature").write_bytes(signature)
        verified = self._try(
            "pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-in", "message", "-sigfile", "signature"
        )
        return b"Signature Verified Successfully" in verified.stdout

    def encrypt(self, plaintext, *options):
        (self.directory / "plaintext").write_bytes(plaintext)
        self._run("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", "-in", "plaintext", "-out", "sealed", *options)
        return (self.directory / "sealed").read_bytes()

    def decrypt(self, ciphertext, *options):
        (self.directory / "sealed").write_bytes(ciphertext)
        return self._run("pkeyutl", "-decrypt", "-inkey", "private.pem", "-in", "sealed", *options).stdout

    def _try(self, *arguments):
        return subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, timeout=60)

    def _run(self, *arguments):
        result = self._try(*arguments)
        assert result.returncode == 0, result.stderr
        return result
