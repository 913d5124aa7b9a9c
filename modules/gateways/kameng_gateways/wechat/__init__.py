"""WeChat Pay, API v3, as a merchant of its own: native (a QR code), H5 (a mobile browser) and JSAPI (inside WeChat)."""

from kameng_gateways.wechat.gateway import WeChatGateway

gateway = WeChatGateway()
"""Where the entry point ``wechat`` leads."""

__all__ = ["WeChatGateway", "gateway"]
