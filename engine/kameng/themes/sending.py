"""How pages travel: not at all where the browser has them already, else compressed.

A compressed answer's length tells something about its content to whoever can make a browser ask for many pages and watches the
line (BREACH). So tokens in pages are masked anew each time (`kameng.themes.csrf`), each compressed page has a random length
more, and a page of one person alone is compressed only where it was asked for from our own pages or by hand.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Mapping
from dataclasses import replace
from struct import pack

from kameng.themes.answers import HttpAnswer

LEAST_BYTES = 1_000
"""Below this compressing costs more than it saves."""

_LEVEL = 5
_PADDING = 64
_KEPT_ON_304 = frozenset(("cache-control", "vary", "etag"))
# The stored page keeps the policy that it came with: its scripts bear that one's nonce.


def ready_to_send(headers: Mapping[str, str], answer: HttpAnswer) -> HttpAnswer:
    """An answer as it goes on its way.

    Args:
        headers: the request's, found by lower-case names.
        answer: a page, a part of one, or a redirect.
    """
    tag = _header(answer, "etag")
    if tag and _holds(headers.get("if-none-match", ""), tag):
        kept = [item for item in answer.headers if item[0] in _KEPT_ON_304]
        return replace(answer, status=304, body=b"", headers=kept)
    if len(answer.body) < LEAST_BYTES or not answer.media_type.startswith("text/html"):
        return answer
    vary = [
        (name, f"{value}, Accept-Encoding" if name == "vary" else value) for name, value in answer.headers
    ]
    if "gzip" not in headers.get("accept-encoding", "") or not _may_compress(headers, answer):
        return replace(answer, headers=vary)
    return replace(answer, body=_gzip(answer.body), headers=[*vary, ("content-encoding", "gzip")])


def _header(answer: HttpAnswer, name: str) -> str:
    return next((value for key, value in answer.headers if key == name), "")


def _holds(given: str, tag: str) -> bool:
    known = {item.strip().removeprefix("W/") for item in given.split(",")}
    return "*" in known or tag.removeprefix("W/") in known


def _may_compress(headers: Mapping[str, str], answer: HttpAnswer) -> bool:
    if "no-store" not in _header(answer, "cache-control"):
        return True
    return headers.get("sec-fetch-site", "") in ("same-origin", "none")


def _gzip(body: bytes) -> bytes:
    # By hand, since the random length goes into the header's field for a file name, which browsers pass over.
    name = secrets.token_hex(secrets.randbelow(_PADDING // 2) + 1).encode()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(body) + packer.flush()
    head = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + name + b"\0"
    return head + packed + pack("<LL", zlib.crc32(body), len(body) & 0xFFFFFFFF)
