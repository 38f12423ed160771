"""Companies and people: joining, sign-in, status, duties, sessions, profiles, the directory."""
