"""The section ``[webhooks]`` of ``kameng.toml``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from kameng.settings.sections import Positive


class WebhooksSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[webhooks]``.

    Attributes:
        timeout_seconds: how long one attempt may take, from the look-up of the name to the end of the answer.
        give_up_hours: how long a delivery is tried; after that it is a dead letter.
        disable_after_hours: an endpoint that has failed for so long without a single success is switched off.
        concurrency: requests under way to one endpoint at once, in the whole deployment.
        total_concurrency: requests under way in one worker process.
        ports: where endpoints may listen.
        private_hosts: names of hosts that may have private addresses, such as ``erp.internal``; addresses of this very
            machine, of its link and of cloud metadata stay closed.
        allow_loopback: whether ``http`` and any port of this machine are taken too: for development and tests.
        ca_file: certificates that are trusted instead of the public ones, in PEM.
        rotation_hours: how long the old secret of an endpoint goes on signing beside the new one.
        keep_days: how long finished deliveries and dead letters are kept.
    """

    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 15.0
    give_up_hours: Positive = 76
    disable_after_hours: Positive = 120
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=100)] = 4
    total_concurrency: Annotated[int, msgspec.Meta(ge=1, le=500)] = 32
    ports: tuple[int, ...] = (443, 8443)
    private_hosts: tuple[str, ...] = ()
    allow_loopback: bool = False
    ca_file: str = ""
    rotation_hours: Annotated[int, msgspec.Meta(ge=0, le=24 * 30)] = 24
    keep_days: Positive = 30
