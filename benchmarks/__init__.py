"""Measurements, given as ratios so that another machine's figures can be compared. See README.md here."""
