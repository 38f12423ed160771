"""Boards, threads, posts, votes, acceptance, follows, drafts, read state, the search page."""
