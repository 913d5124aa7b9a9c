"""How sample prices come about: face value × a fixed exchange rate × a margin. No rate is a quotation."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from .wares import Text, Variant

RATES = {
    "CNY": Decimal("1"),
    "USD": Decimal("7.12"),
    "EUR": Decimal("8.28"),
    "GBP": Decimal("9.55"),
    "HKD": Decimal("0.915"),
    "JPY": Decimal("0.0468"),
    "TWD": Decimal("0.232"),
    "THB": Decimal("0.219"),
    "MYR": Decimal("1.70"),
    "PHP": Decimal("0.122"),
    "IDR": Decimal("0.00043"),
}
"""CNY for one unit of the currency."""

UNITS = {
    "CNY": "元",
    "USD": "美元",
    "EUR": "欧元",
    "GBP": "英镑",
    "HKD": "港币",
    "JPY": "日元",
    "TWD": "新台币",
    "THB": "泰铢",
    "MYR": "马来西亚令吉",
    "PHP": "菲律宾比索",
    "IDR": "印尼盾",
}
"""How a face value in the currency is called in Chinese."""

SURCHARGES = ((Decimal("40"), Decimal("0.010")), (Decimal("150"), Decimal("0.004")))
"""Below this value in CNY a card sells for this share more: small ones earn too little otherwise."""

PRICE_STEP = Decimal("0.01")
COST_STEP = Decimal("0.0001")


def gift_cards(
    prefix: str, currency: str, faces: Iterable[int], *, cost: str, price: str
) -> tuple[Variant, ...]:
    """One variant for each face value, named ``prefix-face``.

    ``cost`` and ``price`` are shares of the face value in CNY, such as ``"0.955"``.
    """
    return tuple(
        worth(
            f"{prefix}-{face}",
            Text(f"{face} {UNITS[currency]}", f"{face:,} {currency}"),
            Decimal(face),
            currency,
            cost=cost,
            price=price,
        )
        for face in faces
    )


def worth(sku: str, title: Text, face: Decimal, currency: str, *, cost: str, price: str) -> Variant:
    """A variant priced by its face value; see `gift_cards` for the shares."""
    value = face * RATES[currency]
    surcharge = next((share for limit, share in SURCHARGES if value < limit), Decimal(0))
    return Variant(
        sku=sku,
        title=title,
        face_value=face,
        face_currency=currency,
        price=(value * (Decimal(price) + surcharge)).quantize(PRICE_STEP, ROUND_HALF_EVEN),
        cost=(value * Decimal(cost)).quantize(COST_STEP, ROUND_HALF_EVEN),
    )


def plan(sku: str, title: Text, face: str, price: str, cost: str, *, currency: str = "CNY") -> Variant:
    """A variant with a price of its own: a membership or a licence, whose face value is its list price."""
    return Variant(sku, title, Decimal(face), currency, Decimal(price), Decimal(cost))


def months(prefix: str, *plans: tuple[int, str, str, str]) -> tuple[Variant, ...]:
    """Memberships by length: each plan is months, list price, price and cost in CNY."""
    names = {1: Text("月卡", "1 month"), 3: Text("季卡", "3 months"), 12: Text("年卡", "12 months")}
    return tuple(
        plan(f"{prefix}-{length}M", names[length], face, price, cost) for length, face, price, cost in plans
    )
