"""Outgoing webhooks: tells others of events by HTTP, signed as Standard Webhooks has it.

    event → observer → delivery (one for each endpoint, ever) → worker → endpoint

It is a part of the kernel in the form of a module: events of any module can be told, and a deployment that wants none of
it disables it by ``[modules] disabled``.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from kameng.errors import SettingsError
from kameng.module import Handler, Module, Observer, Permission, Provide, SchemaPart, Task
from kameng.version import VERSION
from kameng.webhooks.admin import WebhooksMutation, WebhooksQuery
from kameng.webhooks.admin_types import MANAGE, READ, delivery_nodes, endpoint_nodes
from kameng.webhooks.endpoints import settings_of
from kameng.webhooks.events import WebhookEndpointDisabled
from kameng.webhooks.fan_out import fan_out
from kameng.webhooks.replaying import perform_range
from kameng.webhooks.sending import Sender, prune, send_due
from kameng.webhooks.settings import WebhooksSettings
from kameng.webhooks.telling import DISABLED, tell_disabled

if TYPE_CHECKING:
    from kameng.kernel import Kernel

__all__ = ["WebhookEndpointDisabled", "WebhooksSettings", "module"]


async def check_at_start(kernel: "Kernel") -> None:
    """Insist on settings that keep the guard up.

    Raises:
        SettingsError: this very machine may be called, in production.
    """
    if settings_of(kernel).allow_loopback and kernel.settings.production:
        raise SettingsError(
            "[webhooks] allow_loopback is set in production.",
            cure="Take it out; name hosts of your own network in private_hosts.",
        )


module = Module(
    name="webhooks",
    version=VERSION,
    settings=WebhooksSettings,
    piccolo_app="kameng.webhooks.piccolo_app",
    admin=SchemaPart(
        query=WebhooksQuery,
        mutation=WebhooksMutation,
        nodes={"WebhookEndpoint": endpoint_nodes, "WebhookDelivery": delivery_nodes},
    ),
    provides=(Provide(Sender, Sender),),
    events=(WebhookEndpointDisabled,),
    handlers=(Handler(name="tell_disabled", event=WebhookEndpointDisabled, call=tell_disabled),),
    observers=(Observer(name="fan_out", call=fan_out),),
    tasks=(
        Task(name="send", call=send_due, every=timedelta(seconds=15)),
        Task(name="replay_range", call=perform_range),
        Task(name="prune", call=prune, every=timedelta(hours=1)),
    ),
    notifications=(DISABLED,),
    permissions=(
        Permission(READ, "See webhook endpoints and their deliveries", "查看 Webhook 端点及投递记录"),
        Permission(
            MANAGE, "Manage webhook endpoints, their secrets and replays", "管理 Webhook 端点、密钥与重发"
        ),
    ),
    on_start=check_at_start,
)
