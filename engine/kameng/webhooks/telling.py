"""Telling the staff of an endpoint that was switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.module import NotificationKind
from kameng.notify.contract import Notifications
from kameng.webhooks.admin_types import MANAGE

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.webhooks.events import WebhookEndpointDisabled

DISABLED = NotificationKind(
    name="endpoint_disabled",
    title_en="A webhook endpoint was switched off",
    title_zh="Webhook 端点被停用",
    templates="kameng.webhooks:notifications",
    staff=MANAGE,
)


async def tell_disabled(kernel: Kernel, event: WebhookEndpointDisabled) -> None:
    """Tell whoever looks after endpoints."""
    notifications = kernel.services.find(Notifications)
    if notifications is not None:
        at = await kernel.db.fetchval(
            "select changed_at from webhooks_endpoint where id = $1::uuid", event.endpoint
        )
        await notifications.tell_staff(
            "webhooks.endpoint_disabled",
            f"{event.endpoint}:{at}",
            {"label": event.label, "reason": event.reason, "url": f"{kernel.settings.public_url}/admin"},
        )
