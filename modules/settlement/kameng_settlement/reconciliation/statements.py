"""The SQL of reconciliation. A run is a dozen statements, however many rows it compares."""

from kameng.db import Statement

TAKE_TURNS = Statement(
    "settlement.reconcile_take_turns",
    # Imports and runs of one account follow each other; nobody else waits.
    "select pg_advisory_xact_lock(hashtextextended('settlement.reconciliation:' || $1::text, 0))",
)

FIND_FETCH = Statement(
    "settlement.find_bill_fetch",
    "select * from settlement_bill_fetch where source = $1 and day = $2 and kind = $3",
)

NOTE_FETCH = Statement(
    "settlement.note_bill_fetch",
    """
    insert into settlement_bill_fetch (id, source, day, kind, state, code, message, cure, tries, first_at, last_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 1, now(), now())
    on conflict (source, day, kind) do update
    set state = excluded.state, code = excluded.code, message = excluded.message, cure = excluded.cure,
        tries = settlement_bill_fetch.tries + 1, last_at = excluded.last_at
    """,
)

FIND_BILL = Statement(
    "settlement.find_bill", "select * from settlement_bill where source = $1 and day = $2 and kind = $3"
)

ADD_BILL = Statement(
    "settlement.add_bill",
    """
    insert into settlement_bill
        (id, source, day, kind, format, file_name, digest, rows, totals, imported_by, imported_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, now())
    """,
)

FIND_DESCRIPTION = Statement(
    "settlement.find_bill_description", "select description from settlement_bill_description where name = $1"
)

SAVE_DESCRIPTION = Statement(
    "settlement.save_bill_description",
    """
    insert into settlement_bill_description (name, description, changed_by, changed_at)
    values ($1, $2::jsonb, $3, now())
    on conflict (name) do update
    set description = excluded.description, changed_by = excluded.changed_by, changed_at = excluded.changed_at
    """,
)

DESCRIPTIONS = Statement(
    "settlement.bill_descriptions",
    "select name, description, changed_by, changed_at from settlement_bill_description order by name",
)

BEGIN_RUN = Statement(
    "settlement.begin_reconciliation",
    """
    insert into settlement_reconciliation (id, source, day, state, started_at, run_by)
    values ($1, $2, $3, 'OPEN', now(), $4)
    on conflict (source, day) do update set run_by = settlement_reconciliation.run_by
    returning *
    """,
)

END_RUN = Statement(
    "settlement.end_reconciliation",
    # Done again with the same outcome it leaves the row as it is, its times included.
    """
    update settlement_reconciliation
    set state = 'DONE', their_rows = $2, our_rows = $3, matched = $4, carried = $5, totals = $6::jsonb,
        ended_at = now(), run_by = $7
    where id = $1
        and (state, their_rows, our_rows, matched, carried, totals)
            is distinct from ('DONE', $2::int, $3::int, $4::int, $5::int, $6::jsonb)
    """,
)

COUNT_RUN = Statement(
    "settlement.count_reconciliation",
    """
    select (select count(*) from settlement_bill_match where reconciliation = $1)::int as matched,
           (select count(*) from settlement_carry_over where source = $2 and day = $3)::int as carried
    """,
)

OPEN_CARRIES = Statement(
    "settlement.open_carry_overs",
    """
    select id, day, bill_row, ours from settlement_carry_over
    where source = $1 and state = 'OPEN' and day <= $2 order by id
    """,
)

UNSETTLED_CASES = Statement(
    "settlement.unsettled_cases",
    """
    select id, mark, difference, day, bill_row, ours, state, doubtful_until from settlement_case
    where source = $1 and state in ('DOUBTFUL', 'OPEN') order by id
    for update
    """,
)

THEIR_SIDE = Statement(
    "settlement.reconciled_their_side",
    # $1 the bill, $2 rows of earlier days; what was matched before is left out.
    """
    select r.id as row, r.line, r.kind, r.number, r.reference, r.parent, r.status, r.currency, r.amount, r.fee, r.at,
           r.bill <> $1::uuid as known
    from settlement_bill_row r
    where (r.bill = $1::uuid or r.id = any($2::bigint[])) and r.kind in ('payment', 'refund')
        and not exists (select from settlement_bill_match m where m.bill_row = r.id)
    """,
)

FUND_MOVEMENTS = Statement(
    "settlement.fund_movements",
    """
    select currency, sum(amount)::bigint as moved from settlement_bill_row
    where bill = $1 and kind in ('payment', 'refund', 'fee') group by currency order by currency
    """,
)

ADD_CASES = Statement(
    "settlement.add_cases",
    """
    insert into settlement_case
        (id, reconciliation, source, day, mark, difference, kind, number, currency, effect_minor, fee_effect_minor,
         bill_row, ours, theirs_said, ours_said, state, doubtful_until, opened_at)
    select id, $1, $2, $3, mark, difference, kind, number, currency, effect, fee_effect, bill_row, ours,
           theirs_said::jsonb, ours_said::jsonb, state, doubtful_until, now()
    from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[],
                $12::bigint[], $13::uuid[], $14::text[], $15::text[], $16::text[], $17::date[])
        as c(id, mark, difference, kind, number, currency, effect, fee_effect, bill_row, ours, theirs_said, ours_said,
             state, doubtful_until)
    on conflict (source, mark) do nothing
    returning id
    """,
)

ADD_NOTES = Statement(
    "settlement.add_case_notes",
    """
    insert into settlement_case_note (case_id, what, author, text, at)
    select unnest($1::uuid[]), $2, $3, $4, now()
    """,
)

CLEAR_CASES = Statement(
    "settlement.clear_cases",
    """
    update settlement_case set state = 'CLEARED', settled_at = now(), settled_by = $2
    where id = any($1::uuid[]) and state in ('DOUBTFUL', 'OPEN')
    """,
)

END_DOUBT = Statement(
    "settlement.end_doubt",
    """
    update settlement_case set state = 'OPEN' where source = $1 and state = 'DOUBTFUL' and doubtful_until <= $2
    returning id
    """,
)

CARRY = Statement(
    "settlement.carry_over",
    """
    insert into settlement_carry_over (source, day, bill_row, ours, state, carried_at)
    select $1, $2, bill_row, ours, 'OPEN', now() from unnest($3::bigint[], $4::uuid[]) as c(bill_row, ours)
    on conflict do nothing
    """,
)

END_CARRIES = Statement(
    "settlement.end_carry_overs",
    "update settlement_carry_over set state = $2, ended_by = $3 where id = any($1::bigint[]) and state = 'OPEN'",
)
