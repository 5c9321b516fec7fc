"""Who may call what: every role, everywhere and in one township, on every address; what is not listed is refused."""

import gzip

import pytest
from office import EAST, account_name, village_code
from routes import PER_KIND, QUERIES, UNSAFE, all_routes, path_of

from layers.rights import ROLES
from web.access import ACCESS, needed

ALL = frozenset(ROLES)
INTERNAL = frozenset({"dispatcher", "grid_manager", "planner", "administrator"})
MAKERS = frozenset({"planner", "administrator"})
ADMIN = frozenset({"administrator"})
DRAWERS = frozenset({"grid_manager", "planner", "administrator"})
PUBLIC = {"/static/<path:filename>", "/fonts/<file>", "/healthz", "/sign-in"}
# Written down a second time, by hand: a change of the access table has to be meant.
EXPECTED: dict[str, frozenset[str]] = {
    "/": ALL,
    "/coverage": ALL,
    "/hotspots": ALL,
    "/redraw": DRAWERS,
    "/layers": ALL,
    "/reports": ALL,
    "/help": ALL,
    "/password": ALL,
    "/sign-out": ALL,
    "/admin": ADMIN,
    "/features/<kind>": ALL,
    "/points/<kind>": ALL,
    "/tiles/<kind>/<z>/<x>/<y>.mvt": ALL,
    "/basemap/<name>/<z>/<x>/<y>": ALL,
    "/api/openapi.json": ALL,
    "/api/v1/session": ALL,
    "/api/v1/layers": ALL,
    "/api/v1/features/<kind>/<path:key>": ALL,
    "/api/v1/table/<kind>": ALL,
    "/api/v1/search": ALL,
    "/api/v1/coverage": ALL,
    "/api/v1/hotspots": ALL,
    "/api/v1/density": INTERNAL,
    "/api/v1/density.png": INTERNAL,
    "GET /api/v1/rules": ALL,
    "POST /api/v1/rules": MAKERS,
    "/api/v1/rules/<name>": MAKERS,
    "/api/v1/uploads": MAKERS,
    "/api/v1/uploads/<upload>/preview": MAKERS,
    "/api/v1/imports": MAKERS,
    "/api/v1/jobs": ALL,
    "/api/v1/jobs/<job>": ALL,
    "/api/v1/jobs/<job>/cancel": ALL,
    "/api/v1/jobs/<job>/findings.csv": ALL,
    "/api/v1/jobs/<job>/findings.json": ALL,
    "/api/v1/changes/<int:change>/undo": ADMIN,
    "/api/v1/borders/derive": MAKERS,
    "GET /api/v1/borders/inspections": ALL,
    "POST /api/v1/borders/inspections": DRAWERS,
    "/api/v1/mending/look": MAKERS,
    "/api/v1/mending/plan": MAKERS,
    "/api/v1/mending/apply": MAKERS,
    "/api/v1/mending/jobs/<job>": MAKERS,
    "/api/v1/export": ALL,
    "/api/v1/print": ALL,
    "/api/v1/standalone": ALL,
    "/api/v1/history/<kind>/<path:code>": ALL,
    "/api/v1/dates": ALL,
    "/api/v1/comparison/<kind>": ALL,
    "/api/v1/drafts": DRAWERS,
    "/api/v1/drafts/<int:draft>": DRAWERS,
    "/api/v1/drafts/<int:draft>/operations": DRAWERS,
    "/api/v1/drafts/<int:draft>/undo": DRAWERS,
    "/api/v1/drafts/<int:draft>/redo": DRAWERS,
    "/api/v1/drafts/<int:draft>/areas": DRAWERS,
    "/api/v1/drafts/<int:draft>/submit": DRAWERS,
    "/api/v1/drafts/<int:draft>/withdraw": DRAWERS,
    "/api/v1/drafts/<int:draft>/send_back": DRAWERS,
    "/api/v1/drafts/<int:draft>/review": DRAWERS,
    "/api/v1/drafts/<int:draft>/approve": DRAWERS,
    "/api/v1/drafts/<int:draft>/rebase": DRAWERS,
    "/api/v1/drafts/<int:draft>/discard": DRAWERS,
    "/api/v1/drafts/<int:draft>/package": DRAWERS,
    "/api/v1/balance": DRAWERS,
    "/api/v1/balance/suggest": DRAWERS,
    "/api/v1/balance/suggestions/<job>": DRAWERS,
    "/api/v1/balance/suggestions/<job>/apply": DRAWERS,
    "/api/v1/accounts": ADMIN,
    "/api/v1/accounts/<name>": ADMIN,
    "/api/v1/audit": ADMIN,
    "/api/v1/settings": ADMIN,
    "/api/v1/backup": ADMIN,
}
INTERNAL_KINDS = ("camera", "incident", "key_area")
# Signing out would end the shared session; these are tested with sessions of their own.
_OWN_SESSION = {"/sign-out", "/sign-in"}


def allowed(method: str, rule: str) -> frozenset[str]:
    return EXPECTED.get(f"{method} {rule}", EXPECTED.get(rule, frozenset()))


def test_every_address_stands_in_the_access_table_and_no_other(shared_app):
    rules = {rule.rule for rule in shared_app.url_map.iter_rules()}
    for method, rule in all_routes(shared_app):
        assert needed(method, rule) is not None, f"{method} {rule} is open to nobody: say who may call it"
    assert {entry.split(" ")[-1] for entry in ACCESS} <= rules


