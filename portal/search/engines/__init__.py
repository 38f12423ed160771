"""Engines: each keeps an index of posts and answers a query with ids by rank (`base.Engine`)."""
