"""Video and music: activation codes by length, and gift cards of foreign services."""

from .categories import MUSIC, VIDEO
from .pricing import gift_cards, months
from .wares import Category, Product, Text, Variant


def _member(
    slug: str,
    category: Category,
    title: Text,
    page: Text,
    variants: tuple[Variant, ...],
    *,
    tags: tuple[str, ...] = (),
) -> Product:
    return Product(
        slug=slug,
        category=category,
        title=title,
        description=Text(
            f"在{page.zh}输入激活码开通，时长可叠加，不会自动续费。激活后不可退换，请在有效期内使用。",
            f"Enter the activation code on {page.en}. Time adds up and does not renew by itself. No refund "
            "once activated; use it before it expires.",
        ),
        tags=("membership", slug, *tags),
        variants=variants,
    )


PRODUCTS = (
    _member(
        "iqiyi-gold",
        VIDEO,
        Text("爱奇艺黄金 VIP 会员", "iQIYI Gold VIP membership"),
        Text("爱奇艺「我的 > 激活码兑换」", "iQIYI's code page (My > Redeem)"),
        months(
            "IQIYI-GOLD", (1, "30", "21.5", "19.8"), (3, "78", "58.9", "55.2"), (12, "258", "188", "178.5")
        ),
        tags=("hot",),
    ),
    _member(
        "tencent-video",
        VIDEO,
        Text("腾讯视频 VIP 会员", "Tencent Video VIP membership"),
        Text("腾讯视频「VIP 会员 > 兑换码」", "Tencent Video's code page (VIP > Redeem)"),
        months("TXVIDEO", (1, "30", "22", "20.3"), (3, "78", "59.8", "56.1"), (12, "258", "192", "182.5")),
        tags=("tencent", "hot"),
    ),
    _member(
        "tencent-video-svip",
        VIDEO,
        Text("腾讯视频 SVIP 会员", "Tencent Video SVIP membership"),
        Text("腾讯视频「VIP 会员 > 兑换码」", "Tencent Video's code page (VIP > Redeem)"),
        months("TXVIDEO-SVIP", (1, "50", "38.5", "36.2"), (12, "488", "358", "342")),
        tags=("tencent", "tv"),
    ),
    _member(
        "youku",
        VIDEO,
        Text("优酷 VIP 会员", "Youku VIP membership"),
        Text("优酷「会员 > 会员卡兑换」", "Youku's code page (Membership > Redeem)"),
        months("YOUKU", (1, "30", "18.8", "17.1"), (3, "78", "49.9", "46.5"), (12, "258", "158", "149")),
    ),
    _member(
        "bilibili",
        VIDEO,
        Text("哔哩哔哩大会员", "bilibili Premium membership"),
        Text("哔哩哔哩「大会员 > 激活码兑换」", "bilibili's code page (Premium > Redeem)"),
        months("BILIBILI", (1, "25", "19.9", "18.4"), (3, "68", "53.8", "50.6"), (12, "168", "148", "141.5")),
    ),
    _member(
        "mgtv",
        VIDEO,
        Text("芒果 TV 会员", "Mango TV membership"),
        Text("芒果 TV「我的 > 卡券兑换」", "Mango TV's code page (My > Redeem)"),
        months("MGTV", (1, "25", "17.5", "16.1"), (3, "68", "48.8", "45.6"), (12, "248", "148", "139")),
    ),
    Product(
        slug="netflix-us",
        category=VIDEO,
        title=Text("Netflix 礼品卡（美区）", "Netflix Gift Card (US)"),
        description=Text(
            "登录 netflix.com/redeem 输入卡密，余额按月抵扣订阅费。仅限美元结算的账户。",
            "Enter the PIN at netflix.com/redeem; the balance pays the plan month by month. For accounts "
            "billed in US dollars.",
        ),
        tags=("netflix", "region-us"),
        variants=gift_cards("NETFLIX-US", "USD", (25, 30, 50, 100), cost="0.952", price="0.986"),
    ),
    _member(
        "netease-music",
        MUSIC,
        Text("网易云音乐黑胶 VIP", "NetEase Cloud Music Vinyl VIP"),
        Text("网易云音乐「我的客服 > 兑换码」", "NetEase Cloud Music's code page"),
        months("NCM", (1, "18", "12.8", "11.7"), (3, "48", "34.9", "32.4"), (12, "168", "128", "121.5")),
    ),
    _member(
        "qq-music",
        MUSIC,
        Text("QQ 音乐豪华绿钻", "QQ Music Green Diamond membership"),
        Text("QQ 音乐「会员中心 > 兑换码」", "QQ Music's code page (Membership > Redeem)"),
        months("QQMUSIC", (1, "18", "13.2", "12.1"), (3, "50", "37.5", "35"), (12, "168", "132", "125.5")),
        tags=("tencent",),
    ),
    Product(
        slug="spotify-us",
        category=MUSIC,
        title=Text("Spotify Premium 礼品卡（美区）", "Spotify Premium Gift Card (US)"),
        description=Text(
            "登录 spotify.com/redeem 输入代码，开通个人版 Premium。仅限美国地区账户，不适用于家庭和学生版。",
            "Enter the code at spotify.com/redeem for Premium Individual. US accounts only; not for "
            "Family or Student.",
        ),
        tags=("spotify", "region-us"),
        variants=gift_cards("SPOTIFY-US", "USD", (10, 30, 60), cost="0.945", price="0.98"),
    ),
)
