"""Ours: whole GraphQL purchases over HTTP, with a session."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from benchmarks.load import Load, lua, run_wrk
from benchmarks.orders.shop import BUYERS
from kameng.ids import global_id

DOCUMENT = """mutation Buy($input: PlaceOrderInput!, $key: String!) { placeOrder(input: $input) @idempotent(key: $key) {
 order { number state total { amount } lines { sku cards { secret } } } errors { code } } }"""

SCRIPT = """
local tokens = %(tokens)s
local variants = %(variants)s
local document = %(document)s
local run = %(run)s
local n = 0
request = function()
  n = n + 1
  local body = '{"query":' .. document .. ',"variables":{"key":"' .. run .. '-' .. n .. '","input":{"lines":[{"variantId":"'
    .. variants[(n %% #variants) + 1] .. '"}]}}}'
  local headers = { ["content-type"] = "application/json", ["authorization"] = "Bearer " .. tokens[(n %% #tokens) + 1] }
  return wrk.format("POST", "/graphql/shop", headers, body)
end
"""


@dataclass(frozen=True)
class Buyers:
    """Members with sessions, at a shop.

    Attributes:
        url: of the web processes.
        tokens: the members' sessions.
    """

    url: str
    tokens: list[str]

    async def buy(self, variants: list[UUID], seconds: float, connections: int = BUYERS) -> Load:
        """Buy one piece after the other, all of them at once, going round the variants.

        Args:
            variants: what they buy.
            seconds: how long.
            connections: how many of them buy at the same moment.
        """
        values = {
            "tokens": lua(self.tokens),
            "variants": lua([global_id("Variant", variant) for variant in variants]),
            "document": lua(lua(DOCUMENT)),
            "run": lua(uuid4().hex),
        }
        return await run_wrk(self.url, SCRIPT % values, connections=connections, seconds=seconds)
