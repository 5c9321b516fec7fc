"""The hotspots page: the sentence, the classes, the filters, the density surface."""

import pytest
from visitor import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_sentence_and_legend_count_what_the_server_found(visit: Visit, language: str, size: str) -> None:
    visitor = visit(language=language, size=size)
    page = visitor.open("/hotspots")
    found = visitor.get("/api/v1/hotspots?unit=cell")
    assert sum(row["hot"] for row in found["rows"]) in visitor.numbers("#answer")
    counts = [int(text.replace(",", "")) for text in page.locator("#legend ul:first-of-type b").all_inner_texts()]
    assert sum(counts) == len(found["rows"])
    visitor.shot("hotspots")


def test_each_hot_spot_has_a_sentence_and_leads_to_its_cell(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/hotspots")
    first = page.locator(".ranking li button").first
    assert len(first.inner_text()) > 20
    first.click()
    page.wait_for_selector(".detail-figures table")
    visitor.settle()
    assert "sel=cell:" in page.url
    visitor.shot("hotspot")


def test_filters_stand_in_the_address_and_change_the_figures(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/hotspots")
    whole = visitor.numbers("#answer")
    page.locator(".chips button", has_text="0–5").click()
    page.wait_for_url("**hours=0-5**")
    page.wait_for_function(
        "(old) => document.getElementById('answer').innerText !== old", arg=visitor.text("#answer"), timeout=60_000
    )
    assert visitor.numbers("#answer") != whole
    page.go_back()
    page.wait_for_function("() => !location.search.includes('hours')")


def test_density_is_a_second_view_of_the_same_incidents(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/hotspots?view=density")
    page.wait_for_selector(".leaflet-density-pane img")
    visitor.settle()
    assert page.locator("#legend ul:first-of-type li").count() >= 3
    visitor.shot("density")
