"""The section ``[notify]`` of ``kameng.toml``."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from kameng.settings.sections import Positive


class NotifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[notify]``.

    Attributes:
        sender: the address that mail comes from, such as ``Shop <no-reply@shop.example>``; empty: no mail is sent.
        smtp_host, smtp_port: the mail server; an empty host: no mail is sent.
        smtp_security: ``starttls`` insists on it after the greeting, ``tls`` begins with it, ``none`` sends in the clear.
        smtp_user, smtp_password: for the server; the password by ``KAMENG_NOTIFY__SMTP_PASSWORD`` or a file that
            ``KAMENG_NOTIFY__SMTP_PASSWORD_FILE`` names.
        smtp_ca_file: certificates that are trusted instead of the public ones, in PEM.
        smtp_timeout_seconds: how long the server may take for each answer.
        staff: addresses that get what staff is told, beside the staff who hold the permission.
        off: kinds of notifications that nobody gets, such as ``fulfilment.order_completed``.
        templates: a folder whose templates go before those of the modules, as ``<module>/<name>.<locale>.txt``.
        give_up_hours: how long a message is tried.
        keep_days: how long it is known what was sent, and dead letters are kept.
    """

    sender: str = ""
    smtp_host: str = ""
    smtp_port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_ca_file: str = ""
    smtp_timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 20.0
    staff: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    templates: str = ""
    give_up_hours: Positive = 24
    keep_days: Positive = 30
