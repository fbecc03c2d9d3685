"""What ``bench.end_to_end`` compares: each side carries a payload there and an answer back."""
