"""A receiver of notifications: an HTTP server that keeps what it is sent, and answers as it is told."""

import http.server
import json
import threading


class Webhook:
    def __init__(self):
        self.received = []
        self.statuses = []
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.received.append((self.path, dict(self.headers.items()), json.loads(body)))
                self.send_response(webhook.statuses.pop(0) if webhook.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def messages(self):
        """What was told, without what it was wrapped in."""
        return [json.loads(body["Message"]) for _, _, body in self.received]
