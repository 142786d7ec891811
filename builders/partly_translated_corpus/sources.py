"""What the corpus is made of: packages, the files to take from them, and their licences."""

import re

from open_desktop_corpus.sources import PageSet

_VARIANTS = {"zh-tw": "zh-Hant", "sr@latin": "sr-Latn"}
_LOCALE = re.compile(r"[a-z]{2,3}(?:[-_@.][A-Za-z0-9-]+)*$")

_MANUAL_PAGES = re.compile(r"usr/share/man/(?:(?P<locale>[^/]+)/)?man\d/(?P<page>[^/]+)\.gz$")


def label_of(locale: str | None) -> str | None:
    """Return the language that a folder's name claims, or None where it claims none.

    National variants count as their language; no folder stands for the English original.
    """
    locale = locale or "en"
    if not _LOCALE.match(locale):
        return None
    parts = re.split(r"[-_.]", locale)
    return _VARIANTS.get(locale.lower().replace("_", "-")) or re.split("@", parts[0])[0]


def _named(stem: str, endings: str) -> tuple[str, ...]:
    return tuple(f"{stem}{ending}" for ending in endings.split())


PAGE_SETS = (
    PageSet(
        "debian-handbook",
        ("debian-handbook",),
        re.compile(r"usr/share/doc/debian-handbook/html/(?P<locale>[^/]+)/(?P<page>[^/]+)\.html$"),
        "html",
        "GPL-2.0-or-later OR CC-BY-SA-3.0",
    ),
    PageSet(
        "installation-guide",
        ("installation-guide-amd64",),
        re.compile(r"usr/share/doc/installation-guide-amd64/(?P<locale>[^/]+)/(?P<page>[^/]+)\.html$"),
        "html",
        "GPL-2.0-or-later",
    ),
    PageSet(
        "aptitude-doc",
        _named("aptitude-doc-", "cs en es fi fr it ja nl ru"),
        re.compile(r"usr/share/doc/aptitude/html/(?P<locale>[^/]+)/(?P<page>(?:ch|pr)\w+)\.html$"),
        "html",
        "GPL-2.0-or-later",
    ),
    PageSet(
        "developers-reference",
        ("developers-reference", *_named("developers-reference-", "de fr it ja ru")),
        re.compile(r"usr/share/developers-reference/(?:(?P<locale>[a-z]{2})/)?(?P<page>[\w-]+)\.html$"),
        "html",
        "GPL-2.0-or-later",
    ),
    PageSet(
        "maint-guide",
        ("maint-guide", *_named("maint-guide-", "ca de es fr it ja ru vi zh-cn zh-tw")),
        re.compile(r"usr/share/doc/maint-guide[\w-]*/html/(?P<page>[\w-]+)\.(?P<locale>[\w-]+)\.html$"),
        "html",
        "GPL-2.0-or-later",
    ),
    PageSet(
        "manpages",
        (
            "manpages",
            *_named("manpages-", "cs da de el es fi fr hu id it mk nb nl pl pt-br ro ru sr sv tr uk vi zh"),
        ),
        _MANUAL_PAGES,
        "roff",
        "LicenseRef-debian-copyright",
    ),
)
