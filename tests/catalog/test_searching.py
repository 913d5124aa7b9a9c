"""What a product can be found by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_catalog.searching import LONGEST_BEGINNING, MAX_TERMS, asked_terms, terms_of


def test_a_title_gives_characters_pairs_and_beginnings() -> None:
    assert terms_of(["Steam 钱包"]) == ["s", "st", "ste", "stea", "steam", "包", "钱", "钱包"]


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("steam", ["steam"]),
        ("  STEAM-us 20 ", ["20", "steam", "us"]),
        ("充值码", ["值码", "充值"]),
        ("币", ["币"]),
        ("Ｑ币", ["q", "币"]),  # full width, as a Chinese keyboard types it
        ("--- ·", []),
        ("", []),
    ],
)
def test_a_question_asks_for_words(question: str, terms: list[str]) -> None:
    assert asked_terms(question) == terms


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("ste", True),
        ("钱包 steam", True),
        ("充值码", True),
        ("包钱", False),
        ("team", False),
        ("美元", False),
    ],
)
def test_all_words_of_a_question_must_be_there(question: str, *, found: bool) -> None:
    terms = terms_of(["Steam 钱包充值码（美区）", "STEAM-US-20"])
    assert (set(asked_terms(question)) <= set(terms)) is found


@given(st.text(max_size=60))
def test_a_short_text_is_found_by_itself(text: str) -> None:
    assert set(asked_terms(text)) <= set(terms_of([text]))


def test_long_words_and_texts_stay_bounded() -> None:
    assert asked_terms("x" * 80) == ["x" * LONGEST_BEGINNING]
    assert len(terms_of([f"word{number}" for number in range(1000)])) == MAX_TERMS
