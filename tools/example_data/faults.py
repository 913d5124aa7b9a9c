"""Files with planted faults, and where each fault is: what a good import must find."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import card_stock, catalogue

BELL = "\x07"
TOO_LONG_SKU = "STEAM-US-" + "9" * 191
TOO_LONG_TITLE = "Steam Wallet Code " + "very " * 400 + "long"
TOO_LONG_SECRET = "X" * 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong where. The header is line 1; the column is empty if the whole line is meant."""

    line: int
    column: str
    what: str


@dataclass(slots=True)
class Broken:
    """A file as it grows: good lines, bad ones, and the list of faults."""

    lines: list[Sequence[str]]
    faults: list[Fault]

    def good(self, cells: Sequence[str]) -> int:
        """Add a line without a fault and return its number."""
        self.lines.append(cells)
        return len(self.lines) + 1

    def bad(self, cells: Sequence[str], column: str, what: str) -> None:
        """Add a line with one fault."""
        self.faults.append(Fault(self.good(cells), column, what))

    @property
    def sound(self) -> int:
        """How many lines have no fault."""
        return len(self.lines) - len(self.faults)


def products() -> Broken:
    """A product file in which every second line is wrong in one way."""
    file = Broken([], [])

    def line(variant: str, /, **changes: str) -> list[str]:
        return list((catalogue.row_of(variant) | changes).values())

    first = file.good(line("CMCC-10"))
    file.bad(line("CMCC-20", price="19.9元"), "price", "not a number: `19.9元`")
    file.good(line("CMCC-30"))
    file.bad(line("CMCC-50", price="-49.75"), "price", "negative: `-49.75`")
    file.bad(line("CMCC-100", price="99.30125"), "price", "more than four decimals: `99.30125`")
    file.bad(line("CMCC-200", price="NaN"), "price", "not a number: `NaN`")
    file.bad(line("CMCC-300", price=""), "price", "missing")
    file.good(line("CUCC-50"))
    file.bad(line("CUCC-100", cost="98,20"), "cost", "decimal comma: `98,20`")
    file.bad(line("CUCC-200", face_value="two hundred"), "face_value", "not a number: `two hundred`")
    file.good(line("STEAM-US-5"))
    file.bad(line("STEAM-US-10", sku=""), "sku", "missing")
    file.bad(line("CMCC-10"), "sku", f"`CMCC-10` stands in line {first} already")
    file.bad(line("STEAM-US-20", sku=TOO_LONG_SKU), "sku", f"too long: {len(TOO_LONG_SKU)} characters")
    file.bad(line("STEAM-US-50", sku="STEAM-US-50美元"), "sku", "illegal characters: `STEAM-US-50美元`")
    file.good(line("STEAM-US-100"))
    file.bad(line("STEAM-HK-50", face_currency="HK$"), "face_currency", "unknown currency: `HK$`")
    file.bad(line("STEAM-HK-100", currency="RMB"), "currency", "unknown currency: `RMB` (the code is CNY)")
    file.good(line("STEAM-HK-200"))
    file.bad(
        line("STEAM-EU-5", title_en=TOO_LONG_TITLE), "title_en", f"too long: {len(TOO_LONG_TITLE)} characters"
    )
    file.bad(line("STEAM-EU-10", title_en=f"Steam{BELL} Wallet"), "title_en", "control character U+0007")
    file.bad(line("STEAM-EU-20", product=""), "product", "missing")
    file.bad(line("STEAM-EU-50", kind="voucher"), "kind", "unknown kind of stock: `voucher`")
    file.bad(line("STEAM-EU-100", status="live"), "status", "unknown status: `live`")
    file.good(line("WIN11-HOME"))
    file.bad(
        line("WIN11-PRO")[:-1],
        "",
        f"{len(catalogue.COLUMNS) - 1} columns instead of {len(catalogue.COLUMNS)}",
    )
    file.bad(
        [*line("OFFICE24-HOME"), "extra"],
        "",
        f"{len(catalogue.COLUMNS) + 1} columns instead of {len(catalogue.COLUMNS)}",
    )
    file.good(line("OFFICE24-BUSINESS"))
    return file


def cards() -> Broken:
    """A card file with a few good cards around each bad one."""
    file = Broken([], [])
    fresh = iter(list(card_stock.cards("STEAM-US-50", 40, start=card_stock.PLENTY)))

    def line(*, sku: str | None = None, secret: str | None = None, expires: str = "") -> list[str]:
        card = next(fresh)
        return [card[0] if sku is None else sku, card[1], card[2] if secret is None else secret, expires]

    known = line()
    first = file.good(known)
    file.good(line())
    file.bad(line(sku=""), "sku", "missing")
    file.good(line())
    file.bad(line(sku="STEAM-US-51"), "sku", "no such variant: `STEAM-US-51`")
    file.bad(line(secret=""), "secret", "missing")
    file.good(line(expires="2031-12-31"))
    file.bad(line(secret=known[2]), "secret", f"the secret of line {first} again")
    file.bad(line(secret=TOO_LONG_SECRET), "secret", f"too long: {len(TOO_LONG_SECRET)} characters")
    file.good(line())
    file.bad(line(secret=f"ABCDE-{BELL}FGHJ-KLMNP"), "secret", "control character U+0007")
    file.bad(line()[:2], "", f"2 columns instead of {len(card_stock.COLUMNS)}")
    file.bad(
        [*line(), "extra"], "", f"{len(card_stock.COLUMNS) + 1} columns instead of {len(card_stock.COLUMNS)}"
    )
    file.good(line())
    file.bad(line(expires="2031-02-30"), "expires_on", "no such day: `2031-02-30`")
    file.bad(line(expires="soon"), "expires_on", "not a date: `soon`")
    file.good(line())
    return file
