"""Our accounts with gateways: saving them with their sealed settings, and opening them for a call."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
import msgspec

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng.money import check_currency
from kameng_settlement.chart import clearing_of
from kameng_settlement.gateway_contract import Gateway, GatewayMisconfigured, MerchantAccount
from kameng_settlement.payments.errors import GatewayUnknown
from kameng_settlement.payments.gateways import gateway
from kameng_settlement.payments.sites import site_codes
from kameng_settlement.payments.statements import (
    ACCOUNTS,
    ADD_ACCOUNT,
    CHANGE_ACCOUNT,
    ENABLE_ACCOUNT,
    LOCK_ACCOUNT,
)

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng.kernel import Kernel

SCOPE: Final = "settlement.merchant_accounts"
"""The scope of the data keys that seal accounts' settings."""

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_MERCHANT = re.compile(r"[\x21-\x7e]{1,64}")


class GatewaySettingsWrong(InvalidInput):
    """The settings do not fit the gateway, or cannot work."""

    code = "GATEWAY_SETTINGS_WRONG"


class StoredAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it is stored; see the table."""

    id: UUID
    gateway: str
    code: str
    name: str
    merchant: str
    sealed_settings: bytes
    data_key: UUID
    currencies: list[str]
    sites: list[str]
    minimum_minor: int
    maximum_minor: int | None
    fee_ppm: int
    fee_fixed_minor: int
    priority: int
    weight: int
    timeout_seconds: int
    enabled: bool
    failures: int
    resting_until: datetime | None
    created_at: datetime
    changed_at: datetime

    @property
    def source(self) -> str:
        """Its name in the ledger: what it took in stands at ``clearing:<source>``."""
        return f"{self.gateway}:{self.code}"

    def fee_of(self, minor: int) -> int:
        """What the gateway keeps of an amount, in minor units, half rounded up; never more than the amount."""
        return min(minor, self.fee_fixed_minor + (minor * self.fee_ppm + 500_000) // 1_000_000)


class AccountDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An account as somebody wants it.

    Attributes:
        gateway: its name; stays what it is.
        code: what the ledger calls it, unique for the gateway; stays what it is.
        name: for people.
        merchant: what we are called at the gateway.
        settings: the gateway's settings; of an account that is changed, only what changes. Secrets are only ever written.
        sites: whose payments it takes; none: those of all sites; an empty code is the operator's own.
        others: see `StoredAccount`.
    """

    gateway: str
    code: str
    name: str
    merchant: str
    settings: Mapping[str, Any]
    currencies: Sequence[str] = ("CNY",)
    sites: Sequence[str] = ()
    minimum_minor: int = 1
    maximum_minor: int | None = None
    fee_ppm: int = 0
    fee_fixed_minor: int = 0
    priority: int = 100
    weight: int = 1
    timeout_seconds: int = 15


def account_of(row: Mapping[str, Any]) -> StoredAccount:
    """A row of ``settlement_merchant_account``."""
    return StoredAccount(**{name: row[name] for name in StoredAccount.__struct_fields__})


async def read_accounts(kernel: Kernel, keys: Sequence[UUID]) -> dict[UUID, StoredAccount]:
    """Accounts by key. One statement."""
    return {row["id"]: account_of(row) for row in await kernel.db.fetch(ACCOUNTS, list(set(keys)))}


def notify_url(kernel: Kernel, account: StoredAccount) -> str:
    """Where the gateway tells of this account's payments and refunds."""
    return f"{kernel.settings.public_url}/payments/notify/{account.gateway}/{account.id}"


async def open_account(kernel: Kernel, account: StoredAccount) -> tuple[Gateway, MerchantAccount]:
    """The gateway and the account, ready for a call.

    Raises:
        GatewayUnknown: the gateway is not installed.
        GatewaySettingsWrong: the settings do not fit it any more.
    """
    found = gateway(account.gateway)
    return found, _opened(kernel, found, account, await _settings(kernel, account))


def _opened(
    kernel: Kernel, found: Gateway, account: StoredAccount, values: Mapping[str, Any]
) -> MerchantAccount:
    return MerchantAccount(
        key=account.id,
        gateway=account.gateway,
        merchant=account.merchant,
        settings=_read(found, values),
        notify_url=notify_url(kernel, account),
        timeout_seconds=float(account.timeout_seconds),
    )


async def shown_settings(kernel: Kernel, accounts: Sequence[StoredAccount]) -> list[dict[str, Any]]:
    """The settings of accounts, in order, without their secrets, of which it is told that they are there."""
    opened = await kernel.vault.open_many(
        [(each.data_key, each.sealed_settings, each.id.bytes) for each in accounts]
    )
    shown: list[dict[str, Any]] = []
    for account, content in zip(accounts, opened, strict=True):
        try:
            hidden = gateway(account.gateway).secrets
        except GatewayUnknown:
            # What is secret is only known by the gateway, so nothing is shown where it is not installed.
            shown.append({})
            continue
        values = msgspec.json.decode(content, type=dict[str, Any])
        shown.append({key: "***" if key in hidden and value else value for key, value in values.items()})
    return shown


