"""Everything Parley keeps in Redis: the keys, the scripts that change them, and typed calls.

A job enters here through :func:`lua.scripts.dispatch`. Nothing outside this package names a key.
"""
