"""Licence keys and subscriptions: office, storage, security, development and design."""

from .categories import CREATIVE, OFFICE, SECURITY
from .pricing import months, plan
from .wares import Category, Product, Text, Variant


def _software(
    slug: str,
    category: Category,
    title: Text,
    description: Text,
    *variants: Variant,
    tags: tuple[str, ...] = (),
) -> Product:
    return Product(slug, category, title, description, ("software", slug, *tags), variants)


YEAR = Text("1 年", "1 year")

PRODUCTS = (
    _software(
        "microsoft-365",
        OFFICE,
        Text("Microsoft 365 订阅（国区）", "Microsoft 365 subscription (China)"),
        Text(
            "登录 microsoft365.com/setup 输入 25 位密钥，含 Word、Excel、PowerPoint 和 1 TB OneDrive。"
            "个人版 1 人，家庭版最多 6 人；时长可叠加。",
            "Enter the 25-character key at microsoft365.com/setup: Word, Excel, PowerPoint and 1 TB of "
            "OneDrive. Personal for one, Family for up to six; time adds up.",
        ),
        plan("M365-PERSONAL-12M", Text("个人版 12 个月", "Personal, 12 months"), "398", "258", "241.5"),
        plan("M365-FAMILY-12M", Text("家庭版 12 个月", "Family, 12 months"), "498", "318", "299"),
        tags=("microsoft", "office", "hot"),
    ),
    _software(
        "windows-11",
        OFFICE,
        Text("Windows 11 激活密钥", "Windows 11 licence key"),
        Text(
            "在「设置 > 系统 > 激活 > 更改产品密钥」输入 25 位密钥。一机一码，版本须与系统一致。",
            "Enter the 25-character key under Settings > System > Activation > Change product key. One PC "
            "a key; the edition must match.",
        ),
        plan("WIN11-HOME", Text("家庭版", "Home"), "139.00", "828", "775", currency="USD"),
        plan("WIN11-PRO", Text("专业版", "Pro"), "199.99", "1188", "1120", currency="USD"),
        tags=("microsoft", "windows", "hot"),
    ),
    _software(
        "office-2024",
        OFFICE,
        Text("Microsoft Office 2024 永久授权", "Microsoft Office 2024 licence"),
        Text(
            "登录 setup.office.com 输入 25 位密钥并绑定微软账户，一次购买，可用于一台 PC 或 Mac。",
            "Enter the 25-character key at setup.office.com to bind it to a Microsoft account. One-time "
            "purchase for one PC or Mac.",
        ),
        plan("OFFICE24-HOME", Text("家庭版", "Home"), "149.99", "838", "789.5", currency="USD"),
        plan(
            "OFFICE24-BUSINESS",
            Text("小型企业版", "Home & Business"),
            "249.99",
            "1458",
            "1379",
            currency="USD",
        ),
        tags=("microsoft", "office"),
    ),
    _software(
        "wps-super",
        OFFICE,
        Text("WPS 超级会员", "WPS Super membership"),
        Text(
            "登录 WPS 账户，在「会员中心 > 兑换码」输入激活码，电脑和手机通用。",
            "Sign in to WPS and enter the code under Membership > Redeem; works on desktop and phone.",
        ),
        *months("WPS", (1, "30", "21.8", "19.9"), (3, "78", "55.9", "52"), (12, "148", "118", "110.5")),
        tags=("office", "membership"),
    ),
    _software(
        "baidu-netdisk",
        OFFICE,
        Text("百度网盘超级会员 SVIP", "Baidu Netdisk SVIP membership"),
        Text(
            "登录 pan.baidu.com，在「会员中心 > 兑换码」输入激活码，含 5 TB 空间和极速下载。",
            "Sign in at pan.baidu.com and enter the code under Membership > Redeem: 5 TB of space and "
            "full speed.",
        ),
        *months("BDPAN", (1, "30", "24.5", "22.9"), (3, "88", "69.8", "66"), (12, "298", "238", "228")),
        tags=("storage", "membership", "hot"),
    ),
    _software(
        "kaspersky",
        SECURITY,
        Text("卡巴斯基安全软件", "Kaspersky security"),
        Text(
            "安装后输入 20 位激活码，自首次激活起计算一年。请在标注地区激活；美国已停止销售和更新。",
            "Install and enter the 20-character activation code; the year starts then. Activate in the "
            "region of sale; no sales or updates in the United States.",
        ),
        plan("KASP-STD-1Y", Text("标准版 1 台 1 年", "Standard, 1 device, 1 year"), "98", "65", "58.5"),
        plan("KASP-PLUS-1Y", Text("优选版 1 台 1 年", "Plus, 1 device, 1 year"), "158", "99", "91"),
        plan("KASP-PREM-1Y", Text("尊享版 1 台 1 年", "Premium, 1 device, 1 year"), "228", "139", "128.5"),
        tags=("antivirus",),
    ),
    _software(
        "norton-360",
        SECURITY,
        Text("诺顿 Norton 360", "Norton 360"),
        Text(
            "登录 norton.com/setup 输入 25 位产品密钥，部分地区注册时需添加付款方式，可随时关闭续费。",
            "Enter the 25-character product key at norton.com/setup. Some countries ask for a payment "
            "method, whose renewal can be turned off.",
        ),
        plan(
            "NORTON-STD-1Y",
            Text("标准版 1 台 1 年", "Standard, 1 device"),
            "94.99",
            "98",
            "89.5",
            currency="USD",
        ),
        plan(
            "NORTON-DLX-1Y",
            Text("豪华版 5 台 1 年", "Deluxe, 5 devices"),
            "124.99",
            "138",
            "127",
            currency="USD",
        ),
        tags=("antivirus",),
    ),
    _software(
        "bitdefender",
        SECURITY,
        Text("Bitdefender 全方位安全软件", "Bitdefender Total Security"),
        Text(
            "登录 central.bitdefender.com，在「我的订阅 > 用代码激活」输入激活码。",
            "Sign in at central.bitdefender.com and enter the code under My Subscriptions > Activate with "
            "code.",
        ),
        plan(
            "BITDEF-TS-5D-1Y", Text("5 台 1 年", "5 devices, 1 year"), "109.99", "148", "136", currency="USD"
        ),
        tags=("antivirus",),
    ),
    _software(
        "nordvpn",
        SECURITY,
        Text("NordVPN 订阅", "NordVPN subscription"),
        Text(
            "登录 my.nordaccount.com/activate 输入激活码。仅供境外用户使用，中国大陆不适用。",
            "Enter the code at my.nordaccount.com/activate. For users outside mainland China only.",
        ),
        plan("NORDVPN-1M", Text("1 个月", "1 month"), "12.99", "78", "71.5", currency="USD"),
        plan("NORDVPN-1Y", YEAR, "59.88", "388", "365", currency="USD"),
        tags=("vpn", "region-global"),
    ),
    _software(
        "jetbrains",
        CREATIVE,
        Text("JetBrains 个人订阅", "JetBrains personal subscription"),
        Text(
            "登录 account.jetbrains.com，在「兑换激活码」输入代码，首年订阅，含该期间的版本授权。",
            "Sign in at account.jetbrains.com and redeem the code: the first year, with the versions of "
            "that time.",
        ),
        plan(
            "JB-ALL-1Y",
            Text("All Products Pack 1 年", "All Products Pack, 1 year"),
            "289",
            "1868",
            "1785",
            currency="USD",
        ),
        plan(
            "JB-IDEA-1Y",
            Text("IntelliJ IDEA Ultimate 1 年", "IntelliJ IDEA Ultimate, 1 year"),
            "169",
            "1098",
            "1045",
            currency="USD",
        ),
        plan(
            "JB-PYCHARM-1Y",
            Text("PyCharm Pro 1 年", "PyCharm Pro, 1 year"),
            "99",
            "648",
            "612",
            currency="USD",
        ),
        plan("JB-WEBSTORM-1Y", Text("WebStorm 1 年", "WebStorm, 1 year"), "69", "458", "430", currency="USD"),
        tags=("developer",),
    ),
    _software(
        "adobe-cc",
        CREATIVE,
        Text("Adobe Creative Cloud 订阅", "Adobe Creative Cloud subscription"),
        Text(
            "登录 redeem.adobe.com 输入 24 位代码，时长可叠加。账户所在地区须与代码一致（美区）。",
            "Enter the 24-digit code at redeem.adobe.com; time adds up. The account must be in the region "
            "of the code (US).",
        ),
        plan(
            "ADOBE-ALL-12M",
            Text("全部应用 12 个月", "All Apps, 12 months"),
            "659.88",
            "3980",
            "3820",
            currency="USD",
        ),
        plan(
            "ADOBE-PHOTO-12M",
            Text("摄影计划 1 TB 12 个月", "Photography 1 TB, 12 months"),
            "239.88",
            "1380",
            "1305",
            currency="USD",
        ),
        plan(
            "ADOBE-ACROBAT-12M",
            Text("Acrobat Pro 12 个月", "Acrobat Pro, 12 months"),
            "239.88",
            "1298",
            "1228",
            currency="USD",
        ),
        tags=("adobe", "design", "region-us"),
    ),
)
