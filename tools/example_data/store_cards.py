"""Gift cards of app stores and shops, and prepaid fuel."""

from .categories import APP_STORE, SHOPPING
from .pricing import gift_cards
from .wares import Product, Text

CN, US, UK = Text("国区", "China"), Text("美区", "US"), Text("英区", "UK")
JP, TW = Text("日区", "Japan"), Text("台区", "Taiwan")


def _apple(
    region: str, name: Text, currency: str, faces: tuple[int, ...], *, cost: str, price: str
) -> Product:
    return Product(
        slug=f"apple-{region}",
        category=APP_STORE,
        title=Text(f"Apple 礼品卡 / App Store 充值卡（{name.zh}）", f"Apple Gift Card ({name.en})"),
        description=Text(
            "打开 App Store，点头像 >「兑换充值卡或代码」，输入以 X 开头的 16 位代码。"
            f"严格锁区，仅限{name.zh} Apple 账户。",
            "In the App Store tap your picture > Redeem Gift Card or Code and enter the 16 characters "
            f"that begin with X. Locked to Apple Accounts of the {name.en} store.",
        ),
        tags=("apple", "app-store", f"region-{region}", *(("hot",) if region == "cn" else ())),
        variants=gift_cards(f"APPLE-{region.upper()}", currency, faces, cost=cost, price=price),
    )


def _google(region: str, name: Text, currency: str, faces: tuple[int, ...]) -> Product:
    return Product(
        slug=f"google-play-{region}",
        category=APP_STORE,
        title=Text(f"Google Play 礼品卡（{name.zh}）", f"Google Play Gift Card ({name.en})"),
        description=Text(
            "在 Google Play 商店点头像 >「付款和订阅 > 兑换代码」，输入代码。"
            f"付款资料所在国家或地区须为{name.zh}，更改地区一年仅限一次。",
            "In the Play Store tap your picture > Payments & subscriptions > Redeem code. The payments "
            f"profile must be in the {name.en} region, which can change once a year.",
        ),
        tags=("google-play", f"region-{region}"),
        variants=gift_cards(f"GPLAY-{region.upper()}", currency, faces, cost="0.95", price="0.981"),
    )


def _amazon(region: str, name: Text, site: str, currency: str, faces: tuple[int, ...]) -> Product:
    return Product(
        slug=f"amazon-{region}",
        category=SHOPPING,
        title=Text(f"亚马逊礼品卡（{name.zh}）", f"Amazon Gift Card ({name.en})"),
        description=Text(
            f"登录 {site}，在「账户 > 礼品卡」输入代码，余额仅限该站点使用，不会过期。",
            f"Sign in at {site} and enter the code under Account > Gift cards. Only for that site; never "
            "expires.",
        ),
        tags=("amazon", f"region-{region}"),
        variants=gift_cards(f"AMAZON-{region.upper()}", currency, faces, cost="0.962", price="0.987"),
    )


def _prepaid(slug: str, name: Text, how: Text, faces: tuple[int, ...], *, cost: str, price: str) -> Product:
    return Product(
        slug=slug,
        category=SHOPPING,
        title=name,
        description=how,
        tags=("prepaid", slug, "region-cn"),
        variants=gift_cards(slug.upper(), "CNY", faces, cost=cost, price=price),
    )


def _fuel(company: Text, app: str) -> Text:
    return Text(
        f"在「{app}」应用或网站绑定加油卡后输入充值密码，到加油站圈存后使用，不设找零。",
        f"Bind a fuel card in {company.en}'s app, enter the password, then load it at a {company.en} "
        "station.",
    )


SINOPEC, PETROCHINA = Text("中国石化", "Sinopec"), Text("中国石油", "PetroChina")

PRODUCTS = (
    _apple("cn", CN, "CNY", (50, 100, 200, 500, 1000), cost="0.968", price="0.986"),
    _apple("us", US, "USD", (10, 25, 50, 100, 200), cost="0.948", price="0.976"),
    _apple("jp", JP, "JPY", (1000, 1500, 3000, 5000, 10000), cost="0.951", price="0.981"),
    _google("us", US, "USD", (10, 25, 50, 100)),
    _google("jp", JP, "JPY", (1500, 3000, 5000, 10000)),
    _google("tw", TW, "TWD", (150, 300, 450, 1000, 3000)),
    _amazon("us", US, "amazon.com", "USD", (10, 25, 50, 100)),
    _amazon("uk", UK, "amazon.co.uk", "GBP", (10, 25, 50, 100)),
    _amazon("jp", JP, "amazon.co.jp", "JPY", (3000, 5000, 10000, 20000)),
    _prepaid(
        "jd-ecard",
        Text("京东 E 卡", "JD E-Card"),
        Text(
            "在京东「我的 > 礼品卡 > 绑定新卡」输入卡密，仅限京东自营商品，有效期 36 个月。",
            "Bind the password under My JD > Gift cards. For goods sold by JD itself; valid for 36 months.",
        ),
        (50, 100, 200, 300, 500, 1000),
        cost="0.972",
        price="0.986",
    ),
    _prepaid(
        "tmall",
        Text("天猫超市卡", "Tmall Supermarket card"),
        Text(
            "在淘宝或天猫搜索「猫超卡」，输入卡密绑定到账户，仅限天猫超市商品。",
            "Search for the card in Taobao or Tmall and bind the password; for Tmall Supermarket goods only.",
        ),
        (50, 100, 200, 500, 1000),
        cost="0.958",
        price="0.975",
    ),
    _prepaid(
        "sinopec",
        Text("中国石化加油卡充值卡", "Sinopec fuel card top-up"),
        _fuel(SINOPEC, "易捷加油"),
        (100, 200, 500, 1000),
        cost="0.968",
        price="0.982",
    ),
    _prepaid(
        "petrochina",
        Text("中国石油昆仑加油卡充值卡", "PetroChina Kunlun fuel card top-up"),
        _fuel(PETROCHINA, "中油好客e站"),
        (100, 200, 500, 1000),
        cost="0.97",
        price="0.984",
    ),
)
