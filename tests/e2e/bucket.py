"""A bucket of somebody else's S3 (moto), and a proxy before it that fails as it is told."""

import http.client
import http.server
import ssl
import threading
import uuid

import boto3
from server import REGION

ACCESS_KEY = ("AKIABUCKETEXAMPLE000", "secret-of-the-bucket/example")

SLOW_DOWN = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
DENIED = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
NOT_IMPLEMENTED = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NotImplemented</Code><Message>A header is not implemented.</Message></Error>'


def slow_down(handler):
    handler.answer(503, SLOW_DOWN)


def denied(handler):
    handler.answer(403, DENIED)


def server_error(handler):
    handler.answer(500, b"<html>it is not even XML</html>")


def redirected(handler):
    handler.answer(301, b"", {"Location": "http://127.0.0.1:1/"})


def closed(handler):
    """Nothing arrives."""
    handler.close_connection = True


def answer_lost(handler):
    """The object is there, and nobody says so."""
    handler.forward()
    handler.close_connection = True


def answer_cut_off(handler):
    """The object is there, and the answer ends in its head."""
    handler.forward()
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Len")
    handler.close_connection = True


def no_http(handler):
    handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")
    handler.close_connection = True


FAULTS = [slow_down, denied, server_error, redirected, closed, answer_lost, answer_cut_off, no_http]


class Bucket:
    """A versioned bucket, so that nothing that was overwritten goes unseen, behind a proxy on a port of its own."""

    def __init__(self, moto_url, name=None, certificate=None):
        """`certificate` is a pair of files for `localhost`; with it, the proxy speaks TLS."""
        self.s3 = boto3.client(
            "s3", endpoint_url=moto_url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )
        self.name = name or f"trail-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.name)
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.upstream = moto_url.removeprefix("http://")
        self.certificate = certificate
        self.faults = []
        self.always = None
        self.requests = []
        self.server = None
        self.port = 0

    def open(self):
        bucket = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                bucket.requests.append((self.command, self.path, dict(self.headers.items())))
                fault = bucket.always or (bucket.faults.pop(0) if bucket.faults else None)
                if fault:
                    fault(self)
                else:
                    self.answer(*self.forward())

            do_PUT = do_GET = do_HEAD = handle_one

            def forward(self):
                connection = http.client.HTTPConnection(bucket.upstream, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request(self.command, self.path, self.body, headers)
                answer = connection.getresponse()
                body = answer.read()
                connection.close()
                kept = {
                    name: value
                    for name, value in answer.getheaders()
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server")
                }
                return answer.status, body, kept

            def answer(self, status, body, headers=None):
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        if self.certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def close(self):
        """Nobody is reached there any more; the port stays its own."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def url(self):
        return f"https://localhost:{self.port}" if self.certificate else f"http://127.0.0.1:{self.port}"

    def config(self, prefix="", more=""):
        return f"""
[audit]
log_seconds = 1
digest_seconds = 2
bucket = "{self.name}"
prefix = "{prefix}"

[bucket]
endpoint = "{self.url}"
timeout_seconds = 5
{more}
"""

    environment = dict(
        zip(("KEYREEVE_BUCKET_ACCESS_KEY_ID", "KEYREEVE_BUCKET_SECRET_ACCESS_KEY"), ACCESS_KEY, strict=True)
    )

    def versions(self):
        """Every version of every object: its name, for each time that it was written."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name)
        return sorted(entry["Key"] for page in pages for entry in page.get("Versions", []))

    def objects(self):
        """The content and metadata of every object, by name."""
        found = {}
        for key in set(self.versions()):
            answer = self.s3.get_object(Bucket=self.name, Key=key)
            found[key] = (answer["Body"].read(), answer["Metadata"], answer)
        return found

    def download(self, directory):
        """As `aws s3 sync` does."""
        for key, (content, _, _) in self.objects().items():
            path = directory / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return directory
