"""`kameng notify test`: whether mail goes out, said at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kameng.testing.kernels import Kernels
from tests.commands import Commands
from tests.engine.cli.conftest import variables_of

from .conftest import MailServer


async def test_a_mail_is_sent_and_the_answer_told(
    make_kernel: Kernels, start_mail: Callable[..., MailServer], commands: Commands, tmp_path: Path
) -> None:
    # given a deployment with a mail server
    mail = start_mail()
    variables = {
        **variables_of(await make_kernel()),
        "KAMENG_NOTIFY__SENDER": "Shop <no-reply@shop.example>",
        "KAMENG_NOTIFY__SMTP_HOST": "localhost",
        "KAMENG_NOTIFY__SMTP_PORT": str(mail.port),
        "KAMENG_NOTIFY__SMTP_SECURITY": "none",
    }
    # then a test mail goes out
    ended = await commands(
        "notify", "test", "me@example.com", "--locale", "en", folder=tmp_path, variables=variables
    )
    assert (ended.status, ended.output) == (0, "The mail server took it: 2.0.0 queued as 42\n"), ended.errors
    assert [read["To"] for read in mail.mails()] == ["me@example.com"]
    # a refusal is an error
    ended = await commands("notify", "test", "nobody@example.com", folder=tmp_path, variables=variables)
    assert ended.status == 1
    assert "The mail server refused the address: 550." in ended.errors
    # and so is a server that is not set up
    del variables["KAMENG_NOTIFY__SMTP_HOST"]
    ended = await commands("notify", "test", "me@example.com", folder=tmp_path, variables=variables)
    assert ended.status == 1
    assert "No mail server is set up." in ended.errors
