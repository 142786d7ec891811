"""Settings of `pivotlens lens`."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from pivotlens.settings import EXECUTOR, PORTIONS, SBATCH, SHARDS, DocumentStageConfig, ExecutorName, setting


class LensConfig(DocumentStageConfig):
    """Train an affine lens of a model on a corpus sample: a second reading of the layers, beside the raw one."""

    stage: ClassVar[str] = "lens"
    runs_model: ClassVar[bool] = True
    optional: ClassVar[bool] = True
    model: str = setting(
        "",
        "A hub id (`org/name@revision`), a folder, a `.gguf` file, `demo:gemma-3-270m` or `demo:smollm2-135m`, or what "
        "a stage made: `run:STAGE/ARM@STEP`.",
    )
    corpus: str = setting(
        "demo:tatoeba",
        "JSON lines (.zst, .gz, .xz, .bz2) or Parquet: a file, folder or glob, hf:// or s3://, `demo:tatoeba`, or what "
        "a stage made: `run:select/top`, of another run `run:FOLDER:select/top`.",
    )
    source_column: str = setting(
        "source", "Column that tells what a document was taken from; where absent, it is the folder of its file."
    )
    identify: Literal["lines", "label"] = setting(
        "lines",
        "What language a piece is in: `lines` finds it line by line in the text, `label` believes the language column.",
    )
    boilerplate_share: float = setting(
        0.1,
        "Lines that recur in more than this share of a source's documents of a language are left out; 0 keeps all.",
        ge=0,
        lt=1,
    )
    unit_characters: int = setting(8192, "Length of the pieces that documents are drawn by.", ge=64)
    max_bad_share: float = setting(
        0.001,
        "Share of unreadable rows above which the run fails; at once where they are the most of a file's first rows.",
        ge=0,
        le=1,
    )
    limit_documents: int | None = setting(
        None, "Read only this many documents a file; recorded and shown in the report.", ge=1
    )
    workers: int = setting(1, "Worker processes that read the corpus.", ge=1, meaning=False)
    executor: ExecutorName = EXECUTOR
    shards: str = SHARDS
    portions: int = PORTIONS
    sbatch: tuple[str, ...] = SBATCH
    tokens: int = setting(40_000, "Tokens to train on; the languages take turns.", ge=2)
    held_out: int = setting(48, "Documents kept apart to measure the lens on, and as many to damp it by.", ge=2)
    sequence_length: int = setting(128, "Most tokens of a sequence; one is the beginning of a piece.", ge=8)
    steps: int = setting(300, "Steps of the optimiser, Adam; each takes its share of the tokens.", ge=1)
    learning_rate: float = setting(1e-3, "Of the first step; it falls linearly to 0.", gt=0)
    candidates: int = setting(
        8192,
        "Tokens of the vocabulary that a step's distributions are taken over: half of them the most probable ones, "
        "half drawn anew each step and weighted for the rest; 0 takes all, which is slow.",
        ge=0,
    )
    checkpoint: int = setting(20, "Steps after which the work is kept.", ge=1, meaning=False)
    seed: int = setting(0, "Seed of the sample, of the drawn tokens and of the bootstrap.", ge=0)
    dtype: Literal["float32", "bfloat16", "float16"] = setting("float32", "Number type of the model's weights.")
    device: str = setting("auto", "Where the model runs: auto, cpu, cuda, cuda:1 or mps.", meaning=False)
    batch_tokens: int = setting(8192, "Tokens that run at once; bounds memory.", ge=256)
    bootstrap: int = setting(1000, "Bootstrap resamples for the intervals.", ge=100)

    @model_validator(mode="after")
    def _enough_tokens(self) -> Self:
        if self.tokens < self.steps:
            raise ValueError(f"tokens = {self.tokens} are fewer than steps = {self.steps}")
        return self
