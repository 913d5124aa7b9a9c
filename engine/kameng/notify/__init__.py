"""Notifications: tells people of what concerns them, by e-mail and by whatever channels packages bring.

    notice (in the fact's transaction) → message, sealed → worker → channel → receipt

It is a part of the kernel in the form of a module. Modules declare what they tell (`kameng.module.NotificationKind`), and ask for
`Notifications` by ``kernel.services.find``, since a deployment may do without.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from kameng.errors import BootError
from kameng.module import Module, NotificationKind, Permission, Provide, SchemaPart, Task
from kameng.notify.admin import MANAGE, READ, NotifyAdminMutation, NotifyAdminQuery, notification_nodes
from kameng.notify.command import notify
from kameng.notify.contract import (
    EMAIL,
    Addressee,
    Channel,
    Notice,
    Notifications,
    NotNow,
    StaffAddresses,
    Undeliverable,
)
from kameng.notify.preferences import PreferencesMutation, PreferencesQuery
from kameng.notify.sending import prune, send_due, telling_of
from kameng.notify.settings import NotifySettings
from kameng.notify.telling import Telling
from kameng.version import VERSION

if TYPE_CHECKING:
    from kameng.kernel import Kernel

__all__ = [
    "Addressee",
    "Channel",
    "NotNow",
    "Notice",
    "Notifications",
    "NotifySettings",
    "StaffAddresses",
    "Undeliverable",
    "module",
]


async def check_at_start(kernel: "Kernel") -> None:
    """Insist on a text for each kind of notification in each language, and on channels that can be set up.

    Raises:
        BootError: some are missing, or two channels have one name.
        SettingsError: the sender of mail is no address.
    """
    telling = telling_of(kernel)
    telling.reaches(EMAIL)
    if lacking := telling.templates.lacking():
        raise BootError(
            f"Notifications lack their texts: {', '.join(lacking)}.",
            cure="Put them into the folders that the modules' `notifications` name.",
        )


module = Module(
    name="notify",
    version=VERSION,
    settings=NotifySettings,
    piccolo_app="kameng.notify.piccolo_app",
    shop=SchemaPart(query=PreferencesQuery, mutation=PreferencesMutation),
    admin=SchemaPart(
        query=NotifyAdminQuery, mutation=NotifyAdminMutation, nodes={"Notification": notification_nodes}
    ),
    provides=(Provide(Notifications, Telling),),
    tasks=(
        Task(name="send", call=send_due, every=timedelta(seconds=30)),
        Task(name="prune", call=prune, every=timedelta(hours=1)),
    ),
    permissions=(
        Permission(READ, "See which notifications were sent", "查看通知发送记录"),
        Permission(MANAGE, "Send notifications again, give them up, send tests", "重发、放弃通知及发送测试"),
    ),
    notifications=(
        NotificationKind(
            name="test",
            title_en="Test message",
            title_zh="测试消息",
            templates="kameng.notify:notifications",
            optional=False,
        ),
    ),
    commands=(notify,),
    on_start=check_at_start,
)
