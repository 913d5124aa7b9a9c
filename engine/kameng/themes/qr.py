"""QR codes as pictures in the page, drawn on the server: nothing else sees what they say."""

from __future__ import annotations

from itertools import groupby

from markupsafe import Markup

LONGEST_TEXT = 1_000
"""Characters that a code holds at most; phones hardly read denser ones."""

QUIET = 4
"""Modules around a code that stay empty, as ISO/IEC 18004 asks for."""


def qr_svg(text: str, label: str = "") -> Markup:
    """A text as a QR code: an SVG element of the class ``qr``, in the colour of text around it.

    Args:
        text: what a phone reads, of at most `LONGEST_TEXT` characters.
        label: what stands for it where it cannot be seen; empty: it is left out there.

    Raises:
        ValueError: the text is empty or too long.
    """
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise ValueError(f"a QR code holds 1 to {LONGEST_TEXT} characters, not {len(text)}")
    import segno

    code = segno.make(text, error="m", micro=False)
    strokes = []
    for row, modules in enumerate(code.matrix):
        column = 0
        for dark, run in groupby(modules):
            length = sum(1 for _ in run)
            if dark:
                strokes.append(f"M{column + QUIET} {row + QUIET}h{length}v1h-{length}z")
            column += length
    size = len(code.matrix) + 2 * QUIET
    seen = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup(
        '<svg class="qr" viewBox="0 0 {0} {0}" shape-rendering="crispEdges" {1}><path fill="currentcolor" d="{2}"/></svg>'
    ).format(size, seen, "".join(strokes))
