"""What the catalogue does on a schedule."""

from datetime import timedelta

from kameng.module import Task
from kameng_catalog.popularity import count_popularity
from kameng_catalog.stock import expire_cards

TASKS = (
    Task(name="count_popularity", call=count_popularity, every=timedelta(hours=1)),
    Task(name="expire_cards", call=expire_cards, every=timedelta(hours=1)),
)
