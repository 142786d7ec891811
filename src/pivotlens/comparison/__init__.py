"""Two sides on the same documents, whoever measured them: matched, compared, and what could have been found."""
