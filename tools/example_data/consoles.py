"""PlayStation, Nintendo and Xbox: store credit and memberships."""

from decimal import Decimal

from .categories import CONSOLE
from .pricing import gift_cards, worth
from .wares import Product, Text

US, HK, JP = Text("美服", "US"), Text("港服", "Hong Kong"), Text("日服", "Japan")


def _playstation(region: str, name: Text, currency: str, faces: tuple[int, ...]) -> Product:
    return Product(
        slug=f"psn-{region}",
        category=CONSOLE,
        title=Text(f"PlayStation Store 礼品卡（{name.zh}）", f"PlayStation Store Gift Card ({name.en})"),
        description=Text(
            "在主机或网页的 PlayStation Store 选择「兑换代码」，输入 12 位代码。"
            f"严格锁区，仅限{name.zh}账户；可购买游戏和 PlayStation Plus。",
            "Choose Redeem Code in PlayStation Store, on the console or the web, and enter the 12 "
            f"characters. Region-locked to {name.en} accounts; buys games and PlayStation Plus.",
        ),
        tags=("playstation", "psn", f"region-{region}"),
        variants=gift_cards(f"PSN-{region.upper()}", currency, faces, cost="0.953", price="0.984"),
    )


def _eshop(region: str, name: Text, currency: str, faces: tuple[int, ...]) -> Product:
    return Product(
        slug=f"nintendo-{region}",
        category=CONSOLE,
        title=Text(f"任天堂 eShop 预付卡（{name.zh}）", f"Nintendo eShop Card ({name.en})"),
        description=Text(
            f"在 Nintendo eShop 选择「兑换代码」，输入 16 位代码。账户所在地须为{name.zh}对应地区。",
            "Choose Enter Code in Nintendo eShop and enter the 16 characters. The account's country must "
            f"be that of the {name.en} shop.",
        ),
        tags=("nintendo", "eshop", f"region-{region}"),
        variants=gift_cards(f"ESHOP-{region.upper()}", currency, faces, cost="0.955", price="0.985"),
    )


PRODUCTS = (
    _playstation("us", US, "USD", (10, 20, 25, 50, 100)),
    _playstation("hk", HK, "HKD", (80, 160, 200, 400, 500)),
    _playstation("jp", JP, "JPY", (1100, 3000, 5000, 10000)),
    _eshop("us", US, "USD", (10, 20, 35, 50, 70)),
    _eshop("jp", JP, "JPY", (1000, 2000, 3000, 5000, 9000)),
    Product(
        slug="nintendo-online-us",
        category=CONSOLE,
        title=Text("Nintendo Switch Online 会员（美服）", "Nintendo Switch Online Membership (US)"),
        description=Text(
            "在 Nintendo eShop 输入代码，会员时间可叠加。国行主机不可用。",
            "Enter the code in Nintendo eShop; time adds up. Not for mainland China consoles.",
        ),
        tags=("nintendo", "membership", "region-us"),
        variants=tuple(
            worth(f"NSO-US-{sku}", title, Decimal(face), "USD", cost="0.94", price="0.975")
            for sku, title, face in (
                ("3M", Text("个人 3 个月", "Individual, 3 months"), "7.99"),
                ("12M", Text("个人 12 个月", "Individual, 12 months"), "19.99"),
                ("FAMILY-12M", Text("家庭 12 个月", "Family, 12 months"), "34.99"),
            )
        ),
    ),
    Product(
        slug="xbox-us",
        category=CONSOLE,
        title=Text("Xbox 礼品卡（美服）", "Xbox Gift Card (US)"),
        description=Text(
            "登录 redeem.microsoft.com 输入 25 位代码，余额用于 Xbox 和微软商店。仅限美国地区账户。",
            "Sign in at redeem.microsoft.com and enter the 25 characters; pays in the Xbox and Microsoft "
            "stores. US accounts only.",
        ),
        tags=("xbox", "microsoft", "region-us"),
        variants=gift_cards("XBOX-US", "USD", (10, 15, 25, 50, 100), cost="0.95", price="0.982"),
    ),
    Product(
        slug="game-pass-us",
        category=CONSOLE,
        title=Text("Xbox Game Pass Ultimate（美服）", "Xbox Game Pass Ultimate (US)"),
        description=Text(
            "登录 redeem.microsoft.com 输入 25 位代码开通或续期。仅限美国地区账户，总时长最多累计 36 个月。",
            "Sign in at redeem.microsoft.com to start or extend. US accounts only; at most 36 months can "
            "be stacked.",
        ),
        tags=("xbox", "game-pass", "membership", "region-us"),
        variants=(
            worth(
                "XGPU-US-1M", Text("1 个月", "1 month"), Decimal("29.99"), "USD", cost="0.86", price="0.92"
            ),
            worth(
                "XGPU-US-3M", Text("3 个月", "3 months"), Decimal("89.99"), "USD", cost="0.84", price="0.9"
            ),
        ),
    ),
)
