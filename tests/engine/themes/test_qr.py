"""QR codes drawn into pages."""

from __future__ import annotations

import re

import pytest
import segno

from kameng.themes.qr import LONGEST_TEXT, QUIET, qr_svg


def dark_modules(svg: str) -> set[tuple[int, int]]:
    """The squares that a picture fills, by row and column of the code."""
    found = set()
    for column, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg):
        found |= {(int(row) - QUIET, int(column) - QUIET + step) for step in range(int(length))}
    return found


@pytest.mark.parametrize(
    "text", ["weixin://wxpay/bizpayurl?pr=p4lpSuKzz", "https://qr.alipay.com/bax0" + "x" * 300, "卡"]
)
def test_a_picture_shows_the_modules_of_the_code_and_leaves_its_margin_free(text: str) -> None:
    svg = str(qr_svg(text))
    code = segno.make(text, error="m", micro=False)
    wanted = {(y, x) for y, row in enumerate(code.matrix) for x, module in enumerate(row) if module}
    assert dark_modules(svg) == wanted
    size = len(code.matrix) + 2 * QUIET
    assert f'viewBox="0 0 {size} {size}"' in svg


def test_a_label_is_escaped_and_a_code_without_one_is_hidden_from_readers() -> None:
    assert 'role="img" aria-label="a &#34;b&#34; &lt;c&gt;"' in qr_svg("x", 'a "b" <c>')
    assert 'aria-hidden="true"' in qr_svg("x")


@pytest.mark.parametrize("text", ["", "x" * (LONGEST_TEXT + 1)])
def test_what_no_phone_could_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 1000 characters"):
        qr_svg(text)
