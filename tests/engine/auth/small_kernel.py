"""As much of a kernel as auth needs."""

from types import SimpleNamespace

from redis.asyncio import Redis

from kameng.auth import Auth
from kameng.contracts import Services
from kameng.db import Database


class SmallKernel:
    def __init__(self, settings, modules=()):
        self.settings = settings
        self.modules = tuple(modules)
        self.permissions = {item.name: item for module in self.modules for item in module.permissions}
        self.services = Services(self, self.modules)
        self.db = Database(settings.engine.database_url, pool_size=5)
        self.valkey = Redis.from_url(settings.engine.redis_url)
        self.auth = Auth(self)

    async def __aenter__(self):
        await self.db.open()
        return self

    async def __aexit__(self, *_error):
        await self.auth.close()
        await self.valkey.aclose()
        await self.db.close()


async def migrate(url, *, backwards=False):
    """The migrations of auth alone."""
    from kameng.auth import piccolo_app
    from kameng.db import migrations

    kernel = SimpleNamespace(piccolo_app="kameng.auth.piccolo_app")
    own = migrations.Migrator.__new__(migrations.Migrator)
    database = Database(url, pool_size=2)
    own._database, own._apps = database, [(piccolo_app.APP_CONFIG, kernel.piccolo_app)]
    await database.open()
    try:
        await (own.backwards("all") if backwards else own.forwards())
    finally:
        await database.close()
