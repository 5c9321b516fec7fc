"""Words for incident categories."""

import pytest

from geo.synthetic_incidents import CATEGORIES
from geo.words import Text
from layers.categories import category_words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("0503", Text("交通事故", "traffic accidents")),
        ("02", Text("邻里纠纷", "neighbours")),
        ("0299", Text("邻里纠纷（其他）", "neighbours (other)")),
        ("0510", Text("侵权", "torts")),
        ("9999", Text("其他", "other")),
        ("盗窃", Text("盗窃", "盗窃")),
        ("8801", Text("8801", "8801")),
        ("050301", Text("050301", "050301")),
    ],
)
def test_a_code_reads_as_its_words_and_free_text_as_itself(code, words):
    assert category_words(code) == words


def test_codes_of_a_scheme_that_is_not_known_stay_as_they_are():
    assert category_words("0503", "CITY") == Text("0503", "0503")


def test_every_category_of_the_made_up_county_has_words():
    for code, *_ in CATEGORIES:
        assert category_words(code).zh != code
