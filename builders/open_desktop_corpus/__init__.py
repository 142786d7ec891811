"""Builder of the open-desktop corpus: free text of the desktop, in seven languages."""

LANGUAGES = ("de", "en", "es", "fr", "ja", "ru", "zh")
KINDS = ("documentation", "catalogs", "tatoeba")
