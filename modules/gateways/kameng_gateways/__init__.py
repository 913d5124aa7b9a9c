"""Payment gateways: WeChat Pay v3, Alipay, Stripe, and epay in both its versions.

Each room holds one protocol and gives one object, to which an entry point of the group ``kameng.gateways`` leads. They
know `kameng_settlement.gateway_contract` and nothing else of settlement.
"""
