"""Reads of asks, requests, proposals and invites. Looking one up is being allowed to see it."""
