"""The SQL of saved recipients."""

from kameng.db import Statement

RECIPIENTS_OF = Statement(
    "membership.recipients_of",
    "select id, kind, data_key, sealed, created_at from membership_recipient where member = $1 order by id limit $2",
)

ADD_RECIPIENT = Statement(
    "membership.add_recipient",
    # The member's row is locked before, so that two at once cannot both be the last that there is room for.
    """
    insert into membership_recipient (id, member, kind, data_key, sealed, created_at)
    select $1, $2, $3, $4, $5, now()
    where (select count(*) from membership_recipient where member = $2) < $6
    returning id
    """,
)

CHANGE_RECIPIENT = Statement(
    "membership.change_recipient",
    """
    update membership_recipient set kind = $3, data_key = $4, sealed = $5 where id = $1 and member = $2 returning id
    """,
)

REMOVE_RECIPIENT = Statement(
    "membership.remove_recipient",
    "delete from membership_recipient where id = $1 and member = $2 returning id",
)

REMOVE_RECIPIENTS = Statement(
    "membership.remove_recipients", "delete from membership_recipient where member = $1"
)
