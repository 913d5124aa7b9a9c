"""What can go wrong with notifications."""

from kameng.errors import KamengError


class NotifyError(KamengError):
    """Base of what goes wrong with notifications."""

    code = "NOTIFY_FAILED"


class NoticeMisuseError(NotifyError):
    """A notice was given that nobody could send: a mistake of a program."""

    code = "NOTICE_MISUSED"


class TemplateFault(NotifyError):
    """A template is missing, or cannot be rendered."""

    code = "NOTICE_TEMPLATE_FAULTY"


class Undeliverable(NotifyError):
    """A message can never be sent to its address. Operators see the text, so it holds no values."""

    code = "NOTICE_UNDELIVERABLE"


class NotNow(NotifyError):
    """A message could not be sent now. Operators see the text, so it holds no values.

    Args:
        message, cure: as everywhere.
        outage: whether the next message would fare no better.
    """

    code = "NOTICE_NOT_NOW"

    def __init__(self, message: str, *, cure: str = "", outage: bool = False) -> None:
        super().__init__(message, cure=cure)
        self.outage = outage
