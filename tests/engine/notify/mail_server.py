"""A mail server in a process of its own, with the moods that mail servers have. The local part of the recipient says which.

It writes each message that it takes as a line of JSON into the file that it is given, and its port into the one beside it.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Handler:
    def __init__(self, log: Path) -> None:
        self.log = log

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        mood = address.partition("@")[0]
        self.note({"rcpt": address})
        if mood == "full":
            return "452 4.2.2 mailbox full"
        if mood == "nobody":
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mood = envelope.rcpt_tos[0].partition("@")[0]
        self.note(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "message": (envelope.content or b"").decode("latin-1"),  # type: ignore[union-attr]
                "tls": session.ssl is not None,
                "user": session.authenticated,
            }
        )
        if mood == "spam":
            return "554 5.7.1 looks like spam"
        if mood == "drop":
            server.transport.abort()
        if mood == "hang":
            await asyncio.sleep(60)
        return "250 2.0.0 queued as 42"

    def note(self, entry: dict[str, Any]) -> None:
        with self.log.open("a") as file:
            file.write(json.dumps(entry) + "\n")


async def main(log: Path, certificate: str, port: int) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def make() -> SMTP:
        return SMTP(
            Handler(log),
            hostname="mail.test",
            tls_context=context,
            require_starttls=bool(certificate),
            auth_required=bool(certificate),
            authenticator=lambda _server, _session, _envelope, _mechanism, given: AuthResult(
                success=(given.login, given.password) == (b"shop", b"geheim"), handled=False
            ),
        )

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port)
    beside = log.with_suffix(".port")
    beside.with_suffix(".new").write_text(str(server.sockets[0].getsockname()[1]))
    beside.with_suffix(".new").rename(beside)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
