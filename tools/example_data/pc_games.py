"""Wallets and gift cards of PC game platforms."""

from decimal import Decimal

from .categories import PC
from .pricing import gift_cards, worth
from .wares import Product, Text


def _steam(
    region: str, name: Text, currency: str, faces: tuple[int, ...], *, cost: str, price: str
) -> Product:
    return Product(
        slug=f"steam-{region}",
        category=PC,
        title=Text(f"Steam 钱包充值码（{name.zh}）", f"Steam Wallet Code ({name.en})"),
        description=Text(
            "登录 Steam，进入「账户 > 为我的钱包充值 > 兑换 Steam 礼物卡或钱包充值码」，输入 15 位充值码。"
            f"建议仅用于{name.zh}账户：其他币种的钱包可能按汇率换算或被拒绝。",
            "Sign in to Steam and enter the 15-character code under Account > Add funds > Redeem a Steam "
            f"gift card or wallet code. Meant for {name.en} accounts: a wallet in another currency may "
            "convert or refuse it.",
        ),
        tags=("steam", "wallet", f"region-{region}", *(("hot",) if region in {"cn", "us"} else ())),
        variants=gift_cards(f"STEAM-{region.upper()}", currency, faces, cost=cost, price=price),
    )


STEAM = (
    _steam("cn", Text("国区", "China"), "CNY", (50, 100, 200, 500), cost="0.958", price="0.978"),
    _steam("us", Text("美区", "US"), "USD", (5, 10, 20, 50, 100), cost="0.955", price="0.982"),
    _steam("eu", Text("欧元区", "euro area"), "EUR", (5, 10, 20, 50, 100), cost="0.952", price="0.984"),
    _steam("uk", Text("英区", "UK"), "GBP", (5, 10, 20, 50), cost="0.95", price="0.984"),
    _steam("hk", Text("港区", "Hong Kong"), "HKD", (50, 100, 200, 500), cost="0.953", price="0.98"),
    _steam("tw", Text("台区", "Taiwan"), "TWD", (200, 500, 1000), cost="0.95", price="0.983"),
    _steam(
        "id",
        Text("印尼区", "Indonesia"),
        "IDR",
        (12000, 45000, 60000, 90000, 120000, 250000, 400000, 600000),
        cost="0.945",
        price="0.98",
    ),
)

PRODUCTS = (
    *STEAM,
    Product(
        slug="battlenet-us",
        category=PC,
        title=Text("战网充值卡（美区）", "Battle.net Gift Card (US)"),
        description=Text(
            "在战网网页「账户 > 兑换代码」输入卡密，余额可购买游戏、月卡和道具。仅限美区账户。",
            "Redeem under Account > Redeem a code on battle.net; pays for games, game time and items. "
            "US accounts only.",
        ),
        tags=("battlenet", "wallet", "region-us"),
        variants=gift_cards("BNET-US", "USD", (20, 50, 100), cost="0.955", price="0.986"),
    ),
    Product(
        slug="riot-us",
        category=PC,
        title=Text(
            "拳头游戏充值卡（美区，无畏契约/英雄联盟）",
            "Riot Games Gift Card (US, VALORANT and LoL)",
        ),
        description=Text(
            "在游戏商店选择「预付卡与代码」并输入卡密，发放 VP 或 RP。仅限美区账户，国服不可用。",
            "Choose prepaid cards and codes in the game's store; credits VP or RP. US accounts only, not "
            "for the mainland servers.",
        ),
        tags=("riot", "valorant", "lol", "region-us"),
        variants=gift_cards("RIOT-US", "USD", (10, 25, 50, 100), cost="0.948", price="0.985"),
    ),
    Product(
        slug="roblox-us",
        category=PC,
        title=Text("Roblox 礼品卡（美区）", "Roblox Gift Card (US)"),
        description=Text(
            "登录 roblox.com/redeem 输入代码，转入账户余额后可兑换 Robux 或 Premium 会员。",
            "Sign in at roblox.com/redeem and enter the code; the credit buys Robux or a Premium membership.",
        ),
        tags=("roblox", "region-us"),
        variants=gift_cards("ROBLOX-US", "USD", (10, 25, 50, 100), cost="0.946", price="0.981"),
    ),
    Product(
        slug="minecraft",
        category=PC,
        title=Text("我的世界国际版（Minecraft）", "Minecraft"),
        description=Text(
            "登录微软账户后在 minecraft.net/redeem 输入 25 位代码。国际版与网易代理的中国版不互通。",
            "Sign in with a Microsoft account and enter the 25-character code at minecraft.net/redeem. "
            "Not for the mainland edition.",
        ),
        tags=("minecraft", "microsoft"),
        variants=tuple(
            worth(sku, title, Decimal(face), "USD", cost="0.93", price="0.972")
            for sku, title, face in (
                ("MC-COINS-1720", Text("1720 Minecoins", "1,720 Minecoins"), "9.99"),
                ("MC-COINS-3500", Text("3500 Minecoins", "3,500 Minecoins"), "19.99"),
                ("MC-JAVA-BEDROCK", Text("Java 版与基岩版（PC）", "Java & Bedrock Edition for PC"), "29.99"),
            )
        ),
    ),
)
