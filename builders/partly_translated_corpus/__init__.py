"""Builder of the partly translated corpus: manuals in many languages, labelled by the folder they lie in."""
