"""Writes about people and companies, by idea."""
