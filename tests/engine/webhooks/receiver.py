"""A receiver of webhooks in a process of its own, with the faults that receivers have. The path says which.

It writes each request as a line of JSON into the file that it is given, and its port into the one beside it.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

seen: Counter[tuple[str, str]] = Counter()
writing = threading.Lock()
flying = 0
most_flying = 0


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log = Path()

    def do_POST(self) -> None:
        global flying, most_flying
        body = self.rfile.read(int(self.headers["content-length"]))
        name = self.path.split("?")[0]
        with writing:
            flying += 1
            most_flying = max(most_flying, flying)
            seen[name, self.headers.get("webhook-id", "")] += 1
            count = seen[name, self.headers.get("webhook-id", "")]
            entry = {"path": self.path, "headers": dict(self.headers.items()), "body": body.decode()}
            with self.log.open("a") as file:
                file.write(json.dumps(entry | {"at": time.time(), "flying": flying}) + "\n")
        try:
            self.behave(name.rsplit("/", 1)[-1], count)
        finally:
            with writing:
                flying -= 1

    def behave(self, mode: str, count: int) -> None:
        if mode == "slow":
            time.sleep(30)
        elif mode == "drop":
            self.connection.close()
            self.close_connection = True
            return
        elif mode == "halfway":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-le")
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return
        elif mode == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                self.wfile.write(b"x-drip: drip\r\n")
                self.wfile.flush()
                time.sleep(0.3)
            return
        elif mode == "brief":
            time.sleep(0.2)
        elif mode == "endless":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            except OSError:
                self.close_connection = True
            return
        status, headers, text = {
            "fail": (500, {}, "broken\0 inside"),
            "busy": (429, {"retry-after": "7200"}, "later"),
            "gone": (410, {}, "no more"),
            "redirect": (302, {"location": "/ok"}, ""),
            "twice": (500 if count <= 2 else 204, {}, ""),
        }.get(mode, (200, {}, "thanks"))
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if status != 204:
            self.send_header("content-length", str(len(text)))
        self.end_headers()
        if status != 204:
            self.wfile.write(text.encode())

    def log_message(self, *_arguments: object) -> None:
        return


def main(log: Path, certificate: str) -> None:
    Receiver.log = log
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

        def heard(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            with log.with_suffix(".sni").open("a") as file:
                file.write(f"{name}\n")

        context.sni_callback = heard
        server.socket = context.wrap_socket(server.socket, server_side=True)
    beside = log.with_suffix(".port")
    beside.with_suffix(".new").write_text(str(server.server_address[1]))
    beside.with_suffix(".new").rename(beside)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
