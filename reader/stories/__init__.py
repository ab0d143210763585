"""Coverage: what different outlets made of one story. Pure functions over the model.

``pieces_and_ties`` folds articles and what they mention into one piece per
key; ``cluster`` makes stories of them and ``update`` keeps those current;
``texts`` finds who printed the same text; ``best_source``, ``headline_diff``,
``timeline`` and ``concentration`` say what a reader wants to see of a story.
"""
