"""Private conversations: requests for one, messages, times, disclosure to moderators, thanks.

Owns everything that is said where nobody from the vendor is in the room. Words are sealed under a key for
each conversation (kernel.vault); the one way to a conversation is `queries.finding.find_own`, for who
takes part. No duty opens it: accounts of the vendor lack Permission.CONVERSE; nothing here asks for another.
"""
