"""The module table over REST, and what is said to those who ask for what is not in it."""

from tests.api.conftest import Api
from tests.api.fleet import FakeNode
from tests.api.test_jobs import problem


def test_features_are_listed_with_their_modules_and_types(operator: Api) -> None:
    table = operator.get("modules/").json()
    features = {feature["name"]: feature for feature in table["features"]}
    assert features["persona_adaptation"] == {
        "name": "persona_adaptation",
        "modules": ["asr", "semantic", "persona"],
        "types": ["asr", "semantic"],
    }
    assert {module["name"] for module in table["modules"]} >= {"emotion", "speaker_id", "tone"}
    assert table["core_types"] == ["asr", "nmt", "semantic"]


def test_an_unknown_feature_or_step_is_refused_by_its_name(acme: Api, node: FakeNode) -> None:
    for refusal in (
        acme.post_job(features={"telepathy": True}),
        acme.post_job(pipeline={"use_telepathy": False}),
    ):
        assert "telepathy" in problem(refusal, 422, "UNSUPPORTED_FEATURE")["detail"]


def test_a_known_feature_is_carried_to_the_node(acme: Api, node: FakeNode) -> None:
    job = acme.post_job(features={"persona_adaptation": True, "emotion_detection": False}).json()
    payload = node.take(job["job_id"]).payload
    assert b'"features":{"persona_adaptation":true,"emotion_detection":false}' in payload
