"""Rules, flags, cases, decisions, appeals and their public log."""
