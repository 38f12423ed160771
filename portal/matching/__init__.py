"""Who is proposed to whom, and how often anybody may be asked.

Owns: what members say about being asked (availability, slots), fit, choice, proposals with their
explanation, waves of answer requests, and the limit on conversations as an invariant of the database. It
knows no ask, no conversation and no request: whoever calls gives an opaque `purpose` ("ask:12"), and further
gates as named SQL predicates. Holds and health cannot be imported here, so what a prospect starts is never
limited by them.

    propose(asker, criteria, purpose=…)   three people, each with `queries.explanation`; takes nobody's place
    reserve(member, purpose=…)            takes one, under that member's lock; NoCapacity when there is none
    confirm → hold → …                    accepted; took place, and counts for 90 days from that moment
    release · release_due                 declined, cancelled; nobody answered in time (ReservationExpired)
    choose_for_wave(asker, criteria, …)   who an open ask is brought to; when they may hear: `queries.reach`
"""
