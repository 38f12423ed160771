"""Search: an outbox of changed posts, engines that rank, and how queries are understood.

It answers with ids and ranks only. What a reader may see, totals and facets are not decided here:
the package above drops what is not visible in one SQL statement and counts the rest.
"""
