"""What a member, or a company, agreed to do for the vendor: each activity by itself, with an end.

Owns the activities, the texts that were agreed to, each consent with its dates, and withdrawal, which
is effective at once. Knows nothing of who would like to make use of one.
"""
