"""Looking after a site: is everything in order, one archive of all of it, and back from that archive."""
