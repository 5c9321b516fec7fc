"""The package of a draft over the API: a zip for those who see the draft, nothing for the rest."""

import io
import zipfile

from drawn import HOME, PUSH, send


def test_the_package_of_a_draft_is_a_zip_for_those_who_see_it(person):
    one = person("planner")
    path = f"/api/v1/drafts/{one.send('POST', '/api/v1/drafts', {'title': '试划', 'parent_code': HOME}).json['id']}"
    assert send(one, path, 1, PUSH).json["results"][0]["ok"]
    answer = one.get(f"{path}/package?format=geojson")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert {"report.docx", "grid.geojson", "before.png", "after.png"} <= set(archive.namelist())
    assert one.get(f"{path}/package?format=dwg").status_code == 400
    assert person("viewer").get(f"{path}/package").status_code == 403
    assert person("grid_manager-west").get("/api/v1/drafts/999/package").status_code == 404
