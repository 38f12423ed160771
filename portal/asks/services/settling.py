"""The end of an ask: settled by its asker, a moderator or time; doubted once; summed up."""

from flask_babel import gettext as _

from portal.asks import policy
from portal.asks.models import Ask, AskState, StageKind
from portal.asks.queries.finding import ask_for, reason_against_asker
from portal.asks.services import stages, telling, timing
from portal.discussions.models import Post
from portal.discussions.services.text import prepare
from portal.kernel import audit, clock, preserving
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.numbers import number
from portal.kernel.unit_of_work import unit_of_work
from portal.search import services as search


def doubt(asker: Viewer, ask_id: int) -> Ask:
    """ "This does not answer me": the clock runs on with the time that was left. Once.

    While it runs on, saying so again changes nothing. Raises NotFound, Forbidden; Invalid when it was said
    of a former answer, or nothing was answered.
    """
    with unit_of_work():
        ask = ask_for(asker, ask_id)
        if ask.asker_id != asker.member_id:
            raise Forbidden(_("Only its asker can say this."))
        if ask.state is AskState.RUNNING and ask.doubted_post_id is not None:
            return ask
        if not policy.may_doubt(asker, ask):
            raise Invalid(_("This can be said once, while an answer stands."))
        # No answer written so far counts any more, so the newest post draws the line.
        newest = db.session.execute(
            db.select(db.func.max(Post.id)).where(Post.thread_id == ask.thread_id)
        ).scalar_one()
        ask.doubted_post_id = newest
        timing.go_on(ask)
        stages.done(ask, StageKind.DOUBTED)
    return ask


def settle(by: Viewer, ask_id: int) -> Ask:
    """Nothing more is needed; of a settled ask nothing is left to do.

    Raises NotFound, Forbidden; Invalid when it is gone.
    """
    with unit_of_work():
        ask = ask_for(by, ask_id)
        if not policy.may_settle(by, ask):
            if ask.state is AskState.SETTLED and (
                ask.asker_id == by.member_id or by.may(Permission.MODERATE)
            ):
                return ask
            if ask.state is AskState.GONE:
                raise Invalid(_("This ask is no longer there."))
            raise Forbidden(_("Only its asker or a moderator can do this."))
        own = ask.asker_id == by.member_id
        if not own and (against := reason_against_asker(by, ask)):
            raise Forbidden(against)
        settle_now(ask, "asker" if own else "moderator")
        if not own:
            audit.record(by, "settle ask", "ask", ask.id, area="asks")
            telling.tell_asker(ask, f"settled-{ask.rounds}")
    return ask


def settle_by_time(ask: Ask) -> None:
    """Nobody said anything for two weeks after an answer. Inside a unit of work."""
    if ask.state is AskState.ANSWERED:
        settle_now(ask, "time")


def settle_now(ask: Ask, by: str) -> None:
    """Inside a unit of work, on a locked ask."""
    timing.stand_still(ask, AskState.SETTLED)
    ask.settled_at, ask.settled_by = clock.now(), by
    stages.done(ask, StageKind.SETTLED, ask.rounds, by=by)


def write_summary(by: Viewer, ask_id: int, text: str) -> Ask:
    """What came out of it, for those who look for it later; search prefers it. "" takes it away.

    Raises NotFound; Forbidden for all but asker and moderators; Invalid beside text, or before it is settled.
    """
    if len(text) > policy.LONGEST_SUMMARY:
        raise Invalid(
            _(
                "At most %(most)s characters fit; this has %(length)s.",
                most=number(policy.LONGEST_SUMMARY),
                length=number(len(text)),
            ),
            "text",
        )
    html = prepare(text, "text").html if text.strip() else ""
    with unit_of_work():
        ask = ask_for(by, ask_id)
        if not policy.may_summarise(by, ask):
            if ask.asker_id == by.member_id or by.may(Permission.MODERATE):
                raise Invalid(_("Say first that the ask is settled."))
            raise Forbidden(_("Only its asker or a moderator can do this."))
        if ask.asker_id != by.member_id and (against := reason_against_asker(by, ask)):
            raise Forbidden(against)
        if ask.summary_by_id is not None and ask.summary_source != text.strip():
            preserving.keep_former(
                ask.summary_by_id, f"summary of ask {ask.id}", {"source": ask.summary_source}
            )
        ask.summary_source, ask.summary_html = text.strip(), html
        ask.summary_by_id, ask.summary_at = (by.member_id, clock.now()) if html else (None, None)
        ask.version += 1
        if html:
            stages.done(ask, StageKind.SUMMARY)
        stages.refresh(ask)
        search.queue_threads([ask.thread_id or 0])
    return ask
