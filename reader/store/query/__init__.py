"""The query language: text to tree, what it means, and what the full-text table holds.

Pure functions, standard library only; no SQL. ``parse`` never raises: what it
does not understand is complained of at its column, and the rest still runs.

Nothing is imported here: what reads files needs the folding of words alone.
"""
