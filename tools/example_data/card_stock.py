"""The demo shop's card stock: generated, unique, and worth nothing.

Each card comes from SHAKE-256 over a fixed seed, its SKU and its place in the batch. So a file is the same on
every machine and Python, and a SKU more or less leaves the cards of the others alone.
"""

import hashlib
from collections.abc import Iterator
from datetime import date

from .card_shapes import ALPHABETS, SHAPES
from .catalogue import VARIANTS

COLUMNS = ("sku", "number", "secret", "expires_on")
"""Header of the card files: the names that the import knows."""

SEED = "kameng example cards, redeemable nowhere"

PLENTY, SOME = 500, 60
"""How many cards a best seller and a slower one have."""

BEST_SELLERS = (
    *(f"CMCC-{face}" for face in (10, 20, 30, 50, 100, 200)),
    *(f"CUCC-{face}" for face in (30, 50, 100)),
    *(f"CTCC-{face}" for face in (30, 50, 100)),
    *(f"STEAM-CN-{face}" for face in (50, 100, 200)),
    *(f"STEAM-US-{face}" for face in (5, 10, 20, 50)),
    *("STEAM-HK-100", "PSN-HK-200", "PSN-US-10", "ESHOP-JP-3000", "XBOX-US-25"),
    *(f"APPLE-CN-{face}" for face in (50, 100, 200, 500)),
    *("APPLE-US-10", "GPLAY-US-10", "JD-ECARD-100"),
    *(f"QQ-{face}" for face in (10, 30, 100)),
    *("NETEASE-30", "JUNNET-10", "JUNNET-100", "GENSHIN-CN-6480"),
    *("IQIYI-GOLD-1M", "TXVIDEO-1M"),
)

SLOWER = (
    *("CMCC-300", "CMCC-500", "CUCC-10", "CUCC-200", "CTCC-10", "CTCC-200"),
    *("AIS-TH-100", "TRUEMONEY-TH-150", "HOTLINK-MY-30"),
    *("STEAM-US-100", "STEAM-EU-20", "STEAM-EU-50", "STEAM-UK-20", "STEAM-HK-200", "STEAM-TW-500"),
    *("STEAM-ID-60000", "STEAM-ID-120000", "RIOT-US-10", "RIOT-US-25", "MC-COINS-1720", "MC-JAVA-BEDROCK"),
    *("PSN-US-50", "PSN-HK-400", "PSN-JP-5000", "ESHOP-US-20", "ESHOP-US-50", "ESHOP-JP-5000"),
    *("XBOX-US-10", "XBOX-US-50", "XGPU-US-1M", "GENSHIN-CN-MONTHLY", "GENSHIN-GLOBAL-980"),
    *("STARRAIL-CN-980", "STARRAIL-CN-6480", "QQ-60", "NETEASE-15", "SHENGQU-30", "SHENGQU-100"),
    *("WANMEI-30", "WANMEI-100", "JUNNET-50", "RAZER-US-10", "RAZER-MY-50"),
    *("APPLE-US-50", "APPLE-JP-3000", "GPLAY-US-25", "GPLAY-JP-3000", "GPLAY-TW-300"),
    *("AMAZON-US-25", "AMAZON-US-50", "AMAZON-UK-25", "AMAZON-JP-5000", "JD-ECARD-500", "SINOPEC-500"),
    *("IQIYI-GOLD-12M", "TXVIDEO-12M", "YOUKU-1M", "BILIBILI-1M", "BILIBILI-12M", "NCM-1M"),
    *("M365-PERSONAL-12M", "M365-FAMILY-12M", "WIN11-PRO", "WIN11-HOME", "OFFICE24-HOME"),
    *("WPS-12M", "BDPAN-1M", "BDPAN-12M", "KASP-PLUS-1Y", "NORTON-DLX-1Y", "ADOBE-ACROBAT-12M"),
)

FIRST_EXPIRY, EXPIRY_BATCHES = 2030, 4
"""Cards that expire do so at the end of a year, a quarter of the batch each year from the first."""

EXTRA_SKU = "STEAM-US-20"
"""The variant of the file that holds nothing but secrets."""


def cards(sku: str, count: int, *, start: int = 0) -> Iterator[tuple[str, str, str, str]]:
    """`count` cards of the variant, from the `start`-th on, in the order of `COLUMNS`."""
    shape = SHAPES[VARIANTS[sku][0].slug]
    for place in range(count):
        index = start + place
        expires = (
            date(FIRST_EXPIRY + place * EXPIRY_BATCHES // count, 12, 31).isoformat() if shape.expires else ""
        )
        yield (
            sku,
            _filled(shape.number, f"{sku}/{index}/number"),
            _filled(shape.secret, f"{sku}/{index}/secret"),
            expires,
        )


def stock() -> list[tuple[str, str, str, str]]:
    """All cards of the demo shop."""
    return [
        *(card for sku in BEST_SELLERS for card in cards(sku, PLENTY)),
        *(card for sku in SLOWER for card in cards(sku, SOME)),
    ]


def extra_secrets() -> list[str]:
    """Secrets of `EXTRA_SKU` that are not in the stock."""
    return [card[2] for card in cards(EXTRA_SKU, PLENTY, start=PLENTY)]


def _filled(pattern: str, label: str) -> str:
    stream = hashlib.shake_256(f"{SEED}/{label}".encode()).digest(len(pattern))
    return "".join(
        ALPHABETS[place][byte % len(ALPHABETS[place])] if place in ALPHABETS else place
        for place, byte in zip(pattern, stream, strict=True)
    )
