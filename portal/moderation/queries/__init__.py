"""Reads of moderation, by reader: the rules, the moderators' cases, the public log, one's own decisions."""
