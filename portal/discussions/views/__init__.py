"""The pages of discussions: reading, composing, reacting, thread tools, drafts, uploads."""
