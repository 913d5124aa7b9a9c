"""Currency of mobile games, sold in the packs of the games' own shops."""

from decimal import Decimal

from .categories import MOBILE_GAME
from .pricing import worth
from .wares import Product, Text

PACKS = ((60, 0), (300, 30), (980, 110), (1980, 260), (3280, 600), (6480, 1600))
"""Crystals bought and given on top: the same six packs in every HoYoverse game."""

CNY_FACES = ("6", "30", "98", "198", "328", "648")
USD_FACES = ("0.99", "4.99", "14.99", "29.99", "49.99", "99.99")


def _hoyoverse(
    slug: str,
    game: Text,
    unit: Text,
    monthly: Text,
    *,
    currency: str,
    where: Text,
) -> Product:
    faces = CNY_FACES if currency == "CNY" else USD_FACES
    prefix = slug.upper()
    rows = [
        (
            f"{prefix}-{bought}",
            Text(
                f"{unit.zh} {bought}" + (f"+{given}" if given else ""),
                f"{bought:,}" + (f" + {given:,}" if given else "") + f" {unit.en}",
            ),
            face,
        )
        for (bought, given), face in zip(PACKS, faces, strict=True)
    ]
    rows.append((f"{prefix}-MONTHLY", monthly, faces[1]))
    return Product(
        slug=slug,
        category=MOBILE_GAME,
        title=Text(f"{game.zh} {unit.zh}（{where.zh}）", f"{game.en} {unit.en} ({where.en})"),
        description=Text(
            f"收到取货码后，在充值页填写{where.zh} UID 和服务器即可到账。"
            "不需要账号密码；各服务器不互通，到账后不可退换。",
            f"Enter the voucher, your UID and your server on the top-up page; for the {where.en}. "
            "No password needed; servers are separate, and there is no refund after delivery.",
        ),
        tags=("hoyoverse", slug.split("-")[0], "region-cn" if currency == "CNY" else "region-global"),
        variants=tuple(
            worth(sku, title, Decimal(face), currency, cost="0.945", price="0.968")
            for sku, title, face in rows
        ),
    )


MAINLAND, GLOBAL = Text("国服", "mainland servers"), Text("国际服", "global servers")
GENSHIN, CRYSTAL = Text("原神", "Genshin Impact"), Text("创世结晶", "Genesis Crystals")
WELKIN = Text("空月祝福", "Blessing of the Welkin Moon")

PRODUCTS = (
    _hoyoverse("genshin-cn", GENSHIN, CRYSTAL, WELKIN, currency="CNY", where=MAINLAND),
    _hoyoverse("genshin-global", GENSHIN, CRYSTAL, WELKIN, currency="USD", where=GLOBAL),
    _hoyoverse(
        "starrail-cn",
        Text("崩坏：星穹铁道", "Honkai: Star Rail"),
        Text("古老梦华", "Oneiric Shards"),
        Text("列车补给凭证", "Express Supply Pass"),
        currency="CNY",
        where=MAINLAND,
    ),
    _hoyoverse(
        "zenless-cn",
        Text("绝区零", "Zenless Zone Zero"),
        Text("菲林底片", "Monochrome"),
        Text("绳网会员", "Inter-Knot Membership"),
        currency="CNY",
        where=MAINLAND,
    ),
    Product(
        slug="pubgm-global",
        category=MOBILE_GAME,
        title=Text("PUBG Mobile UC（国际服）", "PUBG Mobile UC (global)"),
        description=Text(
            "在官方兑换中心输入角色 ID 和兑换码，UC 即时到账。国际服专用，不适用于和平精英。",
            "Enter player ID and code in the official redemption centre; UC arrive at once. Global "
            "version only.",
        ),
        tags=("pubg-mobile", "region-global"),
        variants=tuple(
            worth(
                f"PUBGM-{amount}",
                Text(f"{amount} UC", f"{amount:,} UC"),
                Decimal(face),
                "USD",
                cost="0.9",
                price="0.938",
            )
            for amount, face in zip(
                (60, 325, 660, 1800, 3850, 8100),
                ("0.99", "4.99", "9.99", "24.99", "49.99", "99.99"),
                strict=True,
            )
        ),
    ),
)