async def save_account(context: Context, draft: AccountDraft, key: UUID | None = None) -> UUID:
    """Make an account, or change one; returns its key. Written into the audit log, without its settings.

    A new account is not enabled yet.

    Raises:
        GatewayUnknown: no installed package brings the gateway.
        GatewaySettingsWrong: the settings do not fit it, or cannot work.
        InvalidInput: another value is unusable.
        NotFound: there is no such account.
        Conflict: there is another one of this code, or the gateway or the code would change.
    """
    kernel, db = context.kernel, context.db
    found = gateway(draft.gateway)
    _check(draft)
    _check_sites(kernel, draft)
    async with db.transaction():
        data_key = await kernel.vault.current_key(SCOPE)
        values: dict[str, Any] = {}
        if key is not None:
            row = await db.fetchrow(LOCK_ACCOUNT, key)
            if row is None:
                raise _none()
            before = account_of(row)
            if (before.gateway, before.code) != (draft.gateway, draft.code):
                raise Conflict(
                    "An account's gateway and code stay what they are: its money in the books is known by them.",
                    cure="Disable this account and make another one.",
                    path=("input", "code"),
                )
            values = await _settings(kernel, before)
        values |= draft.settings
        own = key or new_id()
        settings = _read(found, values)
        tried = MerchantAccount(
            key=own, gateway=draft.gateway, merchant=draft.merchant, settings=settings, notify_url=""
        )
        _try(found, tried)
        [sealed] = await kernel.vault.seal_many(data_key, [(msgspec.json.encode(values), own.bytes)])
        try:
            async with db.transaction():
                await db.execute(
                    CHANGE_ACCOUNT if key else ADD_ACCOUNT,
                    own,
                    draft.gateway,
                    draft.code,
                    draft.name.strip(),
                    draft.merchant,
                    sealed,
                    data_key.id,
                    list(draft.currencies),
                    list(draft.sites),
                    draft.minimum_minor,
                    draft.maximum_minor,
                    draft.fee_ppm,
                    draft.fee_fixed_minor,
                    draft.priority,
                    draft.weight,
                    draft.timeout_seconds,
                )
        except asyncpg.UniqueViolationError as error:
            raise Conflict(
                "There is an account of this code already.",
                cure="Give it another code.",
                path=("input", "code"),
            ) from error
        await kernel.audit.record(
            "settlement.merchant_account_saved",
            principal=context.principal,
            subject=f"merchant_account:{own}",
            details={
                "name": draft.name.strip(),
                "account": f"{draft.gateway}:{draft.code}",
                "merchant": draft.merchant,
                "created": key is None,
                "changed": sorted(draft.settings),
            },
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return own


async def set_account_enabled(context: Context, key: UUID, *, enabled: bool) -> None:
    """Offer an account to payers, with a clean slate, or no more. Payments that were begun there go on.

    Raises:
        NotFound: there is no such account.
    """
    async with context.db.transaction():
        if await context.db.fetchval(ENABLE_ACCOUNT, key, enabled) is None:
            raise _none()
        await context.kernel.audit.record(
            f"settlement.merchant_account_{'enabled' if enabled else 'disabled'}",
            principal=context.principal,
            subject=f"merchant_account:{key}",
            correlation_id=context.correlation_id,
            address=context.address,
        )


async def _settings(kernel: Kernel, account: StoredAccount) -> dict[str, Any]:
    opened = await kernel.vault.open(account.data_key, account.sealed_settings, account.id.bytes)
    return msgspec.json.decode(opened, type=dict[str, Any])


def _read(found: Gateway, values: Mapping[str, Any]) -> Any:
    try:
        return msgspec.convert(dict(values), found.settings)
    except msgspec.ValidationError as error:
        # msgspec names the field and the types, never the value.
        raise GatewaySettingsWrong(
            f"The settings do not fit the gateway {found.name}: {error}.",
            cure=f"Its fields are: {', '.join(found.settings.__struct_fields__)}.",
            path=("input", "settings"),
        ) from error


def _try(found: Gateway, account: MerchantAccount) -> None:
    try:
        found.check(account)
    except GatewayMisconfigured as error:
        raise GatewaySettingsWrong(error.message, cure=error.cure, path=("input", "settings")) from error


def _check(draft: AccountDraft) -> None:
    wrong: list[tuple[str, str]] = []
    if not _NAME.fullmatch(draft.name.strip()):
        wrong.append(("name", "A name has 1 to 100 plain characters."))
    if not _CODE.fullmatch(draft.code):
        wrong.append(("code", "A code has 1 to 40 letters, digits, dots, dashes and underscores."))
    if not _MERCHANT.fullmatch(draft.merchant):
        wrong.append(("merchant", "The merchant is what the gateway calls us: 1 to 64 plain characters."))
    if not draft.currencies or len(draft.currencies) > 20:
        wrong.append(("currencies", "An account takes 1 to 20 currencies."))
    if draft.minimum_minor < 1 or (draft.maximum_minor or draft.minimum_minor) < draft.minimum_minor:
        wrong.append(("minimum", "The smallest amount is above zero, and not above the largest one."))
    if not 0 <= draft.fee_ppm <= 500_000 or draft.fee_fixed_minor < 0:
        wrong.append(("feePercent", "A fee is 0 to 50 % and no less than zero."))
    if not 1 <= draft.weight <= 1000 or not 0 <= draft.priority <= 10_000:
        wrong.append(("weight", "A weight is 1 to 1000, a priority 0 to 10000."))
    if not 1 <= draft.timeout_seconds <= 60:
        wrong.append(("timeoutSeconds", "A call may take 1 to 60 seconds."))
    if wrong:
        field, message = wrong[0]
        raise InvalidInput(message, cure="Correct it.", path=("input", field))
    for currency in draft.currencies:
        check_currency(currency)
    clearing_of(f"{draft.gateway}:{draft.code}")


def _check_sites(kernel: Kernel, draft: AccountDraft) -> None:
    known = site_codes(kernel)
    if strange := sorted({site for site in draft.sites if site not in known}):
        raise InvalidInput(
            f"There is no site {strange[0]!r}.",
            cure=f"Name some of these, or none for all: {', '.join(repr(code) for code in sorted(known))}.",
            path=("input", "sites"),
        )


def _none() -> NotFound:
    return NotFound("There is no such merchant account.", cure="Check its id.")
