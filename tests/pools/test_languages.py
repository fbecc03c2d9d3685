"""Language tags are compared by primary subtag; a node is sent its own code."""

import pytest

from pools.languages import own_code, primaries, primary


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
    ],
)
def test_the_primary_subtag(tag, language):
    assert primary(tag) == language


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
