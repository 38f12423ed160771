"""Ledger and candidates hear of what happens below, in the same transaction: both are there, or neither."""

from portal.advocacy.services import candidates, noting, scoping
from portal.consents.events import ConsentGiven, ConsentWithdrawn
from portal.conversations.events import ConversationRated
from portal.discussions.events import (
    AcceptanceWithdrawn,
    AnswerAccepted,
    PostPublished,
    PostRemoved,
    PostRestored,
    PostVoted,
    ThreadChanged,
    VoteWithdrawn,
)
from portal.members.events import MemberChanged, ProductsChanged
from portal.moderation.events import CaseDecided, DecisionUndone


def hear_of_vote(event: PostVoted | VoteWithdrawn) -> None:
    noting.note_votes([event.post_id], [event.author_id])


def hear_of_acceptance(event: AnswerAccepted | AcceptanceWithdrawn) -> None:
    noting.note_acceptance(event.thread_id)


def hear_of_post(event: PostPublished | PostRemoved | PostRestored) -> None:
    noting.note_post(event.post_id)


def hear_of_thread(event: ThreadChanged) -> None:
    if event.what in ("merged", "split"):
        noting.note_thread(event.thread_id)
    if event.what in ("merged", "split", "retagged", "retitled"):
        scoping.note_thread(event.thread_id)


def hear_of_products(event: ProductsChanged) -> None:
    scoping.note_products(event.product_ids)


def hear_of_rating(event: ConversationRated) -> None:
    noting.note_rating(event.conversation_id, event.by_id, event.about_id)


def hear_of_decision(event: CaseDecided | DecisionUndone) -> None:
    noting.note_flags(event.case_id)


def hear_of_member(event: MemberChanged) -> None:
    noting.note_company(event.member_id)


def hear_of_withdrawal(event: ConsentWithdrawn) -> None:
    candidates.note_withdrawal(event.member_id)


def hear_of_consent(event: ConsentGiven) -> None:
    candidates.note_consent(event.member_id)
