"""Settings of `pivotlens train`."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from pivotlens.settings import DocumentStageConfig, setting
from pivotlens.train.arms import arm_specs


class TrainConfig(DocumentStageConfig):
    """Train a causal language model on each arm of a selection, further or from scratch, on equally many tokens."""

    stage: ClassVar[str] = "train"
    runs_model: ClassVar[bool] = True
    optional: ClassVar[bool] = True
    model: str = setting(
        "",
        "Model that is trained further: a hub id (`org/name@revision`), a folder, a `.gguf` file, "
        "`demo:gemma-3-270m` or `demo:smollm2-135m`, or what a stage made: `run:STAGE/ARM@STEP`.",
    )
    configuration: str = setting(
        "", "Configuration of a model that is trained from scratch: a JSON or TOML file as transformers reads it."
    )
    tokenizer: str = setting(
        "",
        "Tokenizer of a model from scratch: a model spec, or a folder with a `tokenizer.json`. A model that is "
        "trained further has its own.",
    )
    arms: tuple[str, ...] = setting(
        (),
        "Corpora that one model each is trained on: `run:select/top`, a path, hf:// or s3://, `demo:tatoeba`; with a "
        "name of its own as `NAME=CORPUS`.",
    )
    seeds: tuple[int, ...] = setting((0,), "Seeds: of the order of the sequences, and of new weights; a run each.")
    max_bad_share: float = setting(
        0.001,
        "Share of unreadable rows above which the run fails; at once where they are the most of a file's first rows.",
        ge=0,
        le=1,
    )
    limit_documents: int | None = setting(
        None, "Read only this many documents a file; recorded and shown in the report.", ge=1
    )
    end_of_document: str = setting(
        "", "Token that ends every document, such as `<|endoftext|>`; the tokenizer's own end of a text when empty."
    )
    sequence_length: int = setting(512, "Tokens of a sequence; documents are packed into them one after another.", ge=8)
    tokens: int | None = setting(
        None, "Tokens that each arm is trained on, read again as often as it takes; all of an arm once when not given.",
        ge=1,
    )  # fmt: skip
    unequal_arms: Literal["refuse", "cut"] = setting(
        "refuse", "What happens where arms hold different numbers of tokens: `cut` takes of each what the smallest has."
    )
    batch_sequences: int = setting(4, "Sequences of a step, over all processes.", ge=1)
    accumulation: int = setting(1, "Parts that a step's sequences are run in, one after another; bounds memory.", ge=1)
    learning_rate: float = setting(2e-4, "The highest one.", gt=0)
    schedule: Literal["cosine", "linear", "wsd"] = setting(
        "cosine", "How it falls after the warm-up: by a cosine, in a line, or at the end alone (wsd)."
    )
    warmup: float = setting(0.05, "Share of the steps in which it rises from 0.", ge=0, le=1)
    decay: float = setting(0.2, "Share of the steps, the last ones, in which it falls under `wsd`.", gt=0, le=1)
    final_rate: float = setting(0.1, "What it falls to, as a share of the highest one.", ge=0, le=1)
    weight_decay: float = setting(0.1, "AdamW's, of matrices alone: not of biases and norms.", ge=0)
    beta2: float = setting(0.95, "AdamW's second one; the first is 0.9.", gt=0, lt=1)
    gradient_clip: float = setting(1.0, "Largest norm of the gradient; a larger one is scaled down to it.", gt=0)
    precision: Literal["bfloat16", "float32"] = setting(
        "bfloat16", "Number type of matrix products; weights, gradients' sums and the optimiser are float32."
    )
    checkpoint_steps: tuple[int, ...] = setting(
        (), "Steps after which the model is written, 0 for before the first; it is written after the last in any case."
    )
    checkpoint_tokens: tuple[int, ...] = setting(
        (), "Numbers of tokens at which the model is written: after the first step that has read so many."
    )
    score_concepts: int = setting(
        0, "Concepts of the benchmark that each checkpoint is scored on, those of the calibration set first; 0: none.",
        ge=0,
    )  # fmt: skip
    directions: tuple[str, ...] = setting(
        (), "Directions that are scored, such as `fr-zh`; all pairs of the benchmark when empty."
    )
    shots: int = setting(5, "Examples in a prompt.", ge=1, le=32)
    held_out: str = setting("", "Corpus that bits per byte are measured on at each checkpoint; nothing when empty.")
    held_out_units: int = setting(100, "Pieces of it that are read in each language.", ge=1)
    bootstrap: int = setting(1000, "Bootstrap resamples for the intervals.", ge=100)
    workers: int = setting(1, "Processes that train side by side, one arm and seed each.", ge=1, meaning=False)
    threads: int = setting(1, "Threads of a process; the last digits of a loss depend on it.", ge=1, meaning=False)
    device: str = setting("auto", "Where the models are trained: auto, cpu, cuda, cuda:1 or mps.", meaning=False)
    keep_minutes: float = setting(2.0, "Minutes after which the work is kept.", ge=0, meaning=False)
    log_to: Literal["file", "trackio", "wandb"] = setting(
        "file", "Where losses go as they come: the log in the run folder alone, or a service too.", meaning=False
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.batch_sequences % self.accumulation:
            raise ValueError(
                f"batch_sequences = {self.batch_sequences} cannot be run in accumulation = {self.accumulation} "
                "equal parts"
            )
        for name in ("seeds", "checkpoint_steps", "checkpoint_tokens"):
            if negative := [value for value in getattr(self, name) if value < 0]:
                raise ValueError(f"{name} holds {negative[0]}, which is negative")
        arm_specs(self.arms)
        return self
