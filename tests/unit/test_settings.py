"""Settings: the limits that several stages share, and names that no stage knows."""

import pytest

from pivotlens import BenchConfig, CountConfig, LensConfig, ScoreConfig, SelectConfig, TraceConfig
from pivotlens.errors import ConfigError, did_you_mean
from pivotlens.pipeline import Pipeline

_CONCEPTS, _DOCUMENTS = ("bench", "score", "trace"), ("count", "select")


@pytest.mark.parametrize(("key", "stages"), [("limit_concepts", _CONCEPTS), ("limit_documents", _DOCUMENTS)])
def test_a_shared_limit_goes_to_the_stages_that_have_it(tmp_path, monkeypatch, key, stages):
    from_file = Pipeline.from_mapping({key: 7}, "run.toml", tmp_path)
    monkeypatch.setenv(f"PIVOTLENS_{key.upper()}", "7")
    from_environment = Pipeline.from_mapping({}, "run.toml", tmp_path)
    for pipeline in (from_file, from_environment):
        limits = {
            name: limit
            for name, config in pipeline.configs.items()
            for limit in (getattr(config, "limit_concepts", None), getattr(config, "limit_documents", None))
            if limit is not None
        }
        assert limits == dict.fromkeys(stages, 7)


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        *((config, "limit_concepts") for config in (BenchConfig, ScoreConfig, TraceConfig)),
        *((config, "limit_documents") for config in (CountConfig, LensConfig, SelectConfig)),
    ],
)
def test_the_old_limit_is_answered_with_the_new_one(config, wanted):
    with pytest.raises(ConfigError, match=f"unknown setting 'limit' in {config.__name__}\ndid you mean '{wanted}'"):
        config(limit=3)


def test_a_name_that_goes_on_is_meant_before_one_that_is_somewhat_alike():
    assert did_you_mean("limit", ["unlimited", "limit_words", "limit-lines"]) == (
        "did you mean 'limit-lines' or 'limit_words'?"
    )
    assert did_you_mean("limit", ["limits", "limit_words"]) == "did you mean 'limits'?"
    assert did_you_mean("limit", ["unlimit", "limit_words", "limit_lines", "limit_rows"]) == "did you mean 'unlimit'?"
    assert did_you_mean("limit", ["x", "y"]) == "known: x, y."


def test_a_mapping_is_held_to_what_a_file_may_hold(tmp_path):
    for content, said in (
        ({"limit": 3}, "unknown setting 'limit' in x\ndid you mean 'limit_concepts' or 'limit_documents'"),
        ({"scores": {}}, r"unknown table \[scores\] in x\ndid you mean 'score'"),
        ({"score": 3}, "score = 3 in x is no table"),
    ):
        with pytest.raises(ConfigError, match=said):
            Pipeline.from_mapping(content, "x", tmp_path)


def test_one_value_for_a_list_is_answered_with_the_list():
    with pytest.raises(ConfigError, match=r"directions = 'en-fr' \(x\): it takes a list, such as \['en-fr'\]"):
        ScoreConfig.build({"x": {"directions": "en-fr"}})
