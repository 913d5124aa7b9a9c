"""Domain events: written with the facts that they tell, handled once in their effects.

    emit (in the fact's transaction) → outbox → relay → broker → worker → handler and receipt (in one
    transaction)

A message may be lost, come late, twice or after its worker was killed: it carries only ids, and the rows
    behind them say what is still owed.
"""

from kameng.events.event import Event, Happened
from kameng.events.outbox import DeadDelivery, EventsBacklog, Outbox

__all__ = ["DeadDelivery", "Event", "EventsBacklog", "Happened", "Outbox"]
