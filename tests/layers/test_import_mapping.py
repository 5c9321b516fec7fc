"""Headers to fields: proposed, chosen, remembered."""

import pytest

from geo.errors import InputError
from layers.files import mapping
from layers.kinds import KINDS
from layers.storage.store import Store


def proposed(kind: str, *headers: str) -> dict[str, str]:
    found = mapping.propose(headers, KINDS[kind])
    return {headers[column]: name for column, name in found.fields.items()}


def test_usual_chinese_headers_are_known() -> None:
    assert proposed("village", "村代码", "村名", "乡镇", "经度", "纬度") == {
        "村代码": "code", "村名": "name", "经度": "lon", "纬度": "lat",
    }  # fmt: skip
    assert proposed("camera", "设备国标编码", "监控点名称", "监控点类别", "在线状态", "可视距离(米)") == {
        "设备国标编码": "device_id", "监控点名称": "name", "监控点类别": "video_class", "在线状态": "status",
        "可视距离(米)": "range_m",
    }  # fmt: skip


def test_usual_english_headers_are_known() -> None:
    assert proposed("incident", "id", "occurred_local", "category", "lon", "lat") == {
        "id": "incident_no", "occurred_local": "occurred_at", "category": "category", "lon": "lon", "lat": "lat",
    }  # fmt: skip
    assert proposed("village", "GEOID", "total_pop") == {"GEOID": "code", "total_pop": "population"}


def test_a_surer_name_wins_and_a_column_serves_one_field() -> None:
    assert proposed("natural_village", "自然村代码", "村代码") == {"自然村代码": "code", "村代码": "parent_code"}
    assert proposed("grid", "name", "名称")["name"] == "name"


def test_the_datum_that_a_header_names_is_noticed() -> None:
    found = mapping.propose(["code", "lon_gcj02", "lat_gcj02"], KINDS["village"])
    assert found.datum == "gcj02"
    assert found.column_of("lon") == 1
    assert mapping.propose(["百度经度", "百度纬度"], KINDS["village"]).datum == "bd09"


def test_the_user_decides() -> None:
    headers = ["a", "b", "名称"]
    start = mapping.propose(headers, KINDS["village"])
    chosen = mapping.apply(headers, start, {"a": "code", "b": "name"}, KINDS["village"])
    assert chosen.fields == {0: "code", 1: "name"}
    assert mapping.apply(headers, start, {"名称": ""}, KINDS["village"]).fields == {}
    assert mapping.apply(headers, start, {"a": "longitude", "b": "latitude"}, KINDS["village"]).column_of("lat") == 1


@pytest.mark.parametrize("choice", [{"nothing": "code"}, {"a": "nothing"}, {"a": "code", "b": "code"}])
def test_impossible_choices_are_refused(choice: dict[str, str]) -> None:
    with pytest.raises(InputError):
        mapping.apply(["a", "b"], mapping.Mapping({}), choice, KINDS["village"])


def test_title_lines_above_the_header_are_skipped() -> None:
    rows = [
        ["望川县视频监控点台账", "", ""],
        ["制表：综治中心", "", ""],
        ["点位名称", "经度", "纬度"],
        ["东门", "109", "29"],
    ]
    assert mapping.find_header(rows) == 2
    assert mapping.find_header([["", ""], ["a", "b"], ["1", "2"]]) == 1
    assert mapping.find_header([["only"], ["x"]]) == 0


def test_headers_are_cleaned_for_showing() -> None:
    assert mapping.clean_header("a\u202eb\x00c\nd") == "a b c d"
    assert len(mapping.clean_header("x" * 1000)) == 64


def test_a_choice_is_remembered_for_the_same_headers(store: Store) -> None:
    with store.change("owner", "remember_mapping") as change:
        mapping.remember(change.connection, "village", ["b", "a"], {"a": "code"})
        mapping.remember(change.connection, "village", ["b", "a"], {"a": "name"})
    assert mapping.recall(store, "village", ["a", "b"]) == {"a": "name"}
    assert mapping.recall(store, "village", ["a"]) == {}
    assert mapping.recall(store, "grid", ["a", "b"]) == {}


def test_kinds_and_reference_layers_are_told_apart() -> None:
    assert mapping.kind_of("village") is KINDS["village"]
    assert mapping.kind_of("reference:schools") is None
    for name in ("villages", "reference:", "account"):
        with pytest.raises(InputError):
            mapping.kind_of(name)
