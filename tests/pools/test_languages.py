"""Language tags are compared by primary subtag; a node is sent its own code."""

import pytest
from langcodes import Language
from langcodes.language_distance import _DISTANCE_CACHE

from pools.languages import KEPT, own_code, primaries, primary


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en_US", "en"),
        ("zh-Hans", "zh"),
        ("zho", "zh"),
        ("iw", "he"),
        ("yue", "yue"),
        ("Auto", "auto"),
        ("xx", "xx"),
        ("english", ""),
        ("", ""),
        ("12", ""),
        ("en zh", ""),
        ("a" * 300, ""),
        ("en-" + "-".join(["variant"] * 100), ""),
    ],
)
def test_the_primary_subtag(tag, language):
    assert primary(tag) == language


def test_tags_that_somebody_invents_are_not_kept_for_ever():
    for number in range(2 * KEPT):
        primary(f"en-x-{number:05}")
        own_code(f"en-x-{number:05}", ("en-GB",))
    kept = len(Language._PARSE_CACHE), len(Language._INSTANCES), len(_DISTANCE_CACHE)
    assert max(kept) <= KEPT + 4  # so many a tag
    assert primary("zh-Hans") == "zh"


def test_a_list_of_languages_drops_what_is_none():
    assert primaries(["zh-Hans", "zh-Hant", "en", "nonsense!", "auto", "und"]) == {"zh", "en"}


@pytest.mark.parametrize(
    ("wanted", "codes", "sent"),
    [
        ("zh", ["en", "zh-Hans"], "zh-Hans"),
        ("zh-Hans", ["en", "zh"], "zh"),
        ("zh-Hant", ["zh-CN", "zh-TW"], "zh-TW"),
        ("zh-TW", ["zh-CN", "zh-TW"], "zh-TW"),
        ("ZH", ["zh"], "zh"),
        ("fr", ["en"], "fr"),
        ("auto", ["en"], "auto"),
        ("en", [], "en"),
    ],
)
def test_a_node_is_sent_its_own_code(wanted, codes, sent):
    assert own_code(wanted, tuple(codes)) == sent
