"""Settlement's part of the shop schema: one's own wallet."""

from __future__ import annotations

from typing import Any, cast

import strawberry

from kameng.auth import PrincipalKind
from kameng.errors import Forbidden
from kameng.graphql import Info
from kameng.ids import key_of
from kameng_settlement.payments.graphql.top_up_terms import TopUpTerms, terms_of
from kameng_settlement.settings import SettlementSettings
from kameng_settlement.types import Wallet, load_wallet


@strawberry.type
class MemberWallet:
    """What a member gets from settlement."""

    @strawberry.field(description="Your wallet in a currency; without one, in the shop's own.")
    async def wallet(self, info: Info, currency: str | None = None) -> Wallet:
        """The viewer's wallet; another member's is nobody's business."""
        member = key_of("Member", cast("Any", self).id)
        if info.context.principal.require_kind(PrincipalKind.MEMBER) != member:
            raise Forbidden("This wallet belongs to somebody else.", cure="Ask for your own.")
        section = info.context.kernel.settings.section("settlement", SettlementSettings)
        return await load_wallet(info.context, member, currency or section.currency)

    @strawberry.field(description="What a top-up may be, and the bonuses that come with it now.")
    async def top_up_terms(self, info: Info, currency: str | None = None) -> TopUpTerms:
        """What a top-up may be; another member's bonuses are nobody's business."""
        member = key_of("Member", cast("Any", self).id)
        if info.context.principal.require_kind(PrincipalKind.MEMBER) != member:
            raise Forbidden("These belong to somebody else.", cure="Ask for your own.")
        section = info.context.kernel.settings.section("settlement", SettlementSettings)
        return await terms_of(info.context, member, currency or section.currency)
