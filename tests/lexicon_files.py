"""Small dictionaries in every format."""

from __future__ import annotations

import gzip
from pathlib import Path

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

# English, French, Chinese, Japanese, Japanese in kana
_TEXT = """
water eau 水 水 みず
cat chat 猫 猫 ねこ
dog chien 狗 犬 いぬ
tree arbre 树 木 き
book livre 书 本 ほん
hand main 手 手 て
house maison 房子 家 いえ
bread pain 面包 麺麭 パン
king roi 国王 王 おう
night nuit 夜 夜 よる
snow neige 雪 雪 ゆき
fish poisson 鱼 魚 さかな
red rouge 红 赤 あか
moon lune 月亮 月 つき
sea mer 海 海 うみ
rain pluie 雨 雨 あめ
"""
WORDS = [line.split() for line in _TEXT.split("\n") if line]
SMALL = {"shot_pool": 5, "distractors": 4, "calibration": 5}


def number(value: int) -> str:
    """Write a number in dictd's base 64."""
    digits = DIGITS[value % 64]
    while value := value // 64:
        digits = DIGITS[value % 64] + digits
    return digits


def dictd(articles: dict[str, str]) -> tuple[bytes, bytes]:
    """Return the index and the articles of a dictd dictionary, the headwords in lower case as dictfmt has them."""
    lines, body = ["00databaseutf8\tA\tB"], b"\n"
    for headword, article in articles.items():
        data = article.encode()
        lines.append(f"{headword.lower()}\t{number(len(body))}\t{number(len(data))}")
        body += data
    return ("\n".join(lines) + "\n").encode(), body


def write_dictd(folder: Path, stem: str, articles: dict[str, str]) -> Path:
    """Write a dictd dictionary and return its index."""
    index, body = dictd(articles)
    (folder / f"{stem}.index").write_bytes(index)
    (folder / f"{stem}.dict.dz").write_bytes(gzip.compress(body))
    return folder / f"{stem}.index"


def freedict(folder: Path) -> Path:
    """Write an English–French dictionary as FreeDict has them."""
    return write_dictd(
        folder, "freedict-eng-fra", {en: f"{en} /ipa/ <n>\n1. {fr}\n2. [zool] (fam) {fr}ette\n" for en, fr, *_ in WORDS}
    )


def pairs(folder: Path) -> Path:
    """Write word pairs as MUSE has them."""
    path = folder / "en-fr.txt"
    path.write_text("".join(f"{en} {fr}\n" for en, fr, *_ in WORDS), encoding="utf-8")
    return path


def table(folder: Path) -> Path:
    """Write a table of three languages."""
    path = folder / "words.tsv"
    rows = [f"{en}\t{fr}\t{zh}\tn\n" for en, fr, zh, *_ in WORDS]
    path.write_text("en\tfr\tzho_Hans\tpos\n" + "".join(rows), encoding="utf-8")
    return path


def cedict(folder: Path) -> Path:
    """Write a dictionary in the format of CC-CEDICT."""
    path = folder / "cedict_ts.u8"
    lines = [f"{zh} {zh} [zi4] /{en}/CL:個|个[ge4]/\n" for en, _, zh, *_ in WORDS]
    path.write_text("# CC-CEDICT\n#! version=1\n" + "".join(lines), encoding="utf-8")
    return path


def jmdict_bytes(entries: str, entities: str = '<!ENTITY n "noun (common)">\n<!ENTITY uk "usually kana">\n') -> bytes:
    """Return JMdict with some entries."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE JMdict [\n<!ELEMENT JMdict (entry*)>\n{entities}]>\n'
    return f"{text}<JMdict>\n{entries}\n</JMdict>\n".encode()


def jmdict(folder: Path) -> Path:
    """Write JMdict, packed."""
    entries = [
        f"<entry><ent_seq>{place}</ent_seq><k_ele><keb>{ja}</keb><ke_pri>nf{place + 1:02d}</ke_pri></k_ele>"
        f"<r_ele><reb>{kana}</reb></r_ele><sense><pos>&n;</pos><gloss>{en} (a (nested) note)</gloss></sense>"
        f'<sense><gloss xml:lang="fre">{fr} (m., f.)</gloss></sense></entry>'
        for place, (en, fr, _, ja, kana) in enumerate(WORDS)
    ]
    path = folder / "JMdict.gz"
    path.write_bytes(gzip.compress(jmdict_bytes("\n".join(entries))))
    return path
