"""What is written down about a failure, and how long to wait after it."""

import asyncpg
import pytest

from kameng.errors import Conflict
from kameng.events.failure import ERROR_LENGTH, LONGEST_PAUSE, Patience, describe, pause


def caught(error):
    try:
        raise error
    except type(error) as caught_error:
        return caught_error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("the card 'AB12-CD34' is used"), "ValueError: the card … is used"),
        (ValueError('the card "AB12 CD34" is used'), "ValueError: the card … is used"),
        (ValueError("card AB12CD34EF is used"), "ValueError: card … is used"),
        (ValueError("number 6222021234567890 refused"), "ValueError: number … refused"),
        (ValueError("at redis://:hunter2@host:1/0 nobody"), "ValueError: at … nobody"),
        (KeyError("AB12-CD34"), "KeyError: …"),
        (ValueError("first line\ncard AB12"), "ValueError: first line"),
        (RuntimeError(), "RuntimeError"),
        (Conflict("The card is sold."), "CONFLICT: The card is sold."),
    ],
)
def test_an_error_is_described_without_the_values_in_it(error, text):
    assert describe(error) == text


def test_the_description_says_where_it_happened():
    assert describe(caught(ValueError("no"))).startswith("ValueError: no [test_failure.py:")
    assert describe(caught(ValueError("no"))).endswith(" caught]")


async def test_an_error_of_the_database_is_described_without_its_detail(make_database):
    connection = await asyncpg.connect(await make_database())
    try:
        await connection.execute("create table card (secret text constraint card_unique unique)")
        await connection.execute("insert into card values ('AB12-CD34')")
        with pytest.raises(asyncpg.UniqueViolationError) as raised:
            await connection.execute("insert into card values ('AB12-CD34')")
        with pytest.raises(asyncpg.PostgresError) as unreadable:
            await connection.execute("select 'AB12-CD34'::int")
    finally:
        await connection.close()
    assert "AB12-CD34" in str(raised.value.detail)
    assert describe(raised.value).startswith("UniqueViolationError (23505, card, card_unique)")
    assert describe(unreadable.value).startswith("InvalidTextRepresentationError (22P02)")


def test_a_long_error_is_cut():
    assert len(describe(caught(Conflict("very " * 1000)))) <= ERROR_LENGTH


def test_pauses_double_and_stop_at_an_hour():
    for attempt, expected in (
        (1, 5),
        (2, 10),
        (3, 20),
        (9, 1280),
        (11, LONGEST_PAUSE),
        (1000, LONGEST_PAUSE),
    ):
        seconds = [pause(attempt, 5).total_seconds() for _ in range(50)]
        assert min(seconds) >= 0.75 * expected
        assert max(seconds) <= 1.25 * expected
        assert len(set(seconds)) > 1


def test_patience_grows_and_starts_anew():
    patience = Patience(first=1, longest=8)
    assert patience.fresh
    assert [round(patience.next() / 1.25 - 0.3) <= 8 for _ in range(6)] == [True] * 6
    assert not patience.fresh
    assert patience.next() >= 6
    patience.reset()
    assert patience.fresh
    assert patience.next() <= 1.25
