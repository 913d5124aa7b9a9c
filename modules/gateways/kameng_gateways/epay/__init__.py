"""Epay (易支付), the protocol of many resellers of payments: version 1 signs with MD5, version 2 with RSA."""

from kameng_gateways.epay.v1 import EpayGateway
from kameng_gateways.epay.v2 import EpayGatewayV2

gateway = EpayGateway()
"""Where the entry point ``epay`` leads."""

gateway_v2 = EpayGatewayV2()
"""Where the entry point ``epay_v2`` leads."""

__all__ = ["EpayGateway", "EpayGatewayV2", "gateway", "gateway_v2"]
