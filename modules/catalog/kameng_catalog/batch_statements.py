"""The SQL of batches in quarantine and recalls: cards move in chunks, in the order of their numbers.

Each chunk locks the row of the batch first, as every release of a reservation does; so no card goes back into stock
behind a quarantine that has passed by. Nobody waits for cards with that lock: those that somebody is just buying or
giving back are counted as busy, and the chunk is tried again.
"""

from typing import Literal

from kameng.db import Statement

Place = Literal["free", "reserved", "quarantined"]
"""Where a card that was not sold may lie."""

LOCK_BATCH = Statement(
    "catalog.lock_batch",
    "select state, unsettled from catalog_stock_batch where id = $1 and state <> 'arriving' for update",
)

SET_BATCH_STATE = Statement(
    "catalog.set_batch_state",
    "update catalog_stock_batch set state = $2, unsettled = true where id = $1",
)

SETTLED = Statement("catalog.batch_settled", "update catalog_stock_batch set unsettled = false where id = $1")

UNSETTLED = Statement(
    "catalog.unsettled_batches",
    "select id, state from catalog_stock_batch where unsettled order by id limit 100",
)

COUNT_SOLD = Statement(
    "catalog.count_sold_of_batch",
    """
    select count(*) from catalog_card c join catalog_sold_card s on s.card = c.id where c.batch = $1
    """,
)

_MOVED = {
    ("free", "quarantined"): "values ('quarantine', -1, false)",
    ("reserved", "quarantined"): "values ('release', 1, true), ('quarantine', -1, false)",
    ("quarantined", "free"): "values ('readmit', 1, false)",
    ("free", None): "values ('recall', -1, false)",
    ("reserved", None): "values ('release', 1, true), ('recall', -1, false)",
    ("quarantined", None): "values ('readmit', 1, false), ('recall', -1, false)",
}
"""The movements of a card on its way: kind, sign, and whether it tells the order line."""


def _move(source: Place, target: Place | None) -> Statement:
    line = "moved.line" if source == "reserved" else "null::uuid"
    keep = (
        ""
        if target is None
        else f"""
    kept as (
        insert into catalog_{target}_card (card, variant, expires_on) select card, variant, expires_on from moved
    ),"""
    )
    return Statement(
        f"catalog.move_{source}_to_{target or 'nowhere'}",
        f"""
    with chunk as materialized (
        select id from catalog_card where batch = $1 and id > $2 order by id limit $3
    ),
    held as materialized (
        select card from catalog_{source}_card where card in (select id from chunk)
        for update skip locked
    ),
    moved as (
        delete from catalog_{source}_card s using held h where s.card = h.card
        returning s.*
    ),{keep}
    noted as (
        insert into catalog_stock_movement (variant, kind, quantity, batch, line, reason, actor, at)
        select moved.variant, m.kind, m.sign * count(*)::int, $1, line.key, $4, $5, now()
        from moved cross join ({_MOVED[source, target]}) as m (kind, sign, tells_line)
        cross join lateral (select case when m.tells_line then {line} end as key) line
        group by moved.variant, m.kind, m.sign, line.key
        order by m.sign desc, moved.variant, line.key
    )
    select (select max(id) from chunk) as last, (select count(*) from moved) as cards,
        (select count(*) from catalog_{source}_card where card in (select id from chunk))
            - (select count(*) from held) as busy
    """,
    )


MOVES = {pair: _move(*pair) for pair in _MOVED}  # type: ignore[arg-type]  # its keys are places
"""Moves the cards of a chunk: batch, number to begin behind, size of the chunk, reason, actor. The answer: the chunk's last
card, how many moved, how many are busy."""
