"""Pages: all reviews of a product for buyers, and all reviews of the shop for who may hide them."""

from __future__ import annotations

from kameng.module import Navigation, Page, PageForm
from kameng_reviews.hiding import HIDE_REVIEW

PAGES = (
    Page(
        name="product",
        kind="storefront",
        path="/products/{slug}/reviews",
        title="Reviews of {product.title}",
        subject="product",
        template="kameng_reviews:templates/pages/product.html",
        document="""
          query ProductReviews($slug: String!, $first: Int! = 20, $after: String) {
            product(slug: $slug) {
              slug title averageStars reviewCount
              reviews(first: $first, after: $after) {
                nodes { stars text createdAt }
                pageInfo { hasNextPage endCursor }
              }
            }
          }
        """,
    ),
    Page(
        name="all",
        kind="admin",
        path="/reviews",
        title="Reviews",
        permission=HIDE_REVIEW,
        subject="reviews",
        template="kameng_reviews:templates/pages/all.html",
        document="""
          query AllReviews($first: Int! = 50, $after: String) {
            reviews(first: $first, after: $after) {
              nodes { id stars text hidden createdAt }
              pageInfo { hasNextPage endCursor }
            }
          }
        """,
    ),
)

FORMS = (
    PageForm(
        name="hide",
        kind="admin",
        requires="staff",
        flash="The review was changed.",
        document="""
          mutation HideReview($input: HideReviewInput!) {
            hideReview(input: $input) { review { id } errors { code path message cure } }
          }
        """,
    ),
)

NAVIGATION = (Navigation(kind="admin", page="all", text="Reviews"),)
