"""Passwords: argon2id, off the event loop, with rules that help.

One hash takes 64 MiB and a fifth of a second of one core, which is its purpose. So at most `AT_ONCE` run in a
process, in threads of their own (argon2 leaves the interpreter free while it works), and the others wait:
memory stays bounded however many log in at once. Rate limits keep the waiting line short.

The rules are those of NIST SP 800-63B §3.1.1: a length, no composition of characters, a list of what
everybody uses.
"""

from __future__ import annotations

import asyncio
import os
import string
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from kameng.auth.common_passwords import ROOTS, WHOLE
from kameng.errors import Refusal

T = TypeVar("T")

AT_ONCE = 2
"""Hashes that one process computes at the same time, 64 MiB each."""

MAX_BYTES = 1024
"""The longest password, in bytes of UTF-8, before and after normalisation."""

_HASHER = PasswordHasher()  # argon2-cffi's defaults: RFC 9106's second recommendation, 64 MiB
_AROUND = string.digits + string.punctuation + string.whitespace


class WeakPassword(Refusal):
    """A password that would be guessed, or one that cannot be kept."""

    code = "WEAK_PASSWORD"


def check_password(text: str, *, login: str = "", min_length: int = 10) -> None:
    """Insist on a password that is worth hashing; for a new one, never at log-in.

    Args:
        text: the password as typed.
        login: the login name or e-mail address that it will belong to.
        min_length: characters that it needs.

    Raises:
        WeakPassword: it is too short, too long, among the most common ones, or contains the login name.
    """
    if _bytes(text) is None:
        raise _too_long()
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) < min_length:
        raise WeakPassword(
            f"The password has fewer than {min_length} characters.",
            cure="Take a longer one; a few words in a row are easy to remember.",
            path=("password",),
        )
    folded = plain.casefold()
    if folded in WHOLE or folded.strip(_AROUND) in ROOTS or _repeats(folded):
        raise WeakPassword(
            "This password is among those that are tried first.",
            cure="Take one of your own; a few words in a row are easy to remember.",
            path=("password",),
        )
    name = unicodedata.normalize("NFKC", login).casefold().strip()
    if any(len(part) > 3 and part in folded for part in (name, name.partition("@")[0])):
        raise WeakPassword(
            "The password contains the login name.",
            cure="Take one that has nothing to do with it.",
            path=("password",),
        )


async def hash_password(text: str) -> str:
    """The argon2id hash of a password in PHC form; waits while `AT_ONCE` others are at work.

    Raises:
        WeakPassword: it is longer than `MAX_BYTES`.
    """
    password = _bytes(text)
    if password is None:
        raise _too_long()
    return await _in_thread(lambda: _HASHER.hash(password))


async def verify_password(hashed: str, text: str) -> bool:
    """Whether a password belongs to a hash. False for a hash that is none: nothing belongs to that."""
    password = _bytes(text)
    return password is not None and await _in_thread(lambda: _verify(hashed, password))


async def verify_nobody(text: str) -> bool:
    """The work of `verify_password` where there is no account, so that time does not tell; always False."""
    await verify_password(nobody_hash(), text)
    return False


def needs_rehash(hashed: str) -> bool:
    """Whether a hash has other parameters than today's; then hash the password anew when it was verified."""
    try:
        return _HASHER.check_needs_rehash(hashed)
    except InvalidHashError:
        return True


@cache
def nobody_hash() -> str:
    """A hash in today's parameters that no password belongs to: its salt and its tag are zeros."""
    salt, tag = (b64encode(bytes(n)).decode().rstrip("=") for n in (_HASHER.salt_len, _HASHER.hash_len))
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${tag}"


def _too_long() -> WeakPassword:
    message = f"The password is longer than {MAX_BYTES} bytes."
    return WeakPassword(message, cure="Take a shorter one.", path=("password",))


def _normal(text: str) -> bytes:
    # The same password typed on another keyboard or system is the same bytes (NIST SP 800-63B §3.1.1.2).
    return unicodedata.normalize("NFKC", text).encode("utf-8", "surrogatepass")


def _bytes(text: str) -> bytes | None:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return None  # before normalisation, which takes its time and lets some texts grow
    password = _normal(text)
    return password if len(password) <= MAX_BYTES else None


def _repeats(folded: str) -> bool:
    """Whether a text is a piece of up to three characters over and over."""
    return any((folded[:n] * len(folded))[: len(folded)] == folded for n in (1, 2, 3))


def _verify(hashed: str, password: bytes) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError, VerificationError):
        return False


async def _in_thread(call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads(), call)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="kameng-argon2")


# A forked child inherits the pool's book-keeping without its threads, and would wait for them for ever.
os.register_at_fork(after_in_child=_threads.cache_clear)
