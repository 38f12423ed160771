"""Faults on purpose. Run by `make drills`; DRILL=full for the long form."""
