"""What ``kameng audit verify`` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kameng.audit.report import Anchor
from kameng.audit.verification import verify
from kameng.errors import InvalidInput

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def verify_command(kernel: Kernel, write: Callable[[str], object], anchor: str = "") -> int:
    """Verify the log and tell the outcome.

    Args:
        kernel: an open kernel.
        write: takes lines of text, such as `click.echo`.
        anchor: ``position:hash`` of an earlier report; empty for none.

    Returns:
        The exit code: 0 if the log is intact, 1 if not.

    Raises:
        InvalidInput: the anchor is not of that form.
    """
    report = await verify(kernel, parse_anchor(anchor) if anchor else None)
    write(str(report))
    return 0 if report.intact else 1


def parse_anchor(text: str) -> Anchor:
    """The anchor in ``position:hash``, the hash in hexadecimal.

    Raises:
        InvalidInput: the text has another form.
    """
    position, _, hash_ = text.partition(":")
    try:
        anchor = Anchor(int(position), bytes.fromhex(hash_))
        if anchor.position < 0 or len(anchor.hash) != 32:
            raise ValueError(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text[:100]!r} is no anchor.",
            cure="Give position:hash as an earlier verification printed them.",
        ) from error
    return anchor
