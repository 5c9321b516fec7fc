"""The page shells: folium without outside hosts, nonces on everything inline, one entry per page in the rail."""

import gzip
import json
import re
from collections.abc import Callable
from importlib import resources

import pytest
from office import Person

from web import assets, maps, pages


def test_no_folium_class_names_an_outside_host() -> None:
    left = [
        (cls.__name__, address)
        for cls in maps._folium_classes()
        for attribute in ("default_js", "default_css")
        for _, address in cls.__dict__.get(attribute, [])
        if not address.startswith(maps.VENDOR_URL)
    ]
    assert left == []
    assert maps.localise() == [], "a second call finds nothing to change"
    assert maps.OUTSIDE, "folium's own addresses were there before"


def test_map_shell_carries_the_nonce_on_every_inline_element() -> None:
    shell = maps.map_shell().with_nonce("abc123")
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", shell.head):
        assert 'nonce="abc123"' in tag or "src=" in tag
    assert "viewport" not in shell.head, "folium's viewport forbids zooming"
    assert 'id="map_main"' in shell.body
    assert "var map_main" in shell.script
    assert "L.tileLayer" not in shell.script


def test_attribution_of_a_basemap_is_text() -> None:
    shell = maps.map_shell(
        basemaps=[{"name": "x", "url": "https://t/{z}/{x}/{y}", "attribution": "<img src=x onerror=alert(1)>"}]
    )
    assert "<img" not in shell.script
    assert "tile_layer_base_0" in shell.script


@pytest.mark.parametrize("role", ["viewer", "planner", "administrator"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_rail_has_an_entry_for_each_page_the_role_may_open(
    person: Callable[[str], Person], role: str, language: str
) -> None:
    someone = person(role)
    text = someone.get(f"/?lang={language}").get_data(as_text=True)
    entries = re.findall(r'class="[^"]*" data-page="(\w+)"', text)
    closed = {"viewer": {"admin", "redraw"}, "planner": {"admin"}, "administrator": set()}[role]
    expected = [name for name in pages.PAGES if name not in closed]
    assert entries == expected
    for name in entries:
        answer = someone.get("/" if name == "map" else f"/{name}")
        assert answer.status_code == 200
        html = answer.get_data(as_text=True)
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in html
        assert "user-scalable" not in html
        assert not re.search(
            r"https?://(?!www\.w3\.org)",
            re.sub(r'<script type="application/json".*?</script>', "", html, flags=re.DOTALL),
        )


@pytest.mark.parametrize("path", ["/", "/coverage", "/hotspots", "/redraw", "/layers", "/reports", "/admin"])
def test_inline_scripts_of_a_page_carry_its_nonce(person: Callable[[str], Person], path: str) -> None:
    answer = person("administrator").get(path)
    nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
    assert nonce
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", answer.get_data(as_text=True)):
        assert f'nonce="{nonce[1]}"' in tag or "src=" in tag or 'type="application/json"' in tag


def test_page_config_cannot_end_its_own_element() -> None:
    text = str(pages._as_script({"a": "</script><b>&"}))
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><b>&"}


@pytest.mark.parametrize("page", ["map", "coverage", "hotspots", "layers", "reports", "admin"])
def test_page_announces_every_module_it_imports(page: str) -> None:
    names = assets.modules_of(page)
    assert names[:2] == ("main.js", f"page_{page}.js")
    folder = resources.files("web") / "static" / "js"
    for name in names:
        for imported in re.findall(r'from "\./(\w+\.js)"', (folder / name).read_text("utf-8")):
            assert imported in names


def test_bundled_font_is_served_and_nothing_beside_it(person: Callable[[str], Person]) -> None:
    nobody = person("")
    assert nobody.get("/fonts/WanggeSansSC.woff2").status_code == 200
    assert nobody.get("/fonts/build.py").status_code == 404


def test_assets_are_kept_for_good_only_under_the_digest_of_their_content(person: Callable[[str], Person]) -> None:
    nobody = person("")
    kept = nobody.get(assets.address("js/main.js"))
    assert kept.status_code == 200
    assert "immutable" in kept.headers["Cache-Control"]
    other = nobody.get("/static/v-000000000000/js/main.js")
    assert other.get_data() == kept.get_data()
    assert "immutable" not in other.headers.get("Cache-Control", "")
    for escape in ("/static/v-000000000000/../app.py", f"/static/v-{assets.digest()}/../../app.py"):
        assert nobody.get(escape).status_code in (400, 404)


def test_compressed_assets_are_the_files_themselves(person: Callable[[str], Person]) -> None:
    nobody = person("")
    for _ in range(2):
        answer = nobody.get(assets.address("vendor/leaflet.js"), headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        there = (resources.files("web") / "static" / "vendor" / "leaflet.js").read_bytes()
        assert gzip.decompress(answer.get_data()) == there
