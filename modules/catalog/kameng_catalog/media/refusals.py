"""Why a picture is not taken."""

from kameng.errors import Refusal


class MediaRefused(Refusal):
    """The file is no picture that the shop can show."""

    code = "MEDIA_REFUSED"
