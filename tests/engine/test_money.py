"""Money is exact: no float, one rounding, half to even."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng.errors import InvalidInput
from kameng.money import MAX_MINOR, Money, UnitPrice

currencies = st.sampled_from(["CNY", "USD", "JPY", "KWD"])
decimals = {"CNY": 2, "USD": 2, "JPY": 0, "KWD": 3}


@given(st.integers(-MAX_MINOR, MAX_MINOR), currencies)
def test_an_amount_survives_its_text(minor, currency):
    money = Money(minor, currency)
    assert Money.parse(str(money.amount), currency) == money


@given(st.integers(0, 10**10), st.integers(1, 5000), currencies)
def test_a_line_total_is_the_exact_product_rounded_once(units, quantity, currency):
    exact = Fraction(units * quantity * 10 ** decimals[currency], 10**4)
    total = UnitPrice(units, currency).times(quantity).minor
    assert abs(total - exact) <= Fraction(1, 2)
    if abs(total - exact) == Fraction(1, 2):
        assert total % 2 == 0


@given(st.integers(0, 10**8), st.integers(1, 100))
def test_rounding_once_is_not_rounding_each_unit(units, quantity):
    exact = (Decimal(units) * quantity / 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    assert UnitPrice(units, "CNY").times(quantity).minor == int(exact)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("98.50", "CNY", 9850),
        ("0", "CNY", 0),
        ("-1.5", "USD", -150),
        ("1200", "JPY", 1200),
        (" 7.125 ", "KWD", 7125),
    ],
)
def test_amounts_are_read_exactly(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("98.505", "CNY"), ("1.5", "JPY"), ("19.9元", "CNY"), ("NaN", "CNY"), ("Infinity", "CNY"), ("", "CNY"),
        ("98,50", "CNY"), ("1e400", "CNY"), (str(MAX_MINOR), "CNY"), ("1", "RMB"), ("1", "HK$"), ("1", "cny"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_a_cure(text, currency):
    with pytest.raises(InvalidInput) as caught:
        Money.parse(text, currency)
    assert caught.value.cure


def test_prices_have_four_decimals_and_no_sign():
    assert UnitPrice.parse("0.0125", "CNY").units == 125
    for text in ("0.00001", "-0.01"):
        with pytest.raises(InvalidInput):
            UnitPrice.parse(text, "CNY")


def test_currencies_do_not_mix():
    with pytest.raises(ValueError, match="USD with CNY"):
        Money(1, "USD") + Money(1, "CNY")
