"""Tables of ``lens``: how far the raw and the trained lens are from the model's last layer."""

from __future__ import annotations

from pivotlens.artifacts.tables.column import INTEGER, LAYER, MODEL, NATS, NUMBER, SHARE, Column, estimate, table

_KL = "KL(last layer ‖ this layer), over the whole vocabulary"
_AGREES = "Share of positions whose most probable token is the last layer's"

TABLES = {
    "layers": table(
        "A layer. Figures are means over held-out documents of means over their positions.",
        MODEL,
        Column("layer", INTEGER, LAYER, "0 is the embeddings, l the output of block l."),
        Column("n", INTEGER, "documents", "Held-out documents."),
        estimate("kl_raw", NATS, f"{_KL}, read as it is.", "documents"),
        estimate("kl_tuned", NATS, f"{_KL}, read by the trained lens.", "documents"),
        estimate("agrees_raw", SHARE, f"{_AGREES}, read as it is.", "documents"),
        estimate("agrees_tuned", SHARE, f"{_AGREES}, read by the trained lens.", "documents"),
        Column(
            "kept_change",
            NUMBER,
            SHARE,
            "How much of the translator's change is kept, chosen on other documents; at 0 the layer is read raw.",
        ),
    ),
}
