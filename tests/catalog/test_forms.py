"""Top-up forms: what buyers fill in, and what of it is taken."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng.errors import InvalidInput
from kameng_catalog.contract import FormAnswerWrong, FormField, checked_answers
from kameng_catalog.forms import Choice, checked_form, read_form, shown_answer

PHONE = FormField(name="phone", kind="phone", labels={"en": "Phone"}, carriers=("China Mobile",))
ACCOUNT = FormField(
    name="account", kind="text", labels={"en": "Account"}, characters="digits", min_length=5, max_length=8
)
SERVER = FormField(
    name="server",
    kind="choice",
    labels={"en": "Server"},
    choices=(Choice("eu", {"en": "Europe"}), Choice("cn", {"en": "China"})),
)
NOTE = FormField(name="note", kind="text", labels={"en": "Note"}, required=False)
FORM = (PHONE, ACCOUNT, SERVER, NOTE)
GOOD = {"phone": "138 1234-5678", "account": " 12345 ", "server": "cn"}


def wrong(**changes: str | None) -> tuple[str, str]:
    answers = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(FormAnswerWrong) as caught:
        checked_answers(FORM, answers)
    return caught.value.path[0], caught.value.message


def test_answers_are_stored_in_one_form() -> None:
    assert checked_answers(FORM, GOOD) == {"phone": "+8613812345678", "account": "12345", "server": "cn"}
    assert checked_answers(FORM, {**GOOD, "note": "  be quick ", "phone": "+86 13812345678"}) == {
        "phone": "+8613812345678",
        "account": "12345",
        "server": "cn",
        "note": "be quick",
    }
    assert checked_answers((), {}) == {}


@pytest.mark.parametrize("name", ["phone", "account", "server"])
@pytest.mark.parametrize("answer", [None, "", "   "])
def test_a_missing_choice_is_an_error_and_never_a_default(name: str, answer: str | None) -> None:
    assert wrong(**{name: answer}) == (name, "This is missing.")


def test_each_field_says_what_is_wrong_with_it() -> None:
    assert wrong(phone="13012345678") == (
        "phone",
        "This number belongs to China Unicom; this top-up is for China Mobile.",
    )
    assert wrong(phone="010 12345678") == ("phone", "This is not a mobile number.")
    assert wrong(phone="1381234567") == ("phone", "There is no such phone number.")
    assert wrong(phone="call me") == ("phone", "This is no phone number.")
    assert wrong(account="1234") == ("account", "It has 4 characters; 5 to 8 are right.")
    assert wrong(account="123456789") == ("account", "It has 9 characters; 5 to 8 are right.")
    assert wrong(account="1234a") == ("account", "It may hold digits alone.")
    assert wrong(account="１２３４５") == ("account", "It may hold digits alone.")
    assert wrong(server="us") == ("server", "This is not one of the choices.")
    assert wrong(note="a\u200bb") == ("note", "It holds characters that nobody can see.")
    assert wrong(email="a@b.c") == ("email", "This product does not ask for that.")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([ACCOUNT] * 2, "Two fields have this name."),
        ([msgspec.structs.replace(SERVER, choices=())], "A choice needs choices, each once."),
        (
            [msgspec.structs.replace(SERVER, choices=(SERVER.choices[0],) * 2)],
            "A choice needs choices, each once.",
        ),
        ([msgspec.structs.replace(ACCOUNT, choices=SERVER.choices)], "Only a choice has choices."),
        ([msgspec.structs.replace(ACCOUNT, min_length=9)], "Its least length is above its most."),
        ([msgspec.structs.replace(PHONE, region="XX")], "There is no region 'XX'."),
        ([msgspec.structs.replace(PHONE, carriers=("Acme",))], "There is no carrier 'Acme'."),
    ],
)
def test_a_form_that_nobody_could_fill_in_is_refused(fields: list[FormField], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_form(fields)
    assert caught.value.message == message


def test_a_form_has_a_bounded_number_of_fields() -> None:
    fields = [msgspec.structs.replace(NOTE, name=f"n{number}") for number in range(21)]
    assert checked_form(fields[:20]) == tuple(fields[:20])
    with pytest.raises(InvalidInput, match="at most 20 fields"):
        checked_form(fields)


def test_a_stored_form_is_read_as_it_was() -> None:
    assert read_form(msgspec.json.encode(FORM)) == FORM
    assert read_form(None) == ()


@given(st.text(max_size=40))
def test_whatever_is_stored_passes_again_unchanged(text: str) -> None:
    """Given any text, when an answer is taken, then what is stored would be taken again and stays the same."""
    for field in (NOTE, ACCOUNT, msgspec.structs.replace(PHONE, carriers=())):
        form = (msgspec.structs.replace(field, required=False),)
        try:
            stored = checked_answers(form, {field.name: text})
        except FormAnswerWrong:
            continue
        assert checked_answers(form, stored) == stored


@given(st.text(alphabet="abc123", min_size=1, max_size=30))
def test_a_private_answer_shows_little(text: str) -> None:
    shown = shown_answer(True, text)
    assert len(shown) == len(text)
    assert sum(1 for character in shown if character != "*") <= min(5, max(0, len(text) - 1))
    assert shown_answer(False, text) == text