def test_an_address_that_is_not_in_the_table_is_closed_to_everybody(app, person):
    app.add_url_rule("/new", "new", lambda: "secret")
    assert person("administrator").get("/new").status_code == 403
    assert person().get("/new").status_code == 302


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("area", ["", "west"])
def test_each_role_reaches_exactly_what_is_listed_for_it(shared_app, people, role, area):
    one = people(account_name(role, area))
    wrong = []
    for method, rule in all_routes(shared_app):
        if rule in PUBLIC or rule in _OWN_SESSION:
            continue
        answer = one.get(path_of(rule)) if method == "GET" else one.send(method, path_of(rule), {})
        refused = answer.status_code in (401, 403)
        if refused == (role in allowed(method, rule)):
            wrong.append((method, rule, answer.status_code))
        # The shared data may make one part not work yet; a fault is never an answer to a question of rights.
        assert answer.status_code != 500, (method, rule, answer.get_data(as_text=True)[:300])
    assert not wrong


def test_without_signing_in_pages_lead_to_the_sign_in_and_data_is_refused(shared_app, people):
    nobody = people("planner").__class__(shared_app)
    for method, rule in all_routes(shared_app):
        if rule in PUBLIC:
            continue
        path = path_of(rule)
        answer = nobody.get(path) if method == "GET" else nobody.client.open(path, method=method, json={})
        if path.startswith(("/api/", "/features/", "/points/", "/tiles/", "/basemap/")):
            assert answer.status_code in (400, 401, 415), (method, rule, answer.status_code)
            if method == "GET":
                assert answer.status_code == 401
                assert answer.json["code"] == "sign_in"
        else:
            assert answer.status_code in (302, 400, 415), (method, rule, answer.status_code)
            assert answer.status_code != 302 or answer.headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("kind", INTERNAL_KINDS)
def test_internal_layers_are_refused_to_outer_roles_in_every_form(people, role, kind):
    one = people(role)
    paths = [path_of(rule, kind=kind, key="1") for rule in PER_KIND]
    paths += [
        f"/api/v1/export?what={kind}&format={form}"
        for form in ("geojson", "csv", "gpkg", "shp", "kml", "xlsx", "parquet")
    ]
    paths += [f"/api/v1/print?view={kind}", f"/api/v1/standalone?view={kind}"]
    if role in INTERNAL:
        for path in paths[: len(PER_KIND)]:
            assert one.get(path).status_code in (200, 204, 404, 400), path
        return
    for path in paths:
        answer = one.get(path)
        assert answer.status_code == 403, path
        assert set(answer.json) == {"code", "what", "where", "mend"}


def bytes_of(answer) -> bytes:
    data = answer.get_data()
    return gzip.decompress(data) if answer.headers.get("Content-Encoding") == "gzip" else data


@pytest.mark.parametrize("role", sorted(ROLES))
def test_nothing_outside_the_own_township_is_in_any_answer(shared_app, people, role):
    one = people(account_name(role, "west"))
    outside = [EAST.encode(), EAST[:9].encode(), "东溪乡".encode(), "松门村".encode(), "竹门村".encode()]
    seen_own = 0
    for method, rule in all_routes(shared_app):
        if method != "GET" or rule in _OWN_SESSION or rule in ("/api/v1/audit", "/api/v1/accounts"):
            continue
        kinds = (
            ("county", "township", "village", "grid", "camera", "incident", "facility") if rule in PER_KIND else ("",)
        )
        for kind in kinds:
            values = {"kind": kind, "key": village_code(0) if kind == "village" else "1"} if kind else {}
            answer = one.get(path_of(rule, **values))
            if answer.status_code != 200:
                continue
            body = bytes_of(answer)
            seen_own += village_code(0).encode() in body
            assert not [word.decode() for word in outside if word in body], (rule, kind)
    assert seen_own >= 3
    for path in (f"/api/v1/features/village/{village_code(3)}", f"/api/v1/features/township/{EAST}"):
        assert one.get(path).status_code == 404
    for parent in (EAST, village_code(3)):
        assert one.get(f"/features/village?parent={parent}").status_code == 404
    assert one.get(f"/api/v1/table/village?q={village_code(3)}").json["total"] == 0
    assert one.get(f"/api/v1/table/village?where=code+%3D+'{village_code(3)}'+or+code+is+not+null").json["total"] == 2


def test_queries_are_given_for_every_address_that_needs_one():
    assert set(QUERIES) <= {rule.split(" ")[-1] for rule in EXPECTED}


def test_jobs_of_others_read_like_none_at_all(app, person):
    from layers.storage import jobs

    job = jobs.submit(app.extensions["wangge_store"], "planner", "import", {"path": "x", "options": {}})
    for path in (f"/api/v1/jobs/{job}", f"/api/v1/jobs/{job}/findings.csv", f"/api/v1/jobs/{job}/findings.json"):
        assert person("planner").get(path).status_code == 200
        assert person("administrator").get(path).status_code == 200
        other = person("grid_manager").get(path)
        none = person("grid_manager").get(path.replace(job, "other"))
        assert (other.status_code, other.get_data()) == (404, none.get_data())
    assert person("grid_manager").send("POST", f"/api/v1/jobs/{job}/cancel", {}).status_code == 404
    assert person("planner").send("POST", f"/api/v1/jobs/{job}/cancel", {}).json["state"] == "cancelled"


def test_unsafe_methods_are_the_only_ones_that_change(shared_app):
    assert {method for method, _ in all_routes(shared_app)} <= {"GET", *UNSAFE}
