"""Who really helps, and who is willing to speak for it.

Owns the ledger of entries, Helpfulness, standing and their explanation, and what grows out of them:
nominations, candidates and recognition. Stands above asks: it listens to what happens below and is
asked by nobody there.
"""
