"""Asks: a question to customers with an honest clock.

Owns the ask (a question thread with a due time, or a question asked in private), its timeline, the requests
that bring it to customers, the proposals of whom to talk to, and invites. An open ask is a thread of
`discussions`; whom it fits comes from `matching`; a talk in private is begun in `conversations`.
"""
