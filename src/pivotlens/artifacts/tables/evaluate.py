"""Tables of ``evaluate``: how well models do in tasks of lm-evaluation-harness, and whether they differ."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import (
    FLAG,
    INTEGER,
    MODEL,
    NONE,
    NUMBER,
    PROBABILITY,
    STRING,
    Column,
    interval,
    table,
)

_TASK = Column("task", STRING, NONE, "The task, as the harness names it; of a mean over tasks their family.")
_METRIC = Column("metric", STRING, NONE, "As the harness names it, with the filter behind a comma where there is one.")
_TASKS = Column("tasks", INTEGER, "tasks", "How many tasks the row is over: 1, or those of a family.")
_CLUSTERS = Column(
    "clusters", INTEGER, "clusters", "Documents that belong together, such as those on one passage, are one cluster."
)
_UNIT = "of the metric"
_RESAMPLED = "clusters (jointly over the tasks of a family)"

TABLES = {
    "results": table(
        "A metric of a model in a task; or of the tasks of a family, which ask the same things in several languages.",
        MODEL,
        _TASK,
        _TASKS,
        _METRIC,
        Column("version", STRING, NONE, "Of the task, as the harness gives it; empty for a family."),
        Column("shots", INTEGER, "examples", "In a prompt; empty for a family."),
        Column("n", INTEGER, "documents", "How many have a value; all documents where the metric is of all together."),
        _CLUSTERS,
        Column(
            "value",
            NUMBER,
            _UNIT,
            "What the harness gives; of a family the mean of its tasks' values; of `chrf_sentence` the mean of the "
            "documents' chrF.",
        ),
        Column("stderr", NUMBER, _UNIT, "Standard error as the harness gives it, documents independent; may be empty."),
        *interval("value", _UNIT, _RESAMPLED),
        note="The interval is empty where documents have no value of their own, as with corpus chrF.",
    ),
    "samples": table(
        "A metric of a model on a document.",
        MODEL,
        _TASK,
        Column("doc_id", INTEGER, "number from 0", "Number of the document in its task."),
        Column("doc_hash", STRING, NONE, "The harness's hash of the document; what models are matched by."),
        Column("prompt_hash", STRING, NONE, "Its hash of the prompt."),
        Column("cluster", STRING, NONE, "Which documents belong together; the same in all tasks of a family."),
        _METRIC,
        Column("value", NUMBER, _UNIT, "The document's value."),
    ),
    "differences": table(
        "A metric of a model against the first model, on the documents of both: what `pivotlens compare` gives.",
        MODEL,
        _TASK,
        _TASKS,
        _METRIC,
        Column("n", INTEGER, "documents", "Documents of both."),
        _CLUSTERS,
        Column("first", NUMBER, _UNIT, "Mean of the first model; over tasks the mean of their means."),
        Column("second", NUMBER, _UNIT, "Mean of this model."),
        Column("difference", NUMBER, _UNIT, "`second` − `first`."),
        *interval("difference", _UNIT, _RESAMPLED),
        Column("test", STRING, NONE, "Which test `p_value` is of: `mcnemar`, or `sign_flip` by cluster."),
        Column("p_value", NUMBER, PROBABILITY, "Two-sided."),
        Column(
            "p_holm",
            NUMBER,
            PROBABILITY,
            "Adjusted over the tasks of the metric (Holm); of families over these.",
        ),
        Column("p_unpaired", NUMBER, PROBABILITY, "Of the z-test that takes both sides as independent."),
        Column("p_mcnemar", NUMBER, PROBABILITY, "Of McNemar's exact test; empty unless all values are 0 or 1."),
        Column("p_sign_flip", NUMBER, PROBABILITY, "Of the sign-flip test by cluster."),
        Column("p_t", NUMBER, PROBABILITY, "Of the paired t-test by cluster; empty where clusters do not differ."),
        Column(
            "detectable",
            NUMBER,
            _UNIT,
            "Smallest difference that would have been found with a power of 80 % at 5 %; empty likewise.",
        ),
        Column("comparable", FLAG, NONE, "Whether the metric means the same for both, given their tokenizers."),
    ),
}
