"""Texts by locale: choosing one, in Python and in SQL."""

from collections.abc import Mapping

from kameng.graphql import LOCALES


def text_in(texts: Mapping[str, str], locale: str) -> str:
    """The text in a locale, else in the product's first language that it has, else in any; empty without
    any.
    """
    for choice in (locale, *LOCALES):
        if choice in texts:
            return texts[choice]
    return next(iter(texts.values()), "")


def text_sql(column: str, locale: str) -> str:
    """The same as SQL.

    Args:
        column: the JSONB column.
        locale: the parameter with the locale, such as ``$1``.
    """
    fallbacks = ", ".join(f"{column}->>'{choice}'" for choice in LOCALES)
    return (
        f"coalesce({column}->>{locale}, {fallbacks}, (select min(value) from jsonb_each_text({column})), '')"
    )
