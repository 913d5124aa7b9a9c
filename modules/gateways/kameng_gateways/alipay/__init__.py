"""Alipay: page (a desktop browser), wap (a mobile browser) and precreate (a QR code)."""

from kameng_gateways.alipay.gateway import AlipayGateway

gateway = AlipayGateway()
"""Where the entry point ``alipay`` leads."""

__all__ = ["AlipayGateway", "gateway"]
