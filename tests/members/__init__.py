"""People: joining, signing in, profiles, companies."""
