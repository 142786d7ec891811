"""Settings that several stages share: those that read a model, and those that read a corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import model_validator

from pivotlens.settings.base import StageConfig, setting
from pivotlens.settings.corpus_schemas import SCHEMAS, CorpusSchema

PromptTemplate = Literal["english", "native", "bare"]
"""How a translation is asked for: the paper's English prompt, the target language's own, or bare lines."""
CorpusFormat = Literal["jsonl", "parquet", "datatrove", "olmo_core", "megatron"]
"""What a corpus is written as: documents as JSON lines or Parquet, or token files for one of three trainers."""
ExecutorName = Literal["local", "ray", "slurm"]
"""What does the work on the shards of a corpus: processes here, tasks of Ray, or jobs of Slurm."""

EXECUTOR = setting(
    "local",
    "What works on the corpus: `local` processes, tasks on a `ray` cluster (RAY_ADDRESS), or jobs of `slurm`.",
    meaning=False,
)
SHARDS = setting(
    "",
    "Do only one portion of the work, such as `3/8`: make its parts of the pass that is open, and end; `merge` puts "
    "parts together and opens the next pass. Exit code 7 until the result is there.",
    meaning=False,
)
PORTIONS = setting(100, "Portions that the work is dealt out in on Slurm; each is done by `workers` processes.", ge=1,
                 meaning=False)  # fmt: skip
SBATCH = setting(
    (), "Options of sbatch for every job, without the dashes, such as `partition=cpu time=8:00:00`.", meaning=False
)


class ModelStageConfig(StageConfig):
    """Settings of a stage that reads a model."""

    runs_model: ClassVar[bool] = True
    model: str = setting(
        "",
        "A hub id (`org/name@revision`), a folder, a `.gguf` file, `demo:gemma-3-270m` or `demo:smollm2-135m`, or what "
        "a stage made: `run:STAGE/ARM@STEP`.",
    )
    directions: tuple[str, ...] = setting((), "Directions such as `fr-zh`; all pairs of the benchmark when empty.")
    prompt: PromptTemplate = setting(
        "english", "Template: the paper's English one, the target language's own, or bare `a – b` lines."
    )
    shots: int = setting(5, "Examples in a prompt.", ge=1, le=32)
    seed: int = setting(0, "Seed of the shot sets.", ge=0)
    dtype: Literal["float32", "bfloat16", "float16"] = setting("float32", "Number type of the model's weights.")
    device: str = setting("auto", "Where the model runs: auto, cpu, cuda, cuda:1 or mps.", meaning=False)
    batch_tokens: int = setting(8192, "Tokens held in the cache at once; bounds memory.", ge=256)
    bootstrap: int = setting(1000, "Bootstrap resamples for the intervals.", ge=100)
    limit_concepts: int | None = setting(
        None, "Read only this many concepts: the calibration set first, each part in the order of the list.", ge=2
    )


class SweepStageConfig(ModelStageConfig):
    """Settings of a stage that reads several models or prompts in one call."""

    also_models: tuple[str, ...] = setting(
        (), "Further models or revisions read in the same call, such as the checkpoints of a training run."
    )
    also_prompts: tuple[PromptTemplate, ...] = setting((), "Further prompts in the same call.")

    def models(self) -> tuple[str, ...]:
        """Return every model that is read, `model` first, each once."""
        return tuple(dict.fromkeys((self.model, *self.also_models)))

    def prompts(self) -> tuple[PromptTemplate, ...]:
        """Return every prompt, `prompt` first, each once."""
        return tuple(dict.fromkeys((self.prompt, *self.also_prompts)))


class DocumentStageConfig(StageConfig):
    """Settings of a stage that reads documents: where their text and language stand."""

    corpus_schema: CorpusSchema | None = setting(
        None,
        "Known corpus whose columns, and whose language codes, are those of the settings below that are not given: "
        "dolma, fineweb, fineweb-2, mc4, culturax or oscar.",
    )
    text_column: str = setting(
        "text", "Column that holds a document's text; in these names `a.b` is the field `b` of the column `a`."
    )
    language_column: str = setting(
        "language",
        "Column that holds a document's language code; `a+b` joins two, a language and a script; empty for none.",
    )
    language_file: str = setting(
        "",
        "Regular expression whose first group is the language code in a file's name below the corpus, such as "
        "`^([a-z]{2})/`: for documents that no column tells it of.",
    )
    language_map: tuple[str, ...] = setting(
        (),
        "What codes that are not BCP 47 or ISO 639 mean, as `VALUE=CODE`, or a TSV file with the columns `value` and "
        "`language`.",
    )
    language: str = setting("", "Language of documents that neither a column nor their file's name tells it of.")
    language_model: str = setting(
        "",
        "Model that tells the language of documents that nothing else does, and that labels are checked against in a "
        "sample: `lid.176` (bundled), or the file of a fastText model, such as GlotLID's.",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_known_corpus(cls, values: Any) -> Any:
        known = SCHEMAS.get(str(values.get("corpus_schema"))) if isinstance(values, Mapping) else None
        if known is None:
            return values
        return {name: value for name, value in known.items() if name in cls.model_fields} | dict(values)


class _Corpus(StageConfig):
    corpus: str = setting(
        "demo:tatoeba",
        "JSON lines (.zst, .gz, .xz, .bz2) or Parquet: a file, folder or glob, hf:// or s3://, `demo:tatoeba`, or what "
        "a stage made: `run:select/top`, of another run `run:FOLDER:select/top`.",
    )


class CorpusStageConfig(DocumentStageConfig, _Corpus):
    """Settings of a stage that reads a corpus."""

    group_column: str = setting("group", "Column shared by translations of one document; may be absent.")
    source_column: str = setting(
        "source", "Column that tells what a document was taken from; where absent, it is the folder of its file."
    )
    identify: Literal["lines", "label"] = setting(
        "lines",
        "What language a unit is in: `lines` finds it line by line in the text, `label` believes the language column.",
    )
    boilerplate_share: float = setting(
        0.1,
        "Lines that recur in more than this share of a source's documents of a language are left out; 0 keeps all.",
        ge=0,
        lt=1,
    )
    tokenizer: str = setting("", "Model spec whose tokenizer cuts the text.")
    unit: Literal["characters", "document"] = setting(
        "characters", "What counts once: a piece of a document of `unit_characters`, or the whole document."
    )
    unit_characters: int = setting(8192, "Length of a unit; documents are split at a line boundary.", ge=64)
    workers: int = setting(1, "Worker processes.", ge=1, meaning=False)
    executor: ExecutorName = EXECUTOR
    shards: str = SHARDS
    portions: int = PORTIONS
    sbatch: tuple[str, ...] = SBATCH
    max_bad_share: float = setting(
        0.001,
        "Share of unreadable rows above which the run fails; at once where they are the most of a file's first rows.",
        ge=0,
        le=1,
    )
    seed: int = setting(0, "Seed of the samples.", ge=0)
    limit_documents: int | None = setting(
        None, "Read only this many documents a file; recorded and shown in the report.", ge=1
    )


@runtime_checkable
class Launched(Protocol):
    """Settings of a stage whose work on a corpus may be done elsewhere."""

    workers: int
    executor: ExecutorName
    shards: str
    portions: int
    sbatch: tuple[str, ...]
