"""Passwords are hashed slowly, off the event loop, a few at a time, and alike for those who do not exist."""

import asyncio
import multiprocessing
import threading
import unicodedata

import argon2
import pytest

from kameng.auth import passwords
from kameng.auth.passwords import (
    AT_ONCE,
    WeakPassword,
    check_password,
    hash_password,
    needs_rehash,
    nobody_hash,
    verify_nobody,
    verify_password,
)

GOOD = "seven quiet otters"


class Watched(argon2.PasswordHasher):
    """Argon2 itself, that tells how often it runs and how many run together."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.verified: list[str] = []
        self.running = self.most = 0

    def _enter(self) -> None:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)

    def _leave(self) -> None:
        with self.lock:
            self.running -= 1

    def hash(self, password, **options):
        self._enter()
        try:
            return super().hash(password, **options)
        finally:
            self._leave()

    def verify(self, hashed, password):
        self.verified.append(hashed)
        self._enter()
        try:
            return super().verify(hashed, password)
        finally:
            self._leave()


@pytest.fixture
def watched(monkeypatch):
    hasher = Watched()
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    return hasher


async def test_a_password_belongs_to_its_hash_and_no_other_does():
    hashed = await hash_password(GOOD)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await verify_password(hashed, GOOD) is True
    assert await verify_password(hashed, GOOD + " ") is False
    assert await verify_password(hashed, "") is False


async def test_the_same_password_twice_gives_two_hashes():
    assert await hash_password(GOOD) != await hash_password(GOOD)


@pytest.mark.parametrize(
    "hashed", ["", "x", "$argon2id$v=19$m=65536,t=3,p=4$AAAA", "$2b$12$abcdefghijklmnopqrstuv"]
)
async def test_nothing_belongs_to_what_is_no_hash(hashed):
    assert await verify_password(hashed, GOOD) is False


async def test_a_password_typed_on_another_keyboard_is_the_same():
    # given the composed and the decomposed form, and full-width digits
    hashed = await hash_password(unicodedata.normalize("NFC", "Zoë läuft 2026 km"))
    assert await verify_password(hashed, unicodedata.normalize("NFD", "Zoë läuft 2026 km"))
    assert await verify_password(hashed, "Zoë läuft ２０２６ km")


async def test_the_longest_password_is_1024_bytes_before_and_after_normalisation():
    longest = "a" * 1024
    hashed = await hash_password(longest)
    assert await verify_password(hashed, longest)
    for text in (
        longest + "a",
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 300,
    ):  # 18 characters from each
        with pytest.raises(WeakPassword):
            await hash_password(text)
        assert await verify_password(hashed, text) is False


async def test_a_text_that_is_no_unicode_is_a_wrong_password_and_no_crash():
    hashed = await hash_password(GOOD)
    assert await verify_password(hashed, "\ud800" * 12) is False


async def test_only_a_hash_with_other_parameters_needs_hashing_anew():
    assert needs_rehash(await hash_password(GOOD)) is False
    assert needs_rehash(argon2.PasswordHasher(time_cost=1, memory_cost=8192).hash(GOOD)) is True
    assert needs_rehash("no hash") is True


async def test_an_unknown_user_costs_exactly_the_work_of_a_known_one(watched):
    hashed = await hash_password(GOOD)

    # when one log-in names an account, and another names none
    assert await verify_password(hashed, "wrong and long enough") is False
    known = list(watched.verified)
    watched.verified.clear()
    assert await verify_nobody("wrong and long enough") is False

    # then argon2 ran once for each, with the same parameters
    assert (known, watched.verified) == ([hashed], [nobody_hash()])
    assert argon2.extract_parameters(nobody_hash()) == argon2.extract_parameters(hashed)


async def test_a_password_that_is_too_long_costs_neither_of_them_work(watched):
    hashed = await hash_password(GOOD)
    assert await verify_password(hashed, "a" * 1025) is False
    assert await verify_nobody("a" * 1025) is False
    assert watched.verified == []


async def test_the_event_loop_goes_on_while_a_password_is_hashed():
    ticks = 0

    async def heartbeat():
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    beating = asyncio.create_task(heartbeat())
    before = ticks
    await hash_password(GOOD)
    during = ticks - before
    beating.cancel()
    assert during > 0


async def test_no_more_than_the_bound_are_hashed_at_once_and_the_others_wait(watched):
    hashes = await asyncio.gather(*(hash_password(GOOD) for _ in range(3 * AT_ONCE)))
    assert len(set(hashes)) == 3 * AT_ONCE
    assert watched.most == AT_ONCE


def _hash_in_child(found):
    found.put(asyncio.run(hash_password(GOOD)))


async def test_a_forked_process_can_hash_too():
    # given threads that exist in this process and do not in its child
    await hash_password(GOOD)
    fork = multiprocessing.get_context("fork")
    found = fork.Queue()
    child = fork.Process(target=_hash_in_child, args=(found,))
    child.start()
    try:
        hashed = await asyncio.to_thread(found.get, True, 60)
        await asyncio.to_thread(child.join)
    finally:
        child.kill()
    assert await verify_password(hashed, GOOD)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("short one", "fewer than 10"),
        ("１２３４５６７８９", "fewer than 10"),
        ("ﬃ" * 3, "fewer than 10"),  # three ligatures, nine letters
        ("1234567890", "tried first"),
        ("QWERTYuiop", "tried first"),
        ("password123", "tried first"),
        ("Password!2026", "tried first"),
        ("123kameng456", "tried first"),
        ("woaini5201314", "tried first"),
        ("aaaaaaaaaaaa", "tried first"),
        ("abcabcabcabca", "tried first"),
        ("otto.meier likes tea", "login name"),
        ("x" + "a" * 1024, "longer than 1024"),
    ],
)
def test_a_password_that_would_be_guessed_is_refused(text, says):
    with pytest.raises(WeakPassword, match=says) as refused:
        check_password(text, login="Otto.Meier@shop.example")
    assert refused.value.code == "WEAK_PASSWORD"
    assert refused.value.path == ("password",)
    assert refused.value.cure
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "aaaaaaaaab!",
        "红色的小船在湖上慢慢漂着",
        "8273645198",
        "correct-password-horse",
        " " * 4 + "spaced out",
    ],
)
def test_length_is_enough_whatever_the_characters(text):
    check_password(text, login="Otto.Meier@shop.example")


def test_a_short_login_name_forbids_nothing():
    check_password("a long sentence", login="a")
    check_password("a long sentence", login="")


def test_the_length_is_the_deployments_choice():
    with pytest.raises(WeakPassword, match="fewer than 20"):
        check_password(GOOD, min_length=20)
