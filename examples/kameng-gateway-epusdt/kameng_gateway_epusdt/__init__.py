"""A gateway for epusdt servers: the payer is shown a page with an amount of USDT and an address to send it to."""

from kameng_gateway_epusdt.gateway import EpusdtGateway

gateway = EpusdtGateway()
"""Where the entry point ``epusdt`` of the group ``kameng.gateways`` leads."""

__all__ = ["EpusdtGateway", "gateway"]
