"""REST of jobs, and what all of REST shares: problem documents and access."""
