"""Candor: a customer community and advocacy portal."""
