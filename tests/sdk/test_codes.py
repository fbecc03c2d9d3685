"""Every code has advice in both languages."""

from __future__ import annotations

import pytest

from parley.codes import ErrorCode, advice


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_has_one_sentence_in_both_languages(code: ErrorCode) -> None:
    english, chinese = advice(code), advice(code, "zh-Hans")
    assert english.endswith(".")
    assert english.count(". ") == 0
    assert chinese.endswith("。")
    assert chinese.count("。") == 1


def test_no_advice_is_given_twice() -> None:
    assert len({advice(code) for code in ErrorCode}) == len(ErrorCode)


def test_an_unknown_code_gets_a_general_sentence() -> None:
    assert "node" in advice("GREMLINS_IN_THE_GPU")
    assert "节点" in advice("GREMLINS_IN_THE_GPU", "ZH")
    assert advice("JOB_TIMEOUT", "fr") == advice("JOB_TIMEOUT")
