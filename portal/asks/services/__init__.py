"""Writes of asks: each function is one story, in one unit of work."""
