"""Virtual fleets for :mod:`bench.simulate`: nodes, traffic, and who decides."""
