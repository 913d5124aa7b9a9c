"""The statements of the notifications."""

from kameng.db import Statement

BATCH = 10
"""Messages that a worker claims at a time."""

QUEUE = Statement(
    "notify.queue",
    """
insert into notify_message (id, kind, unique_key, channel, recipient_kind, recipient, locale, hint, data_key, sealed,
    next_at, gives_up_at, created_at)
select id, kind, unique_key, channel, recipient_kind, recipient, locale, hint, $9, sealed,
    clock_timestamp(), clock_timestamp() + $11::interval, clock_timestamp()
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[], $10::bytea[])
    as told (id, kind, unique_key, channel, recipient_kind, recipient, locale, hint, sealed)
on conflict (unique_key, channel) do nothing
""",
)
"""$1 ids, $2 kinds, $3 keys, $4 channels, $5 and $6 recipients, $7 locales, $8 hints, $10 sealed, side by side; $9 the data
key, $11 how long they are tried."""

CLAIM = Statement(
    "notify.claim",
    f"""
with due as materialized (
    select id from notify_message
    where state in ('queued', 'sending') and next_at <= clock_timestamp()
    order by next_at limit {BATCH}
    for update skip locked
)
update notify_message as message
set state = 'sending', attempts = attempts + 1, next_at = clock_timestamp() + $1::interval
from due where message.id = due.id
returning message.id, message.kind, message.channel, message.locale, message.data_key, message.sealed, message.attempts
""",
)
"""$1 the lease."""

SENT = Statement(
    "notify.sent",
    """
update notify_message set state = 'sent', sent_at = clock_timestamp(), sealed = null, data_key = null, last_error = null,
    answer = $2
where id = $1 and state in ('sending', 'queued')
""",
)

FAILED = Statement(
    "notify.failed",
    """
update notify_message set
    state = case when $4 or clock_timestamp() + $5::interval >= gives_up_at then 'dead' else 'queued' end,
    last_error = $3,
    next_at = clock_timestamp() + $5::interval
where id = $1 and attempts = $2 and state = 'sending'
returning state
""",
)
"""$1 the message, $2 the attempt, $3 the error, $4 whether it is for good, $5 the pause."""

GIVE_BACK = Statement(
    "notify.give_back",
    """
update notify_message as message set state = 'queued', attempts = message.attempts - 1,
    next_at = clock_timestamp() + $3::interval
from unnest($1::uuid[], $2::int[]) as claimed (id, attempts)
where message.id = claimed.id and message.attempts = claimed.attempts and message.state = 'sending'
""",
)
"""What was claimed and not begun. $1 messages, $2 their attempts, $3 when to look again."""

UNWANTED = Statement(
    "notify.find_unwanted",
    """
select person_kind, person, kind, channel from notify_preference
where person = any ($1::uuid[]) and kind = any ($2::text[]) and not enabled
""",
)

RETRY = Statement(
    "notify.retry",
    """
update notify_message set state = 'queued', attempts = 0, next_at = clock_timestamp(),
    gives_up_at = clock_timestamp() + $2::interval
where id = any ($1::uuid[]) and state = 'dead'
""",
)

DISCARD = Statement(
    "notify.discard",
    """
update notify_message set state = 'discarded', sealed = null, data_key = null
where id = any ($1::uuid[]) and state = 'dead'
""",
)

PRUNE = Statement(
    "notify.prune",
    """
delete from notify_message where id = any (array(
    select id from notify_message where state in ('sent', 'dead', 'discarded')
        and created_at < clock_timestamp() - $1::interval
    order by created_at limit 2000
))
""",
)
