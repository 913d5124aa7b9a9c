"""Mail servers in processes of their own, and a module that has something to tell."""

from __future__ import annotations

import email
import email.policy
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest

from kameng.kernel import Kernel
from kameng.module import Module, NotificationKind
from kameng.notify import Addressee, Notice, Notifications
from kameng.tasks import drain


@dataclass
class MailServer:
    """A mail server that runs."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def entries(self) -> list[dict[str, Any]]:
        """What it heard."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def took(self) -> list[dict[str, Any]]:
        """The messages that came to their end."""
        return [entry for entry in self.entries() if "message" in entry]

    def mails(self) -> list[EmailMessage]:
        """The same, read."""
        return [
            cast(
                "EmailMessage",
                email.message_from_bytes(entry["message"].encode("latin-1"), policy=email.policy.default),
            )
            for entry in self.took()
        ]

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start_mail(tmp_path: Path) -> Iterator[Callable[..., MailServer]]:
    """Starts mail servers, and ends them with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(certificate: str = "", port: int = 0) -> MailServer:
        log = tmp_path / f"mail-{len(running)}.jsonl"
        process = subprocess.Popen(
            [
                sys.executable,
                "-W",
                "ignore",
                str(Path(__file__).parent / "mail_server.py"),
                str(log),
                certificate,
                str(port),
            ],
            stderr=subprocess.DEVNULL,
        )
        running.append(process)
        beside = log.with_suffix(".port")
        while not beside.exists():
            assert process.poll() is None
            time.sleep(0.02)
        return MailServer(int(beside.read_text()), log, process)

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def mail(start_mail: Callable[..., MailServer]) -> MailServer:
    """One in the clear."""
    return start_mail()


HELLO = NotificationKind(
    name="hello", title_en="Greetings", title_zh="问候", templates=f"{__package__}:texts"
)
ALARM = NotificationKind(
    name="alarm",
    title_en="Alarms",
    title_zh="告警",
    templates=f"{__package__}:texts",
    staff="sample.see_alarms",
)
SAMPLE = Module(name="sample", version="1.0.0", notifications=(HELLO, ALARM))


def settings(mail: MailServer, **values: Any) -> dict[str, Any]:
    """The section ``[notify]`` for a server in the clear."""
    return {
        "smtp_host": "localhost",
        "smtp_port": mail.port,
        "smtp_security": "none",
        "smtp_timeout_seconds": 2.0,
        "sender": "Kameng 卡盟 <no-reply@shop.example>",
        **values,
    }


async def tell(kernel: Kernel, *notices: Notice) -> int:
    """Tell and commit."""
    async with kernel.db.transaction():
        return await kernel.services.get(Notifications).tell(notices)


def hello(address: str, key: str = "1", name: str = "Ann", locale: str = "en", **who: Any) -> Notice:
    """A greeting."""
    to = Addressee(addresses={"email": address}, locale=locale, **who)
    return Notice(kind="sample.hello", key=key, to=to, values={"name": name})


async def later(kernel: Kernel) -> None:
    """Let the pauses be over, and do what is due then."""
    await kernel.db.execute(
        "update notify_message set next_at = now() - interval '1 second' where state in ('queued', 'sending')"
    )
    await kernel.tasks.enqueue("notify.send")
    await drain(kernel)


async def messages(kernel: Kernel) -> list[dict[str, Any]]:
    """All messages, in order."""
    return [dict(row) for row in await kernel.db.fetch("select * from notify_message order by id")]
