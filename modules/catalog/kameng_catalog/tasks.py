"""What the catalogue does on a schedule."""

from datetime import timedelta

from kameng.module import Task
from kameng_catalog.list_choice import choose_lists
from kameng_catalog.listing_check import check_listings
from kameng_catalog.popularity import count_popularity
from kameng_catalog.stock import expire_cards

TASKS = (
    Task(name="count_popularity", call=count_popularity, every=timedelta(hours=1)),
    Task(name="check_listings", call=check_listings, every=timedelta(days=1)),
    Task(name="choose_lists", call=choose_lists, every=timedelta(days=1)),
    Task(name="expire_cards", call=expire_cards, every=timedelta(hours=1)),
)
