"""Languages of lines: the compiled loops against fastText's own numbers and against a plain loop."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from pivotlens.text.fasttext_model import NO_ROW, read_fasttext
from pivotlens.text.identification import line_identifier
from pivotlens.text.line_kernels import HAN, HANGUL, KANA, OTHER, Evidence, best_labels

# What fasttext-predict 0.9.2.4 says of the same model: label and probability.
RECORDED = [
    ("The installer asks for a password before it continues", "en", 0.938505),
    ("Cette option affiche la liste des fichiers du dossier", "fr", 0.941405),
    ("Diese Funktion gibt die Anzahl der Zeichen zurück", "de", 0.998986),
    ("Seleccione el archivo que desea abrir", "es", 0.998256),
    ("Il programma legge il file di configurazione", "it", 0.982475),
    ("Você precisa digitar uma senha antes de continuar", "pt", 0.998745),
    ("Deze optie toont een lijst van alle bestanden", "nl", 0.999219),
    ("Programmet läser filen innan det startar", "sv", 0.532602),
    ("Vælg den fil som du vil åbne nu", "da", 0.962677),
    ("Tämä valitsin näyttää kaikki tiedostot", "fi", 0.994474),
    ("Ta opcja wyświetla listę wszystkich plików", "pl", 0.999383),
    ("Tato volba zobrazí seznam všech souborů", "cs", 0.999158),
    ("Ez a kapcsoló kiírja az összes fájl nevét", "hu", 0.998743),
    ("Această opțiune afișează lista fișierelor", "ro", 0.999651),
    ("Bu seçenek bütün dosyaların listesini gösterir", "tr", 0.981006),
    ("Tùy chọn này hiển thị danh sách các tập tin", "vi", 0.999592),
    ("Эта функция возвращает число символов в строке", "ru", 0.973592),
    ("Цей параметр показує список усіх файлів", "uk", 0.989451),
    ("Αυτή η επιλογή εμφανίζει τη λίστα των αρχείων", "el", 0.998461),
    ("يعرض هذا الخيار قائمة بجميع الملفات", "ar", 0.989263),
    ("אפשרות זו מציגה את רשימת הקבצים", "he", 0.999784),
    ("यह विकल्प सभी फ़ाइलों की सूची दिखाता है।", "hi", 0.993158),
    ("ตัวเลือกนี้แสดงรายการไฟล์ทั้งหมด", "th", 0.999467),
]
MODEL = read_fasttext((resources.files("pivotlens.text") / "data" / "lid.176.ftz").read_bytes())


def _read(*lines: str) -> Evidence:
    encoded = [line.encode() + b"\n" for line in lines]
    ends = np.cumsum([len(line) for line in encoded])
    text = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return line_identifier().read(text, ends - [len(line) for line in encoded], ends - 1)


def _hash(text: bytes) -> int:
    hashed = 2166136261
    for code in text:
        hashed = (hashed ^ (code if code < 128 else code | 0xFFFFFF00)) * 16777619 % (1 << 32)
    return hashed


def _plain_sum(line: str) -> tuple[np.ndarray, int]:
    """Return the sum of the vectors of a line's words and their n-grams, one after another, and how many."""
    rows: list[int] = []
    for word in line.split():
        if word.encode() in MODEL.words:
            rows.append(MODEL.words.index(word.encode()))
        bracketed = f"<{word}>"
        for start in range(len(bracketed)):
            for length in range(MODEL.least, MODEL.most + 1):
                if start + length <= len(bracketed):
                    gram = bracketed[start : start + length].encode()
                    row = int(MODEL.rows_of_buckets[_hash(gram) % MODEL.rows_of_buckets.size])
                    rows += [row] if row != NO_ROW else []
    return MODEL.vectors[rows].sum(axis=0), len(rows)


def test_languages_and_probabilities_are_those_of_fasttext() -> None:
    evidence = _read(*(line for line, _, _ in RECORDED))
    end_of_line = MODEL.vectors[MODEL.words.index(b"</s>")]  # which fastText counts in, and lines of a text do not
    labels, probabilities = best_labels(
        evidence.sums + end_of_line, evidence.n_vectors + 1, line_identifier().tables.tree
    )
    assert [MODEL.labels[label] for label in labels] == [label for _, label, _ in RECORDED]
    assert probabilities == pytest.approx([probability for _, _, probability in RECORDED], abs=1e-4)


def test_evidence_is_that_of_a_plain_loop() -> None:
    lines = [line for line, _, _ in RECORDED]
    evidence = _read(*lines, *lines[::-1])  # the second time from memory
    for place, line in enumerate((*lines, *lines[::-1])):
        total, size = _plain_sum(line)
        assert evidence.n_vectors[place] == size, line
        assert evidence.sums[place] == pytest.approx(total, abs=1e-4), line


def test_no_evidence_comes_from_what_is_no_language() -> None:
    nothing = ["--help -v", "/etc/fstab ../x", "$HOME %s @name", "GNU HTML", "fileName x86_64 3rd", "<b>", "a=b c(1)"]
    nothing += ["msgid msgstr", "https://example.org/a", "", "  "]
    evidence = _read(*nothing)
    assert evidence.characters.sum(axis=1).tolist() == [0] * len(nothing)
    words = ['"Hello, (world)!"', "don't re-use", "Datei-Name", "l’eau"]
    assert _read(*words).words.tolist() == [2, 2, 1, 1]
    assert _read(*words).characters[:, OTHER].tolist() == [10, 9, 9, 4]


def test_characters_are_counted_by_script() -> None:
    evidence = _read("これは水です。", "这是水（H2O），2001年", "이것은 물이다 3개", "水water", "คำ2ไทย")
    assert evidence.characters[:, KANA].tolist() == [5, 0, 0, 0, 0]
    assert evidence.characters[:, HAN].tolist() == [1, 4, 0, 1, 0]
    assert evidence.characters[:, HANGUL].tolist() == [0, 0, 7, 0, 0]
    assert evidence.characters[:, OTHER].tolist()[:4] == [0, 0, 0, 0]
    assert evidence.n_vectors[:4].tolist() == [0, 0, 0, 0]
    assert evidence.n_vectors[4] > 0


def test_a_label_has_the_number_of_its_language_whatever_its_script() -> None:
    languages = line_identifier().languages
    assert languages.number("zh-Hant") == languages.number("zh") >= 0
    assert languages.number("sr-Latn") == languages.number("sr") >= 0
    assert languages.number("tlh") == -1
    assert languages.close[languages.number("hr"), languages.number("sr")]
    assert not languages.close.diagonal().any()
    assert (languages.close == languages.close.T).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\0" * 64, "no fastText model"), (np.array([793712314, 11], "<i4").tobytes() + b"\0" * 64, "version 12")],
)
def test_another_file_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_fasttext(content)
