"""What a session may go through, as steps that Hypothesis draws, and who takes them."""
