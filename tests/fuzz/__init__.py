"""Frames that nobody would send, on both sockets. `FUZZ_FRAMES=1000000` sends more of them."""
