"""The demo's asks of the last days, played step by step by their people, with the product's own services."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.asks.models import (
    AnswerRequest,
    Ask,
    AskProposal,
)
from portal.asks.services import (
    asking,
    connecting,
    fitting,
    requests,
    settling,
    waves,
    weighing,
)
from portal.conversations import services as conversations
from portal.conversations.models import Conversation, ConversationState
from portal.demo import content
from portal.demo.asks_worked import ask_customers, work_until
from portal.demo.invites import token_mailed_to
from portal.demo.rules import rule_number
from portal.discussions.models import Post, PostKind, ShownAs
from portal.discussions.services.acceptance import accept
from portal.discussions.services.editing import delete_own_post
from portal.discussions.services.posting import post_reply
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.matching.services.availability import change_preferences, preferences_of
from portal.members.models import Product, RoleLevel
from portal.members.queries import viewer_of
from portal.moderation.models import Case, Decision, PostMeasure
from portal.moderation.services.deciding import Verdict, decide, undo
from portal.moderation.services.flags import flag_post


class Scene:
    """One ask being played, with its people."""

    def __init__(self, table: content.Table, people: dict[str, int], now: datetime) -> None:
        self.table, self.people, self.now = table, people, now
        self.began = now - timedelta(hours=table["hours_ago"])
        self.asker_id = people[table["author"]]
        self.id = 0

    def play(self) -> None:
        """The question, and every step whose time has come."""
        work_until(self.began)
        with clock.frozen(self.began):
            self.id = self._ask().id
            ask_customers(self.began, [self.people[name] for name in self.table.get("asked", [])])
            waves.deliver()
        self._check_asked()
        for step in self.table.get("step", []):
            moment = min(self.began + timedelta(hours=step["after"]), self.now)
            work_until(moment)
            with clock.frozen(moment):
                STEPS[step["do"]](self, step, viewer_of(self.people[step.get("by", self.table["author"])]))
        work_until(self.now)

    @property
    def row(self) -> Ask:
        return db.session.get_one(Ask, self.id, populate_existing=True)

    @property
    def thread_id(self) -> int:
        return self.row.thread_id or 0

    def _ask(self) -> Ask:
        table = self.table
        names = select(Product.id).where(Product.name.in_(table.get("products", [])))
        situation = asking.Situation(
            industry=table.get("industry", ""),
            size_band=table.get("size", ""),
            region=table.get("country", ""),
            product_ids=tuple(db.session.execute(names.order_by(Product.id)).scalars()),
            use_case=table.get("use_case", ""),
            replacing=table.get("replacing", ""),
            role_level=RoleLevel(table["role_level"]) if "role_level" in table else None,
            needed_by=(self.now + timedelta(days=table["needed_in"])).date()
            if "needed_in" in table
            else None,
        )
        viewer, title, body = viewer_of(self.asker_id), table["title"], table["body"].strip()
        if table.get("private"):
            return asking.ask_privately(viewer, title=title, body=body, situation=situation)
        return asking.ask_openly(
            viewer,
            title=title,
            body=body,
            situation=situation,
            shown_as=ShownAs(table["shown_as"]),
            indexable=table.get("indexable", False),
            may_connect=table.get("may_connect", False),
        )

    def _check_asked(self) -> None:
        """Whoever the file says was asked is somebody whom the matching lets be asked."""
        asked = set(fitting.asked_already(self.row))
        missing = [name for name in self.table.get("asked", []) if self.people[name] not in asked]
        if missing:
            raise ValueError(f"{self.table['key']}: {missing} could not be asked")

    def _request_of(self, by: Viewer) -> int:
        return db.session.execute(
            select(AnswerRequest.id).where(
                AnswerRequest.ask_id == self.id, AnswerRequest.member_id == by.member_id
            )
        ).scalar_one()

    def _look(self, step: content.Table, _by: Viewer) -> None:
        """Some of those who were asked have it on the screen."""
        named = [self.people[name] for name in self.table.get("asked", [])]
        rows = db.session.execute(
            select(AnswerRequest)
            .where(
                AnswerRequest.ask_id == self.id,
                AnswerRequest.sent_at.is_not(None),
                AnswerRequest.member_id.not_in(named),
            )
            .order_by(AnswerRequest.id)
            .limit(step["how_many"])
        ).scalars()
        for request in list(rows):
            requests.note_seen(viewer_of(request.member_id), request.id)

    def _see(self, _step: content.Table, by: Viewer) -> None:
        requests.note_seen(by, self._request_of(by))

    def _not_now(self, _step: content.Table, by: Viewer) -> None:
        requests.not_now(by, self._request_of(by))

    def _talk(self, _step: content.Table, by: Viewer) -> None:
        requests.would_talk(by, self._request_of(by))

    def _pass_on(self, step: content.Table, by: Viewer) -> None:
        requests.pass_on(by, self._request_of(by), step["to"])

    def _take_up(self, _step: content.Table, by: Viewer) -> None:
        """The colleague followed the link in the mail, and joined."""
        requests.take_over(by, token_mailed_to(by))
        requests.note_seen(by, self._request_of(by))

    def _reply(self, step: content.Table, by: Viewer) -> None:
        post_reply(by, self.thread_id, step["text"].strip())

    def _take_back(self, _step: content.Table, by: Viewer) -> None:
        """Whoever answered deletes it again."""
        delete_own_post(by, self._last_post_of(by))

    def _accept(self, step: content.Table, by: Viewer) -> None:
        accept(by, self.thread_id, self._last_post_of(viewer_of(self.people[step["whose"]])))

    def _summarise(self, step: content.Table, by: Viewer) -> None:
        settling.write_summary(by, self.id, " ".join(step["text"].split()))

    def _doubt(self, _step: content.Table, by: Viewer) -> None:
        settling.doubt(by, self.id)

    def _flag(self, step: content.Table, by: Viewer) -> None:
        flag_post(by, self._opening(), rule_number=rule_number(step["rule"]), comment="")

    def _remove(self, step: content.Table, by: Viewer) -> None:
        """A moderator removed the thread; the ask counts all the same."""
        case = db.session.execute(select(Case).where(Case.open_key == f"post:{self._opening()}")).scalar_one()
        verdict = Verdict(
            post=PostMeasure.HIDE,
            rule_number=rule_number(step["rule"]),
            reason=step["text"],
            version=case.version,
        )
        decide(by, case.id, verdict)

    def _undo(self, step: content.Table, by: Viewer) -> None:
        """The moderator thought again within minutes, and leaves it standing."""
        decision = db.session.execute(
            select(Decision).where(Decision.post_id == self._opening()).order_by(Decision.id.desc()).limit(1)
        ).scalar_one()
        undo(by, decision.id)
        case = db.session.get_one(Case, decision.case_id, populate_existing=True)
        decide(by, case.id, Verdict(reason=step["text"], version=case.version))

    def _connect(self, _step: content.Table, by: Viewer) -> None:
        """The asker did not wait for the clock."""
        connecting.connect_now(by, self.id, may_connect=False)

    def _approach(self, step: content.Table, by: Viewer) -> None:
        """The asker asks those of the three who stand at these places.

        Whom they write to in a conversation of their own is passed over, whatever the hour proposes: a no
        would forbid that one.
        """
        own = {
            self.people[table["member"]]
            for table in content.conversations()
            if table["asker"] == self.table["author"]
        }
        proposed = [one for one in connecting.open_proposals(self.row) if one.member_id not in own]
        chosen = [proposed[place - 1].id for place in step["places"] if place <= len(proposed)]
        connecting.approach(by, self.id, chosen, note=step["text"])

    def _pause(self, step: content.Table, _by: Viewer) -> None:
        """One of those who are proposed wants a rest meanwhile."""
        member_id = connecting.open_proposals(self.row)[step["place"] - 1].member_id
        kept = preferences_of(member_id)
        until = (clock.now() + timedelta(days=step["days"])).date()
        change_preferences(member_id, replace(kept.preferences, paused_until=until), version=kept.version)

    def _look_again(self, _step: content.Table, by: Viewer) -> None:
        """The asker has others proposed for those who are not there any more."""
        connecting.propose_again(by, self.id)

    def _is_declined(self, _step: content.Table, _by: Viewer) -> None:
        """Whoever was asked first says no, silently."""
        asked = db.session.execute(
            select(Conversation)
            .join(AskProposal, AskProposal.member_id == Conversation.member_id)
            .where(
                Conversation.origin == fitting.purpose_of(self.row),
                AskProposal.ask_id == self.id,
                Conversation.state == ConversationState.REQUESTED,
            )
            .order_by(AskProposal.id)
            .limit(1)
        ).scalar_one()
        conversations.decline(viewer_of(asked.member_id), asked.id)

    def _weigh(self, step: content.Table, by: Viewer) -> None:
        weighing.weigh(by, self.id, step["names"])

    def _widen(self, _step: content.Table, by: Viewer) -> None:
        connecting.widen(by, self.id)

    def _opening(self) -> int:
        return db.session.execute(
            select(Post.id).where(Post.thread_id == self.thread_id, Post.kind == PostKind.OPENING)
        ).scalar_one()

    def _last_post_of(self, by: Viewer) -> int:
        posts = select(func.max(Post.id)).where(
            Post.thread_id == self.thread_id, Post.author_id == by.member_id, Post.kind == PostKind.ANSWER
        )
        found: Any = db.session.execute(posts).scalar_one()
        return int(found)


STEPS: dict[str, Callable[[Scene, content.Table, Viewer], None]] = {
    "look": Scene._look,
    "see": Scene._see,
    "not_now": Scene._not_now,
    "talk": Scene._talk,
    "pass_on": Scene._pass_on,
    "take_up": Scene._take_up,
    "reply": Scene._reply,
    "take_back": Scene._take_back,
    "accept": Scene._accept,
    "summarise": Scene._summarise,
    "doubt": Scene._doubt,
    "flag": Scene._flag,
    "remove": Scene._remove,
    "undo": Scene._undo,
    "connect": Scene._connect,
    "approach": Scene._approach,
    "pause": Scene._pause,
    "look_again": Scene._look_again,
    "is_declined": Scene._is_declined,
    "weigh": Scene._weigh,
    "widen": Scene._widen,
}
