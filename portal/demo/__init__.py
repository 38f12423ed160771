"""The demo community: a fictional vendor, its customers and what they say to each other."""
