"""Settings of `pivotlens evaluate`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator

from pivotlens.settings import StageConfig, setting


class EvaluateConfig(StageConfig):
    """Run models in tasks of lm-evaluation-harness, all in one table, each against the first one with intervals."""

    stage: ClassVar[str] = "evaluate"
    runs_model: ClassVar[bool] = True
    optional: ClassVar[bool] = True
    extra: ClassVar[str] = "eval"
    packages: ClassVar[tuple[str, ...]] = ("lm_eval", "datasets")
    model: str = setting(
        "",
        "What the others are compared with: a hub id (`org/name@revision`), a folder, a `.gguf` file, "
        "`demo:gemma-3-270m` or `demo:smollm2-135m`, or what a stage made: `run:STAGE/ARM@STEP`.",
    )
    also_models: tuple[str, ...] = setting(
        (), "Further models in the same tables, such as the arms of a training run: `run:train/top@step-400`."
    )
    tasks: tuple[str, ...] = setting(
        ("pivotlens",),
        "Families of tasks (`pivotlens`, `pivotlens_sentences`, `xnli`, `xcopa`, `xstorycloze`, `belebele`, `paws_x`, "
        "`global_mmlu`, `flores`), or names of single tasks of the harness.",
    )
    languages: tuple[str, ...] = setting((), "Languages of the families, such as `en` and `fr`; all when empty.")
    data: tuple[str, ...] = setting(
        (),
        "Local data instead of the hub's, as TASK=PATH: a file (.jsonl, .json, .csv, .parquet) with the evaluated "
        "documents, or a folder with one a split, such as `train.jsonl`; {language} stands for a family's languages.",
    )
    include_path: str = setting("", "Folder with further tasks of your own, as YAML files of the harness.")
    options: tuple[str, ...] = setting(
        (), "Options of the tasks of pivotlens as NAME=VALUE, such as `shot_sets=2`; docs/harness.md lists them."
    )
    shots: int | None = setting(None, "Examples in a prompt; what the task says when empty.", ge=0)
    limit_documents: int | None = setting(
        None, "Evaluate only this many documents a task; recorded and shown in the report.", ge=1
    )
    seed: int = setting(0, "Seed of the examples and of the bootstrap.", ge=0)
    dtype: Literal["float32", "bfloat16", "float16"] = setting("float32", "Number type of the model's weights.")
    device: str = setting("auto", "Where the model runs: auto, cpu, cuda, cuda:1 or mps.", meaning=False)
    batch_size: int = setting(8, "Prompts that run at once; bounds memory.", ge=1)
    bootstrap: int = setting(1000, "Bootstrap resamples for the intervals.", ge=100)

    @field_validator("tasks")
    @classmethod
    def _has_tasks(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        if not tasks:
            raise ValueError("name at least one task")
        return tuple(dict.fromkeys(tasks))

    @field_validator("data", "options")
    @classmethod
    def _are_pairs(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            name, mark, value = text.partition("=")
            if not (name and mark and value):
                raise ValueError(f"{text!r} is no NAME=VALUE")
        return texts

    def models(self) -> tuple[str, ...]:
        """Return every model that is evaluated, `model` first, each once."""
        return tuple(dict.fromkeys((self.model, *self.also_models)))

    def pairs(self, name: Literal["data", "options"]) -> dict[str, str]:
        """Return a setting whose values are NAME=VALUE as a mapping; the last of a name counts."""
        found: dict[str, str] = {}
        for text in getattr(self, name):
            key, _, value = text.partition("=")
            found[key] = value
        return found
