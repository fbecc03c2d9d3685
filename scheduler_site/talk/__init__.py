"""``/talk/``: the page where a person talks, and what it asks before anybody has spoken."""
