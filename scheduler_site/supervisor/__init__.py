"""``make up``: every process of a Parley on one machine, started, watched and stopped together.

``main`` is where it begins; nothing here imports Django, so that it starts at once and stays
single-threaded, which the death signal of its children relies on (``child``).
"""
