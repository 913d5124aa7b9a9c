"""The demo shop's category tree: its roots and its leaves."""

from .wares import Category, Text

ROOTS = {
    "topup": Text("话费充值", "Phone top-up"),
    "game": Text("游戏", "Games"),
    "store": Text("礼品卡", "Gift cards"),
    "media": Text("影音会员", "Streaming"),
    "software": Text("软件", "Software"),
}
"""Names of the roots, by slug."""

MOBILE = Category("topup/mobile", Text("国内话费", "Mainland mobile top-up"))
OVERSEAS = Category("topup/overseas", Text("境外话费", "Overseas airtime"))
PC = Category("game/pc", Text("PC 游戏平台", "PC game platforms"))
CONSOLE = Category("game/console", Text("主机游戏", "Console games"))
MOBILE_GAME = Category("game/mobile", Text("手机游戏", "Mobile games"))
POINTS = Category("game/points", Text("游戏点卡", "Game point cards"))
APP_STORE = Category("store/app", Text("应用商店卡", "App store cards"))
SHOPPING = Category("store/shopping", Text("购物与加油卡", "Shopping and fuel cards"))
VIDEO = Category("media/video", Text("视频会员", "Video memberships"))
MUSIC = Category("media/music", Text("音乐会员", "Music memberships"))
OFFICE = Category("software/office", Text("系统与办公", "Systems and office"))
SECURITY = Category("software/security", Text("安全与隐私", "Security and privacy"))
CREATIVE = Category("software/creative", Text("开发与设计", "Development and design"))
