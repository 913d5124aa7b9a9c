"""Phone credit: the four mainland carriers and prepaid airtime of other countries."""

from decimal import Decimal

from .categories import MOBILE, OVERSEAS
from .pricing import gift_cards
from .wares import Product, Text, Variant


def _credit(prefix: str, *rows: tuple[int, str, str]) -> tuple[Variant, ...]:
    """Face value, price and cost in CNY: carriers give each denomination a discount of its own."""
    return tuple(
        Variant(
            f"{prefix}-{face}",
            Text(f"{face} 元", f"{face} CNY"),
            Decimal(face),
            "CNY",
            Decimal(price),
            Decimal(cost),
        )
        for face, price, cost in rows
    )


def _carrier(
    slug: str, prefix: str, name: Text, hotline: str, *rows: tuple[int, str, str], tags: tuple[str, ...] = ()
) -> Product:
    return Product(
        slug=slug,
        category=MOBILE,
        title=name + Text("话费充值卡", "top-up card"),
        description=Text(
            f"全国通用，拨打 {hotline} 或在{name.zh}网上营业厅按提示输入卡号和密码充值。"
            "支持携号转网用户，请按当前服务运营商选购；充值后不可退换。",
            f"For any mainland number of {name.en}: dial {hotline} or use its online service hall and "
            "enter card number and password. Ported numbers: choose the present carrier. No refund once "
            "redeemed.",
        ),
        tags=("topup", prefix.lower(), *tags),
        variants=_credit(prefix, *rows),
    )


def _airtime(
    slug: str, name: Text, country: Text, how: Text, currency: str, faces: tuple[int, ...], *, region: str
) -> Product:
    return Product(
        slug=slug,
        category=OVERSEAS,
        title=name,
        description=how
        + Text(
            f"仅限{country.zh}号码，面值为当地货币。",
            f"Only for numbers in {country.en}; the face value is in local currency.",
        ),
        tags=("airtime", f"region-{region}"),
        variants=gift_cards(slug.upper(), currency, faces, cost="0.952", price="0.989"),
    )


PRODUCTS = (
    _carrier(
        "cmcc",
        "CMCC",
        Text("中国移动", "China Mobile"),
        "10086",
        (10, "9.98", "9.925"),
        (20, "19.95", "19.84"),
        (30, "29.9", "29.73"),
        (50, "49.75", "49.45"),
        (100, "99.3", "98.65"),
        (200, "198.4", "197.1"),
        (300, "297.3", "295.35"),
        (500, "494.5", "491.5"),
        tags=("hot",),
    ),
    _carrier(
        "cucc",
        "CUCC",
        Text("中国联通", "China Unicom"),
        "10010",
        (10, "9.97", "9.9"),
        (20, "19.92", "19.78"),
        (30, "29.85", "29.64"),
        (50, "49.7", "49.3"),
        (100, "99", "98.2"),
        (200, "197.8", "196.2"),
        (300, "296.4", "294"),
        (500, "492.5", "488.5"),
        tags=("hot",),
    ),
    _carrier(
        "ctcc",
        "CTCC",
        Text("中国电信", "China Telecom"),
        "10000",
        (10, "9.97", "9.895"),
        (20, "19.92", "19.76"),
        (30, "29.85", "29.61"),
        (50, "49.65", "49.2"),
        (100, "98.9", "98"),
        (200, "197.4", "195.6"),
        (300, "295.8", "293.1"),
        (500, "491", "486.5"),
        tags=("hot",),
    ),
    _carrier(
        "cbn",
        "CBN",
        Text("中国广电", "China Broadnet"),
        "10099",
        (30, "29.9", "29.7"),
        (50, "49.8", "49.5"),
        (100, "99.5", "98.9"),
        (200, "198.8", "197.6"),
    ),
    _airtime(
        "ais-th",
        Text("泰国 AIS One-2-Call 充值卡", "AIS One-2-Call refill (Thailand)"),
        Text("泰国", "Thailand"),
        Text("拨打 *120*充值码#，或在 myAIS 应用内充值。", "Dial *120*PIN# or refill in the myAIS app."),
        "THB",
        (50, 100, 300, 500),
        region="th",
    ),
    _airtime(
        "truemoney-th",
        Text("泰国 TrueMoney 充值卡", "TrueMoney cash card (Thailand)"),
        Text("泰国", "Thailand"),
        Text(
            "在 TrueMoney 应用内输入 14 位卡密，可用于 TrueMove H 话费和游戏。",
            "Enter the 14-digit PIN in the TrueMoney app; pays for TrueMove H airtime and games.",
        ),
        "THB",
        (50, 90, 150, 300, 500, 1000),
        region="th",
    ),
    _airtime(
        "hotlink-my",
        Text("马来西亚 Maxis Hotlink 充值卡", "Maxis Hotlink reload (Malaysia)"),
        Text("马来西亚", "Malaysia"),
        Text("拨打 *111*充值码#，或在 Hotlink 应用内充值。", "Dial *111*PIN# or reload in the Hotlink app."),
        "MYR",
        (10, 30, 50, 100),
        region="my",
    ),
    _airtime(
        "globe-ph",
        Text("菲律宾 Globe 预付费充值卡", "Globe prepaid load (Philippines)"),
        Text("菲律宾", "the Philippines"),
        Text("在 GlobeOne 应用内输入充值码，或拨打 223。", "Enter the PIN in the GlobeOne app or dial 223."),
        "PHP",
        (100, 300, 500, 1000),
        region="ph",
    ),
    _airtime(
        "smart-ph",
        Text("菲律宾 Smart 预付费充值卡", "Smart prepaid load (Philippines)"),
        Text("菲律宾", "the Philippines"),
        Text("拨打 1510 并按语音提示输入充值码。", "Dial 1510 and enter the PIN when asked."),
        "PHP",
        (100, 300, 500, 1000),
        region="ph",
    ),
    _airtime(
        "tmobile-us",
        Text("美国 T-Mobile 预付费充值卡", "T-Mobile prepaid refill (US)"),
        Text("美国", "the United States"),
        Text(
            "拨打 *ADD（*233），或在 T-Mobile 网站的预付费页面输入充值码。",
            "Dial *ADD (*233) or enter the PIN on T-Mobile's prepaid page.",
        ),
        "USD",
        (10, 25, 50, 100),
        region="us",
    ),
    _airtime(
        "cmhk",
        Text("中国移动香港储值卡增值券", "China Mobile Hong Kong recharge voucher"),
        Text("中国香港", "Hong Kong"),
        Text(
            "在 MyLink 应用或网站输入增值密码。",
            "Enter the voucher's password in the MyLink app or on its site.",
        ),
        "HKD",
        (50, 100),
        region="hk",
    ),
)
