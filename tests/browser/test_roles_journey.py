"""What each role meets: positions, pages, first sign-in, hostile names, an empty store."""

import pytest
from visitor import Visit

from layers.rights import ROLES

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGES = ["/", "/coverage", "/hotspots", "/layers", "/reports"]


@pytest.mark.parametrize("role", ROLES)
def test_every_page_in_the_rail_of_a_role_opens(visit: Visit, role: str) -> None:
    visitor = visit(role)
    rail = visitor.open("/").locator(".rail a[data-page]").evaluate_all("all => all.map((each) => each.dataset.page)")
    assert {"map", "coverage", "hotspots", "layers", "reports"} <= set(rail)
    for name in set(rail) - {"help"}:  # which is plain text: no module says when it is ready
        visitor.open("/" if name == "map" else f"/{name}")
        assert visitor.page.locator("#notices > *").count() == 0


def test_viewer_sees_figures_but_no_points(visit: Visit) -> None:
    visitor = visit("viewer")
    page = visitor.open("/")
    page.keyboard.press("l")
    assert page.locator("#layer-village").count() == 1
    assert page.locator("#layer-camera, #layer-incident").count() == 0
    visitor.open("/coverage")
    assert visitor.numbers("#answer")
    visitor.open("/hotspots")
    assert page.locator("select option[value=cell]").count() == 0
    visitor.shot("hotspots-viewer")
    assert not any("/points/" in url or "/api/v1/density" in url for url in visitor.asked)


def test_only_an_administrator_finds_the_admin_page_in_the_rail(visit: Visit) -> None:
    assert visit("planner").open("/").locator(".rail [data-page=admin]").count() == 0
    assert visit("administrator").open("/").locator(".rail [data-page=admin]").count() == 1


def test_wrong_password_is_told_in_words(visit: Visit) -> None:
    visitor = visit("")
    visitor.expected.append("401")
    page = visitor.page
    page.goto(f"{visitor.address}/coverage")
    page.fill("[name=name]", "planner")
    page.fill("[name=password]", "not the password")
    page.click("form button")
    assert visitor.text("[role=alert]")
    visitor.shot("sign-in")


def test_sign_in_leads_to_the_page_that_was_asked_for(visit: Visit) -> None:
    from office import PASSWORD

    visitor = visit("")
    page = visitor.page
    page.goto(f"{visitor.address}/coverage?threshold=7")
    page.fill("[name=name]", "planner")
    page.fill("[name=password]", PASSWORD)
    page.click("form button")
    page.wait_for_url("**/coverage?threshold=7**")
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    assert page.url == f"{visitor.address}/coverage?threshold=7"
    page.click("[data-menu=user]")
    page.click("[data-act=sign-out]")
    page.wait_for_url("**/sign-in**")


def test_new_account_gets_a_password_once_and_must_change_it(visit: Visit) -> None:
    admin = visit("administrator", at="own_address")
    page = admin.open("/admin")
    admin.shot("admin")
    page.locator("#admin-body .btn-primary").click()
    page.locator("dialog input").first.fill("newcomer")
    page.locator("dialog .btn-primary").click()
    once = page.locator(".one-time").inner_text()
    assert len(once) >= 10
    visitor = visit("", at="own_address")
    visitor.sign_in("newcomer", once)
    assert visitor.page.url.endswith("/password")
    visitor.page.goto(f"{visitor.address}/coverage")
    assert visitor.page.url.endswith("/password")
    visitor.page.fill("[name=old]", once)
    visitor.page.fill("[name=new]", "river stone 47 lamp")
    visitor.page.fill("[name=again]", "river stone 47 lamp")
    visitor.page.click("form button")
    visitor.page.wait_for_selector("html[data-ready=yes]", state="attached")


@pytest.mark.parametrize(
    "path", [*PAGES, "/?layers=county,village,grid,facility&table=village&drawer=35", "/admin", "/admin?tab=audit"]
)
def test_names_that_are_scripts_stay_text(visit: Visit, path: str) -> None:
    visitor = visit("administrator", at="hostile_address")
    page = visitor.open(path)
    visitor.settle()
    assert page.locator("img[src=x]").count() == 0
    if path in ("/coverage",):
        page.locator(".ranking li button").first.click()
        page.wait_for_selector(".detail-title")
        assert "</script><img" in visitor.text(".detail-title")
        page.fill("#search", "script")
        page.wait_for_selector("#search-list li[role=option]")
        assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_empty_store_says_what_to_do_next(visit: Visit, path: str) -> None:
    visitor = visit("planner", at="empty_address")
    page = visitor.open(path)
    if path == "/layers":
        assert page.locator("#drop").is_visible()
    else:
        link = page.locator(".empty a[href='/layers']")
        assert link.first.is_visible()
    visitor.shot(f"empty{path.replace('/', '-')}")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_help_opens_without_scripts_of_its_own(visit: Visit, language: str) -> None:
    visitor = visit(language=language)
    visitor.page.goto(f"{visitor.address}/help")
    targets = visitor.page.locator(".guide nav a").evaluate_all("links => links.map((link) => link.hash)")
    assert targets
    assert all(visitor.page.locator(target).count() == 1 for target in targets)
    visitor.shot("help")
