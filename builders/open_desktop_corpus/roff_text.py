"""Text of manual pages, for the man and mdoc macros."""

import re
from collections.abc import Iterator

from open_desktop_corpus.documents import join_lines, word_set

_BREAKS = word_set("PP LP P IP TP TQ HP sp br RS RE in nf fi EX EE Pp Bl El Bd Ed D1 Dl ti")
_HEADINGS = frozenset(["SH", "SS", "Sh", "Ss"])
_FONTS = frozenset(["B", "I", "R", "SM", "SB", "C", "CW"])
_ALTERNATING = frozenset(["BR", "RB", "BI", "IB", "IR", "RI"])
_MDOC = word_set(
    """
    Ad An Ap Aq Ar At Bq Bsx Bx Cd Cm Dq Dv Em Er Ev Fa Fl Fn Fx Ic Lb Li Lk Ms Mt Nd Nm Ns Op Ox Pa Pf Pq Ql
    Qq Rv Sq St Sx Sy Tn Ux Va Vt Xr
    """
)
_NAMED_CHARACTERS = {
    "aq": "'", "dq": '"', "lq": "“", "rq": "”", "oq": "‘", "cq": "’", "em": "—", "en": "–",
    "hy": "-", "bu": "•", "co": "©", "rg": "®", "ti": "~", "ha": "^", "ga": "`", "rs": "\\",
    "Fo": "«", "Fc": "»", "mu": "×", "->": "→", "<-": "←", "Cs": "¤", "Eu": "€", "de": "°",
    "+-": "±", "at": "@", "sh": "#", "ul": "_", "lB": "[", "rB": "]", "or": "|",
}  # fmt: skip
_ESCAPE = re.compile(
    r"""\\(?:
        f(?:\[[^\]]*\]|\(..|.)                  # font
      | s[-+]?(?:\[[^\]]*\]|\(?\d{1,2})         # size
      | [nkgmMYFV*](?:\[[^\]]*\]|\(..|[-+]?.)   # register, string, colour
      | [hvwoDLlbXZ]'[^']*'                     # motion and drawing
      | \((?P<two>..) | \[(?P<long>[^\]]*)\]    # named character
      | (?P<one>.)
    )""",
    re.VERBOSE,
)
_ARGUMENT = re.compile(r'"((?:[^"]|"")*)"?|((?:\\.|[^\s\\])+|\\)')


def _unescape(match: re.Match[str]) -> str:
    name = match["two"] or match["long"]
    if name:
        code = re.fullmatch(r"u([0-9A-F]{4,5})", name)
        return chr(int(code[1], 16)) if code else _NAMED_CHARACTERS.get(name, "")
    return {"-": "-", "e": "\\", "\\": "\\", " ": " ", "~": " ", "0": " ", "'": "'", "`": "`",
            ".": ".", "t": " "}.get(match["one"] or "", "")  # fmt: skip


def _plain(line: str) -> str:
    line = re.sub(r'(?<!\\)\\["#].*', "", line)
    return " ".join(_ESCAPE.sub(_unescape, line).split())


class _Page:
    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._lines: list[str] = []
        self._verbatim = False
        self._name = ""

    def line(self, raw: str) -> None:
        if raw[:1] in (".", "'"):
            macro, _, rest = raw[1:].strip().partition(" ")
            self._macro(macro, rest.strip())
        elif plain := _plain(raw):
            self._add(plain)

    def _add(self, plain: str) -> None:
        self._lines.append(plain)
        if self._verbatim:
            self._break()

    def _break(self) -> None:
        if self._lines:
            self._blocks.append(join_lines(self._lines))
            self._lines = []

    def _macro(self, macro: str, rest: str) -> None:
        if macro in _BREAKS or macro in _HEADINGS:
            self._break()
        if macro in ("nf", "EX", "Bd"):
            self._verbatim = True
        elif macro in ("fi", "EE", "Ed"):
            self._verbatim = False
        arguments = [(quoted or bare) for quoted, bare in _ARGUMENT.findall(rest)]
        if macro in _HEADINGS or macro in _FONTS:
            self._emit(" ".join(arguments), heading=macro in _HEADINGS)
        elif macro in _ALTERNATING:
            self._emit("".join(arguments))
        elif macro == "IP" and arguments:
            self._emit(arguments[0], heading=True)
        elif macro in ("UE", "ME") and arguments and self._lines:
            self._lines[-1] += _plain(arguments[0])
        elif macro == "It" or macro in _MDOC:
            if macro == "It":
                self._break()
            self._mdoc([macro, *arguments])

    def _emit(self, text: str, *, heading: bool = False) -> None:
        if plain := _plain(text):
            self._add(plain)
        if heading:
            self._break()

    def _mdoc(self, words: list[str]) -> None:
        out: list[str] = []
        for place, word in enumerate(words):
            if word == "Nm":
                named = place + 1 < len(words) and words[place + 1] not in _MDOC
                self._name = words[place + 1] if named and not self._name else self._name
                out += [] if named else [self._name]
            elif word == "Fl":
                out.append("-")
            elif word != "It" and word not in _MDOC:
                glue = bool(out) and (out[-1] == "-" or re.fullmatch(r"[.,;:)\]]", word))
                out[-1:] = [out[-1] + word] if glue else [*out[-1:], word]
        self._emit(" ".join(out))

    def text(self) -> str:
        self._break()
        return "\n".join(self._blocks)


def manual_text(source: str) -> str:
    """Return the readable text of a manual page, one paragraph a line."""
    page = _Page()
    lines = iter(re.sub(r"(?<!\\)\\\n", "", source).split("\n"))
    for raw in lines:
        if re.match(r"[.']\s*(de|am|ig)\b", raw):
            for skipped in lines:
                if skipped.startswith(".."):
                    break
        elif re.match(r"\.TS\b", raw):
            _table(page, lines)
        elif not re.match(r"""[.']\s*(\\"|if\b|ie\b|el\b|\\\})""", raw):
            page.line(raw)
    return page.text()


def _table(page: _Page, lines: Iterator[str]) -> None:
    # The layout ends at the first line closed by a full stop; cells are parted by tabs.
    for layout in lines:
        if layout.rstrip().endswith("."):
            break
    page.line(".br")
    for row in lines:
        if row.startswith(".TE"):
            break
        if row.startswith(".") or row in ("_", "=", "T}"):
            continue
        page.line(row.replace("\t", " ").replace("T{", "").replace("T}", ""))
        page.line(".br")
