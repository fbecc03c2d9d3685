"""Both ends of a Parley dispatcher: nodes that translate and sessions that speak."""
