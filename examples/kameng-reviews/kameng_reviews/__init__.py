"""Reviews: who bought a product says what it is like."""

from kameng.module import Handler, Module, Permission, SchemaPart, Slot
from kameng_fulfilment.contract import OrderCompleted
from kameng_reviews.admin import ReviewsAdminMutation, ReviewsAdminQuery
from kameng_reviews.commands import reviews
from kameng_reviews.events import ReviewWritten
from kameng_reviews.hiding import HIDE_REVIEW
from kameng_reviews.pages import FORMS, NAVIGATION, PAGES
from kameng_reviews.purchases import record_purchases
from kameng_reviews.settings import ReviewsSettings
from kameng_reviews.shop import ProductReviews, ReviewsMutation
from kameng_reviews.types import all_review_nodes, shown_review_nodes

module = Module(
    name="reviews",
    version="1.0.0",
    engine=">=0.1,<0.2",
    requires={"catalog": ">=0.1,<0.2", "fulfilment": ">=0.1,<0.2"},
    settings=ReviewsSettings,
    piccolo_app="kameng_reviews.piccolo_app",
    shop=SchemaPart(
        mutation=ReviewsMutation,
        extend={"Product": ProductReviews},
        nodes={"Review": shown_review_nodes},
    ),
    admin=SchemaPart(
        query=ReviewsAdminQuery, mutation=ReviewsAdminMutation, nodes={"Review": all_review_nodes}
    ),
    events=(ReviewWritten,),
    handlers=(Handler(name="record_purchases", event=OrderCompleted, call=record_purchases, batch=True),),
    permissions=(
        Permission(HIDE_REVIEW, "Read all reviews, hide and show them", "查看所有评价，隐藏和恢复评价"),
    ),
    slots=(
        Slot(
            place="product.after_description",
            template="kameng_reviews:templates/slots/reviews.html",
            fragment="""
              fragment Reviews on Product {
                averageStars
                reviewCount
                reviews(first: 5) { nodes { stars text createdAt } }
              }
            """,
        ),
    ),
    pages=PAGES,
    forms=FORMS,
    navigation=NAVIGATION,
    commands=(reviews,),
    locale="kameng_reviews:locale",
)
