"""From a notice to a mailbox, through a real mail server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.errors import BootError, SettingsError, TransactionError
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.module import Module, NotificationKind
from kameng.notify import Addressee, Notice, Notifications, module
from kameng.notify.errors import NoticeMisuseError
from kameng.tasks import drain
from kameng.testing.clients import Client
from kameng.testing.kernels import Kernels
from tests.engine.webhooks.test_guard import make_certificate

from .conftest import SAMPLE, MailServer, hello, later, messages, settings, tell


async def start(make_kernel: Kernels, mail: MailServer, **values: object) -> Kernel:
    return await make_kernel([module, SAMPLE], notify=settings(mail, **values))


async def test_a_notice_becomes_a_mail_in_the_readers_language(
    make_kernel: Kernels, mail: MailServer
) -> None:
    kernel = await start(make_kernel, mail)
    # when two are told
    assert await tell(kernel, hello("ann@example.com", "1"), hello("li@example.com", "2", "李", "zh-CN")) == 2
    await drain(kernel)
    # then each has a mail in his language
    english, chinese = sorted(mail.mails(), key=lambda mail: mail["To"])
    assert (english["Subject"], chinese["Subject"]) == ("Hello Ann", "您好，李")
    plain, html = english.iter_parts()
    assert plain.get_content().splitlines() == ["Dear Ann, 1 < 2 & all is well."]
    assert html.get_content().strip() == "<p>Dear <b>Ann</b></p>"
    assert chinese.get_content().strip() == "李，一切都好。"
    assert english["From"] == "Kameng 卡盟 <no-reply@shop.example>"
    assert english["Auto-Submitted"] == "auto-generated"
    assert [entry["from"] for entry in mail.took()] == ["no-reply@shop.example"] * 2
    # and the receipts are kept, but not what was written
    rows = await messages(kernel)
    assert [(row["state"], row["hint"], row["sealed"], row["answer"]) for row in rows] == [
        ("sent", "a…@example.com", None, "2.0.0 queued as 42"),
        ("sent", "l…@example.com", None, "2.0.0 queued as 42"),
    ]


async def test_what_is_rolled_back_was_never_told(make_kernel: Kernels, mail: MailServer) -> None:
    kernel = await start(make_kernel, mail)
    with pytest.raises(ZeroDivisionError):
        async with kernel.db.transaction():
            await kernel.services.get(Notifications).tell([hello("ann@example.com")])
            raise ZeroDivisionError
    await drain(kernel)
    assert mail.entries() == []
    with pytest.raises(TransactionError):
        await kernel.services.get(Notifications).tell([hello("ann@example.com")])


async def test_an_occasion_is_told_once_however_often_it_comes(
    make_kernel: Kernels, mail: MailServer
) -> None:
    kernel = await start(make_kernel, mail)
    assert await tell(kernel, hello("ann@example.com")) == 1
    await drain(kernel)
    assert await tell(kernel, hello("ann@example.com")) == 0
    # and a task that runs again finds nothing to do
    await later(kernel)
    await later(kernel)
    assert len(mail.took()) == 1


async def test_values_cannot_add_headers_or_markup(make_kernel: Kernels, mail: MailServer) -> None:
    kernel = await start(make_kernel, mail)
    evil = "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>{{ 7 * 7 }}"
    await tell(kernel, hello("ann@example.com", name=evil))
    await drain(kernel)
    [entry] = mail.took()
    assert entry["to"] == ["ann@example.com"]
    [read] = mail.mails()
    assert read["Bcc"] is None
    assert "Bcc: victim@example.com" in read["Subject"]
    _, html = read.iter_parts()
    assert "<script>" not in html.get_content()
    assert "{{ 7 * 7 }}" in html.get_content()


@pytest.mark.parametrize(
    "address", ["", "nothing", "a@b\r\nRCPT TO:<c@d>", "a b@example.com", "<a@b>", "a@b@c", "a@exa mple.com"]
)
async def test_addresses_that_are_none(make_kernel: Kernels, mail: MailServer, address: str) -> None:
    kernel = await start(make_kernel, mail)
    await tell(kernel, hello(address))
    await drain(kernel)
    assert mail.entries() == []
    [row] = await messages(kernel)
    assert (row["state"], row["attempts"]) == ("dead", 1)


@pytest.mark.parametrize(
    ("mood", "state", "error"),
    [
        ("nobody", "dead", "The mail server refused the address: 550."),
        ("spam", "dead", "The mail server refused the message: 554."),
        ("full", "queued", "The mail server refused the address: 452."),
        ("drop", "queued", "The mail server does not answer: SMTPServerDisconnected."),
        ("hang", "queued", "The mail server does not answer: SMTPReadTimeoutError."),
    ],
)
async def test_refusals_for_good_and_for_now(
    make_kernel: Kernels, mail: MailServer, mood: str, state: str, error: str
) -> None:
    kernel = await start(make_kernel, mail)
    await tell(kernel, hello(f"{mood}@example.com"))
    await drain(kernel)
    [row] = await messages(kernel)
    assert (row["state"], row["last_error"]) == (state, error)
    # what is to be tried again still has its content, sealed
    assert b"example.com" not in row["sealed"]
    await later(kernel)
    tries = [entry for entry in mail.entries() if "rcpt" in entry]
    assert len(tries) == (1 if state == "dead" else 2)
    if mood == "drop":
        # the server has it twice then, under one id by which it can tell
        assert len({read["Message-ID"] for read in mail.mails()}) == 1


async def test_a_server_that_is_away_costs_one_try_not_one_for_each_message(
    make_kernel: Kernels, mail: MailServer, start_mail: Callable[..., MailServer]
) -> None:
    kernel = await start(make_kernel, mail)
    mail.kill()
    await tell(kernel, *(hello("ann@example.com", str(number)) for number in range(8)))
    await drain(kernel)
    rows = await messages(kernel)
    assert sorted(row["attempts"] for row in rows) == [0] * 7 + [1]
    assert {row["state"] for row in rows} == {"queued"}
    # when it is back, all go
    back = start_mail(port=mail.port)
    await later(kernel)
    assert len(back.took()) == 8
    assert {row["state"] for row in await messages(kernel)} == {"sent"}


async def test_what_is_tried_for_too_long_is_a_dead_letter(make_kernel: Kernels, mail: MailServer) -> None:
    kernel = await start(make_kernel, mail)
    await tell(kernel, hello("full@example.com"))
    await drain(kernel)
    await kernel.db.execute("update notify_message set gives_up_at = now()")
    await later(kernel)
    [row] = await messages(kernel)
    assert row["state"] == "dead"


async def test_a_killed_workers_message_is_sent_by_the_next(make_kernel: Kernels, mail: MailServer) -> None:
    from datetime import timedelta

    from kameng.notify import statements

    kernel = await start(make_kernel, mail)
    await tell(kernel, hello("ann@example.com"))
    # given a worker that claimed it and was killed
    assert len(await kernel.db.fetch(statements.CLAIM, timedelta(minutes=5))) == 1
    await drain(kernel)
    assert mail.took() == []
    # when its lease is over, then two workers at once send it once
    await kernel.db.execute("update notify_message set next_at = now()")
    from kameng.notify.sending import send_due

    await asyncio.gather(send_due(kernel), send_due(kernel))
    assert len(mail.took()) == 1


async def test_starttls_and_log_in(
    make_kernel: Kernels, start_mail: Callable[..., MailServer], tmp_path: Path
) -> None:
    certificate = make_certificate(tmp_path, "localhost")
    mail = start_mail(str(certificate))
    secure = {
        "smtp_security": "starttls",
        "smtp_ca_file": str(certificate),
        "smtp_user": "shop",
        "smtp_password": "geheim",
    }
    kernel = await start(make_kernel, mail, **secure)
    await tell(kernel, hello("ann@example.com"))
    await drain(kernel)
    [entry] = mail.took()
    assert (entry["tls"], entry["user"]) == (True, True)
    # a certificate that does not hold
    strict = await start(make_kernel, mail, **{**secure, "smtp_ca_file": ""})
    await tell(strict, hello("ann@example.com"))
    await drain(strict)
    [row] = await messages(strict)
    assert row["state"] == "queued"
    assert "certificate does not hold" in row["last_error"] or "does not answer" in row["last_error"]
    # a wrong password is for the operator to mend, and no message dies of it
    wrong = await start(make_kernel, mail, **{**secure, "smtp_password": "falsch"})
    await tell(wrong, hello("ann@example.com"))
    await drain(wrong)
    [row] = await messages(wrong)
    assert (row["state"], row["last_error"]) == (
        "queued",
        "The mail server answered 535 (SMTPAuthenticationError).",
    )
    assert len(mail.took()) == 1


async def test_no_encryption_where_it_was_asked_for_is_no_mail(
    make_kernel: Kernels, mail: MailServer
) -> None:
    # given a server without STARTTLS
    kernel = await start(make_kernel, mail, smtp_security="starttls")
    await tell(kernel, hello("ann@example.com"))
    await drain(kernel)
    assert mail.took() == []
    [row] = await messages(kernel)
    assert row["state"] == "queued"


async def test_nothing_is_kept_where_no_server_is_set_up(make_kernel: Kernels) -> None:
    kernel = await make_kernel([module, SAMPLE])
    assert await tell(kernel, hello("ann@example.com")) == 0
    assert await messages(kernel) == []


async def test_people_choose_what_they_are_told(make_kernel: Kernels, mail: MailServer) -> None:
    kernel = await start(make_kernel, mail)
    ann = Principal(kind=PrincipalKind.MEMBER, id=new_id())
    shop = Client(kernel, "shop", ann)
    query = "{ notificationPreferences { kind channel enabled title } }"
    # given a member who may choose; alarms are for staff, and tests are no choice
    assert (await shop(query))["notificationPreferences"] == [
        {"kind": "sample.hello", "channel": "email", "enabled": True, "title": "Greetings"}
    ]
    assert (await Client(kernel, "shop")(query))["notificationPreferences"] == []
    choose = """mutation($enabled: Boolean!) {
      setNotificationPreference(kind: "sample.hello", channel: "email", enabled: $enabled) {
        preferences { enabled } errors { code }
      }
    }"""
    # when she does not want it, then it is not sent
    data = await shop(choose, {"enabled": False})
    assert data["setNotificationPreference"] == {"preferences": [{"enabled": False}], "errors": []}
    who = {"kind": PrincipalKind.MEMBER, "id": ann.id}
    assert await tell(kernel, hello("ann@example.com", "1", **who), hello("bob@example.com", "2")) == 1
    # when she does again, then it is
    await shop(choose, {"enabled": True})
    assert await tell(kernel, hello("ann@example.com", "3", **who)) == 1
    # nobody chooses for staff, or without being somebody
    data = await Client(kernel, "shop")(choose, {"enabled": False})
    assert data["setNotificationPreference"]["errors"] == [{"code": "UNAUTHENTICATED"}]
    data = await shop(
        'mutation { setNotificationPreference(kind: "sample.alarm", channel: "email", enabled: false) { errors { code } } }'
    )
    assert data["setNotificationPreference"]["errors"] == [{"code": "INVALID_INPUT"}]


async def test_an_operator_switches_kinds_off_and_writes_his_own_texts(
    make_kernel: Kernels, mail: MailServer, tmp_path: Path
) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "hello.en.txt").write_text("Ours\n\n{{ name }}!\n")
    kernel = await start(
        make_kernel, mail, off=["sample.alarm"], templates=str(tmp_path), staff=["ops@example.com"]
    )
    async with kernel.db.transaction():
        assert await kernel.services.get(Notifications).tell_staff("sample.alarm", "1", {"what": "x"}) == 0
    await tell(kernel, hello("ann@example.com"))
    await drain(kernel)
    assert [read["Subject"] for read in mail.mails()] == ["Ours"]
    with pytest.raises(BootError, match=r"sample\.nothing"):
        await start(make_kernel, mail, off=["sample.nothing"])


async def test_staff_is_told_at_the_addresses_of_the_settings(make_kernel: Kernels, mail: MailServer) -> None:
    kernel = await start(make_kernel, mail, staff=["ops@example.com", "boss@example.com"])
    for _ in range(2):
        async with kernel.db.transaction():
            await kernel.services.get(Notifications).tell_staff("sample.alarm", "1", {"what": "火"})
    await drain(kernel)
    assert sorted(read["To"] for read in mail.mails()) == ["boss@example.com", "ops@example.com"]
    with pytest.raises(NoticeMisuseError):
        await kernel.services.get(Notifications).tell_staff("sample.hello", "1", {})


async def test_templates_are_sandboxed_and_strict(
    make_kernel: Kernels, mail: MailServer, tmp_path: Path
) -> None:
    (tmp_path / "sample").mkdir()
    text = tmp_path / "sample" / "hello.en.txt"
    text.write_text("Hi\n\n{{ nmae }}\n")
    kernel = await start(make_kernel, mail, templates=str(tmp_path))
    await tell(kernel, hello("ann@example.com"))
    await drain(kernel)
    # a name that is not given is the template's fault, and a dead letter that can be sent when it is mended
    [row] = await messages(kernel)
    assert row["state"] == "dead"
    assert "NOTICE_TEMPLATE_FAULTY" in row["last_error"]
    for evil in (
        "{{ ''.__class__.__mro__ }}",
        "{{ name.__init__.__globals__ }}",
        "{% include '/etc/passwd' %}",
    ):
        text.write_text(f"Hi\n\n{evil}\n")
        fresh = await start(make_kernel, mail, templates=str(tmp_path))
        await tell(fresh, hello("ann@example.com"))
        await drain(fresh)
        [row] = await messages(fresh)
        assert row["state"] == "dead", evil
    assert mail.took() == []


async def test_faults_that_are_found_at_the_start(make_kernel: Kernels, mail: MailServer) -> None:
    mute = Module(
        name="mute",
        version="1",
        notifications=(
            NotificationKind(name="x", title_en="x", title_zh="x", templates="tests.engine.notify:texts"),
        ),
    )
    with pytest.raises(BootError, match=r"mute\.x\.zh-CN\.txt, mute\.x\.en\.txt"):
        await make_kernel([module, mute])
    kernel = await make_kernel([module, SAMPLE])
    with pytest.raises(NoticeMisuseError):
        await tell(
            kernel,
            Notice(kind="no.such", key="1", to=Addressee(addresses={"email": "a@example.com"}), values={}),
        )
    broken = await make_kernel([module, SAMPLE], notify=settings(mail, sender=""))
    assert await tell(broken, hello("ann@example.com")) == 0
    wrong = settings(mail, sender="nobody")
    with pytest.raises(SettingsError):
        await tell(await make_kernel([module, SAMPLE], notify=wrong), hello("ann@example.com"))
