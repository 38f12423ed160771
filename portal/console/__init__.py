"""Pages for staff that join packages: the queue, the log, the rules."""
