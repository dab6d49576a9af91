"""HTTP by hand, signed by botocore: for requests that no SDK would send."""

import dataclasses
import datetime
import hashlib
import http.client
import json
from unittest import mock
from urllib.parse import urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from server import REGION

CONTENT_TYPE = "application/x-amz-json-1.1"


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """(code, message); the message is None where the member is absent."""
        assert self.status >= 400, self.body
        found = self.json
        assert found.keys() <= {"__type", "message"}, found
        return found["__type"], found.get("message")


def signed_headers(
    server, body, operation, *, headers=None, region=REGION, service="kms", credentials=None, skew=0, path="/", token=None
):
    """The headers of a signed request. `skew` seconds are added to our time."""
    request = botocore.awsrequest.AWSRequest(
        method="POST",
        url=server.url + path,
        data=body,
        headers={"Content-Type": CONTENT_TYPE, "X-Amz-Target": f"TrentService.{operation}", **(headers or {})},
    )
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=skew)
    who = botocore.credentials.Credentials(*(credentials or server.credentials), token)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: now):
        botocore.auth.SigV4Auth(who, service, region).add_auth(request)
    return {**dict(request.headers.items()), "Host": server.host}


def presigned_target(server, body, operation, *, expires=60, skew=0, credentials=None):
    """(path with query, headers) of a presigned POST."""

    class Auth(botocore.auth.SigV4QueryAuth):
        def payload(self, request):
            return hashlib.sha256(body).hexdigest()

    request = botocore.awsrequest.AWSRequest(
        method="POST",
        url=server.url + "/",
        headers={"Content-Type": CONTENT_TYPE, "X-Amz-Target": f"TrentService.{operation}"},
    )
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=skew)
    who = botocore.credentials.Credentials(*(credentials or server.credentials))
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: now):
        Auth(who, "kms", REGION, expires=expires).add_auth(request)
    url = urlsplit(request.url)
    return f"{url.path}?{url.query}", {**dict(request.headers.items()), "Host": server.host}


def send(server, body, headers, *, method="POST", path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if not any(name.lower() in ("content-length", "transfer-encoding") for name in headers):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def call(server, operation, body=b"{}", **options):
    """A signed request with exactly this body, or this value as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return send(server, body, signed_headers(server, body, operation, **options), path=options.get("path", "/"))
