"""Reads of conversations, always as one of their participants."""
