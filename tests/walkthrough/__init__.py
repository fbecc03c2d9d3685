"""Parley by examples: one story a file, over real sockets and a real Redis."""
