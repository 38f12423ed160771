"""Writes of moderation, by idea: flags, cases, decisions, appeals, rules, screening."""
