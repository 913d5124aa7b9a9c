"""What the catalogue does on a schedule."""

from datetime import timedelta

from kameng.module import Task
from kameng_catalog.alerts import check_all_stock, check_moved_stock
from kameng_catalog.batches import settle_batches
from kameng_catalog.importing.arriving import take_back_abandoned
from kameng_catalog.list_choice import choose_lists
from kameng_catalog.listing_check import check_listings
from kameng_catalog.media.cleaning import clean_media
from kameng_catalog.overdue import check_reservations
from kameng_catalog.popularity import count_popularity
from kameng_catalog.price_schedule import apply_periods
from kameng_catalog.stock import expire_cards
from kameng_catalog.windows import apply_windows

TASKS = (
    Task(name="count_popularity", call=count_popularity, every=timedelta(hours=1)),
    Task(name="apply_periods", call=apply_periods, every=timedelta(seconds=10)),
    Task(name="apply_windows", call=apply_windows, every=timedelta(seconds=10)),
    Task(name="check_listings", call=check_listings, every=timedelta(days=1)),
    Task(name="choose_lists", call=choose_lists, every=timedelta(days=1)),
    Task(name="expire_cards", call=expire_cards, every=timedelta(hours=1)),
    Task(name="check_moved_stock", call=check_moved_stock, every=timedelta(minutes=1)),
    Task(name="check_all_stock", call=check_all_stock, every=timedelta(hours=1)),
    Task(name="settle_batches", call=settle_batches, every=timedelta(minutes=5)),
    Task(name="clean_media", call=clean_media, every=timedelta(days=1)),
    Task(name="take_back_abandoned", call=take_back_abandoned, every=timedelta(minutes=10)),
    Task(name="check_reservations", call=check_reservations, every=timedelta(days=1)),
)
