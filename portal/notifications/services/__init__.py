"""Writes: telling, choosing, sending."""
