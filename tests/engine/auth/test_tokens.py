"""Tokens are told from typing errors and noise without asking anybody."""

import hashlib

import pytest

from kameng.auth.tokens import (
    ALPHABET,
    digest,
    is_api_token,
    is_one_time_token,
    is_session_token,
    new_api_token,
    new_one_time_token,
    new_session_token,
)


def test_an_api_token_shows_its_prefix_and_hides_256_bits():
    prefix, text = new_api_token()
    assert text.startswith(f"kmg_{prefix}_")
    assert len(prefix) == 8
    assert len(text) == len("kmg_") + 8 + 1 + 43 + 6
    assert set(text) <= set(ALPHABET) | {"_"}
    assert is_api_token(text)


def test_any_one_mistyped_character_of_an_api_token_is_noticed():
    _, text = new_api_token()
    for position, right in enumerate(text):
        for wrong in (ALPHABET[0], ALPHABET[-1]):
            if wrong != right:
                assert not is_api_token(text[:position] + wrong + text[position + 1 :]), position


def test_an_api_token_has_a_checksum_that_others_can_recompute():
    # CRC-32 of "kmg_00000000_" and 43 zeros is 0xD02F4B18 = 3492762392 = "3oNHPU" in base 62
    import zlib

    head = "kmg_00000000_" + "0" * 43
    number, digits = zlib.crc32(head.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    assert is_api_token(head + digits.rjust(6, "0"))


@pytest.mark.parametrize(
    "text", ["", "kmg_", "kmg_abc_def", "kms_abc", "Bearer", "kmg_" + "0" * 60, "\0" * 62]
)
def test_noise_is_no_token(text):
    assert not is_api_token(text)
    assert not is_session_token(text)
    assert not is_one_time_token(text)


def test_each_token_is_only_of_its_own_kind():
    assert is_session_token(session := new_session_token())
    assert is_one_time_token(once := new_one_time_token())
    assert not is_api_token(session)
    assert not is_session_token(once)
    assert not is_one_time_token(session)
    assert not is_session_token(session + "\n")


def test_no_two_tokens_are_alike():
    assert len({new_session_token() for _ in range(1000)}) == 1000
    assert len({new_api_token() for _ in range(1000)}) == 1000
    assert len({new_one_time_token() for _ in range(1000)}) == 1000


def test_what_is_kept_is_the_sha256():
    assert digest("kms_abc") == hashlib.sha256(b"kms_abc").digest()
