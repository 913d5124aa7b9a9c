"""E-mail addresses as log-in names: one way of writing each."""

import re
import unicodedata

from kameng.errors import InvalidInput

LONGEST = 254
"""Characters of an address that mail systems carry (RFC 5321 §4.5.3.1.3, as corrected by erratum 1690)."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5321 §4.1.2
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def normal_email(text: str) -> str:
    """An address in the one form in which it is kept: lower case, the domain in its ASCII form.

    Args:
        text: as typed; spaces around it and full-width characters of Chinese keyboards do no harm.

    Raises:
        InvalidInput: it is no address that mail can be sent to.

    >>> normal_email(" Li.Wei@例子.中国 ")
    'li.wei@xn--fsqu00a.xn--fiqs8s'
    """
    local, _, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        domain = ""
    labels = domain.split(".")
    if (
        len(local) + len(domain) >= LONGEST
        or not _LOCAL.fullmatch(local)
        or len(labels) < 2
        or not all(_LABEL.fullmatch(label) for label in labels)
    ):
        raise InvalidInput(
            "This is no e-mail address.", cure="Write one such as name@example.com.", path=("input", "email")
        )
    return f"{local.lower()}@{domain}"
