"""ETags, compression, languages, errors, description and settings of the application."""

import gzip
import json
import re

import pytest
from office import Person, account_name, open_office, village_code
from routes import all_routes, path_of

from geo.errors import InputError, LimitError, NotFoundError, StoreError
from geo.refusals import RefusedError
from geo.words import Text
from web import assets, config, etags, features, language
from web.config import SETTINGS
from web.errors import STATUS, status_of
from web.kept import Kept


def test_an_unchanged_view_is_304_without_computing(app, person, monkeypatch):
    one = person("planner")
    first = one.get("/features/village?tolerance_m=5")
    monkeypatch.setattr(features, "_make", lambda *_a, **_k: pytest.fail("computed again"))
    again = one.get("/features/village?tolerance_m=5", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert one.get("/features/village?tolerance_m=5").get_data() == first.get_data()


def test_the_tag_of_a_compressed_answer_is_recognised(person):
    one = person("planner")
    packed = one.get("/features/village", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    again = one.get("/features/village", headers={"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"})
    assert again.status_code == 304
    plain = one.get("/features/village")
    assert gzip.decompress(packed.get_data()) == plain.get_data()


def test_a_write_changes_the_tag_of_its_layer_only(app, person):
    from office import frames

    from layers.storage.rows import insert_rows

    one, store = person("planner"), app.extensions["wangge_store"]
    before = {
        path: one.get(path).headers["ETag"] for path in ("/features/facility", "/features/camera", "/api/v1/layers")
    }
    change = store.open_change("owner", "import", kinds=["facility"])
    insert_rows(store, change, "facility", frames()["facility"])
    store.finish_change(change, ["facility"], 1)
    after = {path: one.get(path).headers["ETag"] for path in before}
    assert after["/features/camera"] == before["/features/camera"]
    assert after["/features/facility"] != before["/features/facility"]
    assert after["/api/v1/layers"] != before["/api/v1/layers"]


@pytest.mark.parametrize(
    "path", ["/points/incident?columns=category", "/tiles/grid/12/3311/1721.mvt?columns=name", "/api/v1/coverage"]
)
def test_every_kind_of_data_is_compressed(person, path):
    answer = person("planner").get(path, headers={"Accept-Encoding": "gzip"})
    plain = person("planner").get(path)
    if len(plain.get_data()) > 500:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(answer.get_data()) < len(plain.get_data())
    assert plain.headers.get("Content-Encoding") is None


def test_the_language_is_chosen_by_link_then_cookie_then_account(app, person):
    one = person("planner")
    assert one.get("/features/nothing").json["what"] == "没有这个图层。"
    assert one.get("/features/nothing?lang=en").json["what"] == "There is no such layer."
    assert one.get("/features/nothing").json["what"] == "There is no such layer."
    assert one.get("/features/nothing?lang=zh").json["what"] == "没有这个图层。"
    assert one.get("/features/nothing?lang=xx").json["what"] == "没有这个图层。"
    from layers.storage import accounts

    accounts.set_language(app.extensions["wangge_store"], "viewer", "en")
    assert person("viewer").get("/features/nothing").json["what"] == "There is no such layer."


def test_every_word_is_there_in_both_languages():
    found = language.words()
    assert len(found) > 40
    for key, both in found.items():
        assert both["zh"].strip() and both["en"].strip(), key
        zh, en = ({part.split("}")[0] for part in both[code].split("{")[1:]} for code in ("zh", "en"))
        assert zh == en, f"{key}: the languages fill in different values"


@pytest.mark.parametrize("page", ["map", "coverage", "hotspots", "redraw", "layers", "reports", "admin"])
def test_a_page_has_the_words_its_modules_say_and_not_those_of_others(person, page):
    html = person("administrator").get("/" if page == "map" else f"/{page}").text
    sent = json.loads(html.split('id="config">')[1].split("</script>")[0])["words"]
    said = set(re.findall(r"\bt\(\s*\"([a-z_.]+)\"", assets.text_of(page)))
    assert len(said) > 20 and said <= sent.keys(), said - sent.keys()
    assert len(sent) < 0.7 * len(language.words())
    assert page == "redraw" or not any(key.startswith("redraw.") for key in sent)


def test_words_take_values_as_they_are(app):
    with app.test_request_context("/"):
        assert "{0.__class__}" in language.t("auth.wait", seconds="{0.__class__}")
        assert language.t("no.such.key") == "no.such.key"


def test_each_error_has_its_status():
    words = Text("甲", "a")
    assert {status_of(cls(words)) for cls in STATUS if cls is not RefusedError} == {400, 403, 404, 409, 413, 422, 503}
    assert status_of(RefusedError("misses")) == 422
    assert status_of(StoreError(words)) == 503
    limit = LimitError(words)
    assert status_of(limit) == 413
    assert status_of(LimitError(words, retry_after_s=10)) == 429
    assert status_of(NotFoundError(words)) == 404


def test_pages_and_programs_get_errors_in_their_form(person):
    one = person("planner")
    page = one.get("/nowhere", headers={"Accept": "text/html"})
    assert page.status_code == 404 and page.mimetype == "text/html"
    assert "没有这个页面" in page.get_data(as_text=True)
    for path in ("/api/v1/nowhere", "/features/nothing"):
        answer = one.get(path)
        assert answer.status_code == 404 and set(answer.json) == {"code", "what", "where", "mend"}
    wrong = one.send("DELETE", "/api/v1/layers")
    assert wrong.status_code == 405 and "GET" in wrong.headers["Allow"]


def test_a_store_that_fails_is_told_as_such(app, person, monkeypatch):
    one = person("planner")

    def fail(*_args, **_kwargs):
        raise StoreError(Text("数据文件正忙。", "The store is busy."))

    monkeypatch.setattr(features, "read_shapes", fail)
    answer = one.get("/features/village")
    assert answer.status_code == 503 and answer.json["what"] == "数据文件正忙。"


def test_the_description_names_every_data_address_and_its_parameters(app, person):
    described = person("planner").get("/api/openapi.json").json
    assert described["openapi"].startswith("3.")
    for method, rule in all_routes(app):
        if rule.startswith(("/api/v1", "/features", "/points", "/tiles")):
            path = rule.replace("<path:", "<").replace("<int:", "<").replace("<", "{").replace(">", "}")
            operation = described["paths"][path][method.lower()]
            assert operation["summary"] and operation["summary"][0].isupper()
            assert "default" in operation["responses"]
    names = [p["name"] for p in described["paths"]["/features/{kind}"]["get"]["parameters"]]
    assert names.count("bbox") == 1 and names.count("kind") == 1
    body = described["paths"]["/api/v1/accounts"]["post"]["requestBody"]
    assert "schema" in body["content"]["application/json"]
    names = [tag["name"] for tag in described["tags"]]
    assert len(set(names)) == len(names)
    for path, method, statuses in (
        ("/api/v1/drafts", "post", {"201"}),
        ("/api/v1/imports", "post", {"202"}),
        ("/api/v1/mending/plan", "post", {"200", "202"}),
        ("/api/v1/layers", "get", {"200"}),
    ):
        assert set(described["paths"][path][method]["responses"]) == statuses | {"default"}
    for path, media_type in (
        ("/api/v1/drafts/{draft}/package", "application/zip"),
        ("/api/v1/density.png", "image/png"),
    ):
        assert list(described["paths"][path]["get"]["responses"]["200"]["content"]) == [media_type]
    assert "http" not in json.dumps(described).replace("https://spec.openapis.org", "").replace("http_", "")


def test_the_documentation_page_with_outside_scripts_is_not_served(person):
    for path in ("/docs", "/redoc", "/api/docs"):
        assert person("administrator").get(path).status_code == 404


def test_settings_are_checked_by_type():
    assert config.settings({"PORT": 1})["PORT"] == 1
    for bad in ({"PORT": "1"}, {"PORT": -1}, {"TLS": 1}, {"HOST": 5}, {"PORT": True}, {"port": 1}):
        with pytest.raises(InputError):
            config.settings(bad)


def test_every_setting_is_explained_in_both_languages():
    for setting in SETTINGS:
        assert setting.name.isupper() and setting.help.zh and setting.help.en


def test_kept_answers_stay_within_their_bytes():
    kept = Kept(1000)
    for number in range(50):
        kept.set(number, b"x" * 100)
    assert kept.used_bytes <= 1000 and len(kept) == 10
    assert kept.get(0) is None and kept.get(49) == b"x" * 100
    kept.set("large", b"x" * 251)
    assert kept.get("large") is None
    kept.set(49, b"y")
    assert kept.get(49) == b"y" and kept.used_bytes <= 1000


def test_json_never_holds_a_number_that_is_none():
    with pytest.raises(ValueError, match="JSON"):
        etags.to_json({"value": float("nan")})
    assert "</" not in etags.to_json({"name": "</script>"})


def test_the_session_tells_the_page_what_it_needs(person):
    found = person("grid_manager-west").get("/api/v1/session").json
    assert found["name"] == "grid_manager-west" and found["areas"] == ["990101001000"]
    assert found["rights"] == ["export", "redraw"] and found["points_allowed"]
    assert found["place"]["bounds"] == pytest.approx([111.0, 27.6, 111.08, 27.68])
    assert person("planner").get("/api/v1/session").json["place"]["name"] == "望川县"


def test_layers_are_described_in_the_language_of_the_reader(person):
    listed = {entry["kind"]: entry for entry in person("planner").get("/api/v1/layers").json}
    assert listed["camera"]["label"] == "视频监控点" and listed["camera"]["rows"] == 11
    assert listed["village"]["bounds"] == pytest.approx([111.0, 27.6, 111.16, 27.68])
    status = next(column for column in listed["camera"]["columns"] if column["name"] == "status")
    assert {"value": "online", "label": "在线"} in status["choices"]
    viewer = {entry["kind"] for entry in person("viewer").get("/api/v1/layers").json}
    assert "camera" not in viewer and "incident" not in viewer and "village" in viewer


def test_an_earlier_day_shows_the_layers_as_they_were(person):
    earlier = {entry["kind"]: entry["rows"] for entry in person("planner").get("/api/v1/layers?as_of=1850-01-01").json}
    assert earlier.get("village", 0) == 0


def test_a_read_only_store_is_shown_and_refuses_writes(office_store, tmp_path):
    import os

    from layers.storage.store import Store

    path = office_store.path
    office_store.close()
    os.chmod(path, 0o444)
    try:
        with Store.open(str(path), readonly=True) as store:
            app = open_office(store, SECRET_KEY="x" * 32)
            assert app.test_client().get("/healthz").status_code == 200
            viewer = Person(app, account_name("viewer"))
            assert viewer.get("/api/v1/coverage").status_code == 200
            assert viewer.send("POST", "/sign-out").status_code == 303
            assert viewer.get("/api/v1/coverage").status_code == 401
            planner = Person(app)
            answers = [planner.sign_in(account_name("planner"), f"wrong password {n}").status_code for n in range(6)]
            assert answers[-1] == 429, answers
            administrator = Person(app, account_name("administrator"))
            refused = administrator.send("POST", "/api/v1/accounts", {"name": "new", "role": "viewer"})
            assert refused.status_code == 503
    finally:
        os.chmod(path, 0o600)


def test_health_is_public_and_says_nothing_else(app):
    answer = app.test_client().get("/healthz")
    assert answer.json == {"ok": True}


def test_all_addresses_answer_something_sensible_to_a_planner(app, person):
    one: Person = person("planner")
    for method, rule in all_routes(app):
        if method == "GET" and rule != "/sign-out":
            assert one.get(path_of(rule, key=village_code(0))).status_code < 500, rule
