"""REST of nodes: who is there, and what operators tell them. Operators only."""
