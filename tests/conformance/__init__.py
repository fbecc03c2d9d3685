"""`docs/protocol.md`, tested over plain WebSockets against any address.

`PARLEY_URL=ws://host:5010 pytest tests/conformance` tests a running service with default settings;
without an address the suite starts one of its own, with shorter times. It speaks private-use
languages (`qaa` … `qtz`), so that it takes nobody's jobs. The tables, one a message, are in
`node_frames`, `session_frames` and `server_frames`; the last is checked in every test. A service
that wants tokens is tested with those of five peers: see CONTRIBUTING.md.
"""
