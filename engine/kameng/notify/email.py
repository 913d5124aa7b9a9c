"""The channel e-mail: one message over SMTP, with what the server says told apart.

SMTP has no exactly once: if the line breaks after the server has taken a message and before it has said so, the message is
sent again. It bears the same ``Message-ID`` then, by which mail systems that look for doubles find one.
"""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import SettingsError
from kameng.notify.contract import EMAIL, NotNow, Undeliverable
from kameng.notify.rendering import Rendered
from kameng.notify.settings import NotifySettings

if TYPE_CHECKING:
    import aiosmtplib

    from kameng.kernel import Kernel

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}")


class EmailChannel:
    """E-mail by the deployment's SMTP server.

    Args:
        kernel: whose settings it goes by.

    Raises:
        SettingsError: the sender is no address.
    """

    name = EMAIL

    def __init__(self, kernel: Kernel) -> None:
        self._settings = kernel.settings.section("notify", NotifySettings)
        label, address = parseaddr(self._settings.sender)
        if self._settings.sender and not _ADDRESS.fullmatch(address):
            raise SettingsError(
                "[notify] sender is no e-mail address.", cure='Write it as "Shop <no-reply@shop.example>".'
            )
        self._label, self._sender = label, address

    @property
    def ready(self) -> bool:
        """Whether there are a server and a sender."""
        return bool(self._settings.smtp_host and self._sender)

    async def send(self, message: UUID, address: str, text: Rendered) -> str:
        """Send one mail; returns the server's answer.

        Raises:
            Undeliverable: the address is none, or the server refused it, or the text, for good.
            NotNow: the server did not answer, or not this time.
        """
        # Here, since web processes never send.
        import aiosmtplib

        mail = self.compose(message, address, text)
        client = self._client()
        try:
            async with client:
                _, answer = await client.send_message(mail, sender=self._sender, recipients=[address])
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = max((refusal.code for refusal in error.recipients), default=450)
            raise _told(code, "the address") from error
        except aiosmtplib.SMTPDataError as error:
            raise _told(error.code, "the message") from error
        except aiosmtplib.SMTPResponseException as error:
            # The log-in, the greeting or the sender: what an operator has to mend, and every message fares the same.
            raise NotNow(
                f"The mail server answered {error.code} ({type(error).__name__}).", outage=True
            ) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotNow(f"The mail server does not answer: {_plain(error)}.", outage=True) from error
        return answer[:200]

    def compose(self, message: UUID, address: str, text: Rendered) -> EmailMessage:
        """The mail.

        Raises:
            Undeliverable: the address is none.
        """
        if not _ADDRESS.fullmatch(address):
            raise Undeliverable("The address is no e-mail address.")
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = Address(display_name=self._label, addr_spec=self._sender)
        mail["To"] = Address(addr_spec=address)
        mail["Subject"] = text.subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<{message.hex}@{self._sender.partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = text.locale
        mail.set_content(text.text, cte="base64" if not text.text.isascii() else "quoted-printable")
        if text.html:
            mail.add_alternative(text.html, subtype="html", cte="base64")
        return mail

    def _client(self) -> aiosmtplib.SMTP:
        import aiosmtplib
        import certifi

        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=settings.smtp_password or None,
            timeout=settings.smtp_timeout_seconds,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=None
            if settings.smtp_security == "none"
            else ssl.create_default_context(cafile=settings.smtp_ca_file or certifi.where()),
        )


def _told(code: int, what: str) -> Undeliverable | NotNow:
    text = f"The mail server refused {what}: {code}."
    return Undeliverable(text) if code >= 500 else NotNow(text)


def _plain(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({error.verify_message})"
    return type(error).__name__
