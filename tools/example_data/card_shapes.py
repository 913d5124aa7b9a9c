"""What the cards of each product look like.

A pattern is a card with placeholders: ``d`` a digit, ``x`` a letter or digit that can't be mistaken for
another, ``h`` a hexadecimal digit, ``m`` a character of Microsoft's product keys. All else stands for itself.
"""

from dataclasses import dataclass

ALPHABETS = {
    "d": "0123456789",
    "x": "23456789ABCDEFGHJKLMNPQRSTUVWXYZ",
    "h": "0123456789ABCDEF",
    "m": "2346789BCDFGHJKMNPQRTVWXY",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Patterns of the secret and, where the brand prints one, the card number; and whether cards expire."""

    secret: str
    number: str = ""
    expires: bool = False


def _digits(secret: int, number: int = 0, *, expires: bool = False) -> Shape:
    return Shape("d" * secret, "d" * number, expires)


STEAM = Shape("xxxxx-xxxxx-xxxxx")
APPLE = Shape("X" + "x" * 15)
GOOGLE = Shape("xxxx-xxxx-xxxx-xxxx-xxxx")
AMAZON = Shape("xxxx-xxxxxx-xxxx")
PLAYSTATION = Shape("xxxx-xxxx-xxxx", expires=True)
NINTENDO = Shape("xxxx-xxxx-xxxx-xxxx")
PRODUCT_KEY = Shape("mmmmm-mmmmm-mmmmm-mmmmm-mmmmm")
ACTIVATION = Shape("x" * 16, expires=True)
VOUCHER = Shape("KM-xxxx-xxxx-xxxx", expires=True)
RAZER = Shape("dddd-dddd-dddd-dd", "d" * 12, expires=True)

SHAPES = {
    "cmcc": _digits(18, 17, expires=True),
    "cucc": _digits(19, 15, expires=True),
    "ctcc": _digits(18, 19, expires=True),
    "ais-th": _digits(16, expires=True),
    "truemoney-th": _digits(14, expires=True),
    "hotlink-my": _digits(16, expires=True),
    "steam-cn": STEAM,
    "steam-us": STEAM,
    "steam-eu": STEAM,
    "steam-uk": STEAM,
    "steam-hk": STEAM,
    "steam-tw": STEAM,
    "steam-id": STEAM,
    "riot-us": Shape("RA-xxxxxxxxxxxxxxxx"),
    "minecraft": PRODUCT_KEY,
    "psn-us": PLAYSTATION,
    "psn-hk": PLAYSTATION,
    "psn-jp": PLAYSTATION,
    "nintendo-us": NINTENDO,
    "nintendo-jp": NINTENDO,
    "xbox-us": PRODUCT_KEY,
    "game-pass-us": PRODUCT_KEY,
    "genshin-cn": VOUCHER,
    "genshin-global": VOUCHER,
    "starrail-cn": VOUCHER,
    "qq": _digits(12, 9, expires=True),
    "netease": _digits(9, 13, expires=True),
    "shengqu": Shape("d" * 9, "YA" + "d" * 13, expires=True),
    "wanmei": _digits(15, 10, expires=True),
    "junnet": _digits(16, 16, expires=True),
    "razer-gold-us": RAZER,
    "razer-gold-my": RAZER,
    "apple-cn": APPLE,
    "apple-us": APPLE,
    "apple-jp": APPLE,
    "google-play-us": GOOGLE,
    "google-play-jp": GOOGLE,
    "google-play-tw": GOOGLE,
    "amazon-us": AMAZON,
    "amazon-uk": AMAZON,
    "amazon-jp": AMAZON,
    "jd-ecard": Shape("hhhh-hhhh-hhhh-hhhh", "JDV" + "d" * 17, expires=True),
    "sinopec": _digits(20, expires=True),
    "iqiyi-gold": ACTIVATION,
    "tencent-video": ACTIVATION,
    "youku": ACTIVATION,
    "bilibili": ACTIVATION,
    "netease-music": ACTIVATION,
    "microsoft-365": PRODUCT_KEY,
    "windows-11": PRODUCT_KEY,
    "office-2024": PRODUCT_KEY,
    "wps-super": ACTIVATION,
    "baidu-netdisk": ACTIVATION,
    "kaspersky": Shape("xxxxx-xxxxx-xxxxx-xxxxx"),
    "norton-360": Shape("x" * 25),
    "adobe-cc": _digits(24),
}
"""Shapes by product slug; products that aren't named here have no cards."""
