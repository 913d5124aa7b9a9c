"""Pages: documents, variables, rendering."""

from tests.engine.themes.conftest import Browser


async def test_a_page_shows_what_its_document_asked_for(browser: Browser) -> None:
    answer = await browser.get("/")

    assert answer.status_code == 200
    assert '<a href="/products/q-coins">Q币 &#34;100&#34; &amp; more</a> CN¥98.50' in answer.text
