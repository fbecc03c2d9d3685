"""What the walkthrough and the load tests share: whole web processes, whole deployments, and peers
that do what a test tells them.
"""
