"""Point cards: number and password, the oldest goods of the trade, and Razer Gold."""

from .categories import POINTS
from .pricing import gift_cards
from .wares import Product, Text


def _one_card(
    slug: str,
    name: Text,
    where: Text,
    faces: tuple[int, ...],
    *,
    cost: str,
    price: str,
    tags: tuple[str, ...] = (),
) -> Product:
    return Product(
        slug=slug,
        category=POINTS,
        title=name,
        description=where
        + Text(
            "请选择与卡面一致的面额，面额不符可能损失余额；充值后不可退换。",
            "Choose the amount printed on the card: a different one may lose the rest. No refund once "
            "redeemed.",
        ),
        tags=("point-card", slug, *tags),
        variants=gift_cards(slug.upper(), "CNY", faces, cost=cost, price=price),
    )


def _razer(region: str, name: Text, currency: str, faces: tuple[int, ...]) -> Product:
    return Product(
        slug=f"razer-gold-{region}",
        category=POINTS,
        title=Text(f"雷蛇 Razer Gold 点卡（{name.zh}）", f"Razer Gold PIN ({name.en})"),
        description=Text(
            f"登录 gold.razer.com，选择 Razer Gold PIN 并输入序列号和密码。仅限{name.zh}账户。",
            "Sign in at gold.razer.com, choose Razer Gold PIN and enter serial number and PIN. "
            f"{name.en} accounts only.",
        ),
        tags=("razer-gold", "wallet", f"region-{region}"),
        variants=gift_cards(f"RAZER-{region.upper()}", currency, faces, cost="0.951", price="0.98"),
    )


PRODUCTS = (
    _one_card(
        "qq",
        Text("腾讯 QQ 卡（Q币）", "Tencent QQ card (Q Coins)"),
        Text(
            "在 pay.qq.com 选择 QQ 卡，输入 9 位卡号、12 位密码和 QQ 号，1 元兑 1 Q币。",
            "Choose QQ card at pay.qq.com and enter the 9-digit number, the 12-digit password and the QQ "
            "account; 1 CNY is 1 Q Coin.",
        ),
        (5, 10, 15, 30, 60, 100, 200),
        cost="0.946",
        price="0.968",
        tags=("tencent", "hot"),
    ),
    _one_card(
        "netease",
        Text("网易一卡通", "NetEase card"),
        Text(
            "在网易充值中心输入 13 位卡号和 9 位密码，1 元兑 10 点，适用于网易旗下游戏。",
            "Enter the 13-digit number and the 9-digit password in NetEase's top-up centre; 1 CNY is 10 "
            "points for NetEase games.",
        ),
        (5, 10, 15, 20, 30, 50),
        cost="0.94",
        price="0.965",
    ),
    _one_card(
        "shengqu",
        Text("盛趣游戏一卡通（原盛大）", "Shengqu Games card (formerly Shanda)"),
        Text(
            "在盛趣充值中心输入 15 位卡号和 9 位密码，适用于盛趣旗下游戏。",
            "Enter the 15-character number and the 9-digit password in Shengqu's top-up centre, for its "
            "games.",
        ),
        (5, 10, 30, 35, 45, 100, 350),
        cost="0.935",
        price="0.962",
    ),
    _one_card(
        "wanmei",
        Text("完美一卡通", "Perfect World card"),
        Text(
            "在完美世界充值中心输入 10 位卡号和 15 位密码，适用于完美世界旗下游戏。",
            "Enter the 10-digit number and the 15-digit password in Perfect World's top-up centre, for "
            "its games.",
        ),
        (15, 30, 50, 100),
        cost="0.935",
        price="0.96",
    ),
    _one_card(
        "junnet",
        Text("骏网一卡通", "Junnet card"),
        Text(
            "在游戏厂商的充值页面选择骏网一卡通，输入 16 位卡号和 16 位密码，支持多家厂商。",
            "Choose Junnet card on a game publisher's top-up page and enter the 16-digit number and "
            "password; taken by many publishers.",
        ),
        (5, 6, 10, 15, 20, 30, 50, 100),
        cost="0.925",
        price="0.952",
        tags=("hot",),
    ),
    _one_card(
        "giant",
        Text("巨人一卡通（征途卡）", "Giant card (Zhengtu card)"),
        Text(
            "在巨人充值中心输入 16 位卡号和 8 位密码，适用于巨人网络旗下游戏。",
            "Enter the 16-digit number and the 8-digit password in Giant's top-up centre, for its games.",
        ),
        (10, 15, 30, 50, 100, 300),
        cost="0.93",
        price="0.958",
    ),
    _one_card(
        "changyou",
        Text("畅游一卡通（搜狐）", "Changyou card (Sohu)"),
        Text(
            "在畅游充值中心输入卡号和密码，适用于畅游旗下游戏。",
            "Enter number and password in Changyou's top-up centre, for its games.",
        ),
        (5, 10, 15, 30, 40, 100),
        cost="0.93",
        price="0.958",
    ),
    _razer("us", Text("美区", "US"), "USD", (5, 10, 20, 50, 100)),
    _razer("my", Text("马来西亚区", "Malaysia"), "MYR", (10, 20, 50, 100)),
)
