"""Families of tasks of lm-evaluation-harness: which ask the same in several languages, and what belongs together.

Task names, folders and languages are those of the harness; a test holds them against its registry.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pivotlens.text import language_code


@dataclass(frozen=True)
class Family:
    """Tasks that are one another's translations.

    Attributes:
        name: Of the family.
        tasks: Its tasks, each with the codes of its languages as the harness writes them.
        fields: Of a document, the first that it has names its cluster, the same in every language.
        by_first: Whether the field is text, which differs by language: a cluster is then named by the number of its
            first document, which is the same in all languages as their documents stand in one order.
        folders: Where the harness keeps the tasks, below its own; none for those of pivotlens.
    """

    name: str
    tasks: Mapping[str, tuple[str, ...]]
    fields: tuple[str, ...]
    by_first: bool = False
    folders: tuple[str, ...] = ()

    def tasks_in(self, languages: Sequence[str]) -> list[str]:
        """Return the tasks all of whose languages are among some; every task without any.

        Args:
            languages: BCP 47 codes, or codes as the harness writes them in the names of these tasks.
        """
        wanted = {language_code(code, "languages") for code in languages}
        return [
            task
            for task, codes in self.tasks.items()
            if not wanted or all(language_code(one) in wanted for one in codes)
        ]

    def cluster_value(self, document: Mapping[str, Any]) -> str:
        """Return what names the cluster of a document; empty where it has none of the fields."""
        return next((str(document[name]) for name in self.fields if document.get(name) not in (None, "")), "")

    def clusters(self, values: Sequence[str], numbers: Sequence[int], keys: Sequence[str]) -> list[str]:
        """Return the cluster of each document of a task.

        Args:
            values: What `cluster_value` returned.
            numbers: The document's number in its task.
            keys: What stands for a document that has no such value, and is a cluster by itself.
        """
        if not self.by_first:
            return [value or key for value, key in zip(values, keys, strict=True)]
        first: dict[str, int] = {}
        for value, number in zip(values, numbers, strict=True):
            first[value] = min(number, first.get(value, number))
        return [str(first[value]) if value else key for value, key in zip(values, keys, strict=True)]


def _by_language(name: str, codes: str) -> dict[str, tuple[str, ...]]:
    return {name.format(code): (code,) for code in codes.split()}


_OWN_DIRECTIONS = tuple(itertools.permutations(("en", "fr", "de", "es", "zh", "ja"), 2))
_SUBJECTS = ("business", "humanities", "medical", "other", "social_sciences", "stem")
# Each has FLORES both ways with all of these; where two have a direction, the first.
_FLORES = {"spanish": "es", "portuguese": "pt", "catalan": "ca", "galician": "gl", "basque": "eu"}
_FLORES_LANGUAGES = ("ca", "de", "en", "es", "eu", "fr", "gl", "it", "pt")
_BELEBELE = (
    "acm_Arab afr_Latn als_Latn amh_Ethi apc_Arab arb_Arab arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng azj_Latn "
    "bam_Latn ben_Beng ben_Latn bod_Tibt bul_Cyrl cat_Latn ceb_Latn ces_Latn ckb_Arab dan_Latn deu_Latn ell_Grek "
    "eng_Latn est_Latn eus_Latn fin_Latn fra_Latn fuv_Latn gaz_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr "
    "hin_Deva hin_Latn hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan "
    "kac_Latn kan_Knda kat_Geor kaz_Cyrl kea_Latn khk_Cyrl khm_Khmr kin_Latn kir_Cyrl kor_Hang lao_Laoo lin_Latn "
    "lit_Latn lug_Latn luo_Latn lvs_Latn mal_Mlym mar_Deva mkd_Cyrl mlt_Latn mri_Latn mya_Mymr nld_Latn nob_Latn "
    "npi_Deva npi_Latn nso_Latn nya_Latn ory_Orya pan_Guru pbt_Arab pes_Arab plt_Latn pol_Latn por_Latn ron_Latn "
    "rus_Cyrl shn_Mymr sin_Latn sin_Sinh slk_Latn slv_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srp_Cyrl "
    "ssw_Latn sun_Latn swe_Latn swh_Latn tam_Taml tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi tsn_Latn tso_Latn "
    "tur_Latn ukr_Cyrl urd_Arab urd_Latn uzn_Latn vie_Latn war_Latn wol_Latn xho_Latn yor_Latn zho_Hans zho_Hant "
    "zsm_Latn zul_Latn"
)


def _flores() -> dict[str, tuple[str, ...]]:
    found: dict[tuple[str, ...], str] = {}
    for name, own in _FLORES.items():
        for other in _FLORES_LANGUAGES:
            for pair in ((own, other), (other, own)):
                if own != other:
                    found.setdefault(pair, f"{name}_bench_flores_{'-'.join(pair)}")
    return {task: pair for pair, task in found.items()}


FAMILIES = {
    family.name: family
    for family in (
        Family(
            "pivotlens",
            {f"pivotlens_{'_'.join(pair)}": pair for pair in _OWN_DIRECTIONS},
            ("concept_id",),
        ),
        Family(
            "pivotlens_sentences",
            {f"pivotlens_sentences_{'_'.join(pair)}": pair for pair in _OWN_DIRECTIONS},
            ("id",),
        ),
        # Each premise stands in three documents, one after another.
        Family("xnli", _by_language("xnli_{}", "ar bg de el en es fr hi ru sw th tr ur vi zh"), ("premise",),
               by_first=True, folders=("xnli",)),
        Family("xcopa", _by_language("xcopa_{}", "et ht id it qu sw ta th tr vi zh"), ("idx",), folders=("xcopa",)),
        Family("xstorycloze", _by_language("xstorycloze_{}", "ar en es eu hi id my ru sw te zh"), ("story_id",),
               folders=("xstorycloze",)),
        Family("belebele", _by_language("belebele_{}", _BELEBELE), ("link", "flores_passage"), folders=("belebele",)),
        Family("paws_x", _by_language("paws_{}", "de en es fr ja ko zh"), ("id",), folders=("paws-x",)),
        Family(
            "global_mmlu",
            {
                f"global_mmlu_{code}_{subject}": (code,)
                for code in ["ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "pt", "sw", "yo", "zh"]
                for subject in _SUBJECTS
            },
            ("sample_id",),
            folders=("global_mmlu",),
        ),
        Family("flores", _flores(), ("URL", "id"), folders=tuple(f"{name}_bench" for name in _FLORES)),
    )
}  # fmt: skip
"""Those whose documents are known to be the same in every language; the first are pivotlens's own."""


@functools.cache
def _family_by_task() -> dict[str, Family]:
    return {task: family for family in FAMILIES.values() for task in family.tasks}


def family_of(task: str, field: str = "") -> Family:
    """Return the family of a task; of an unknown one, a family of its own whose documents stand each for itself.

    Args:
        task: Its name in the harness.
        field: Of a document, what names its cluster instead of what the family knows.
    """
    found = _family_by_task().get(task)
    if field or found is None:
        return Family(found.name if found else task, {task: ()}, (field,) if field else ())
    return found
