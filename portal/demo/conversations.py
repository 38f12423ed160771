"""The demo's private conversations: made through the services, each step at its moment, and sealed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.conversations import services
from portal.conversations.models import (
    Conversation,
    ConversationState,
    Decided,
    Message,
    MessageKind,
    Participant,
    TimeProposal,
)
from portal.conversations.services import people as further
from portal.conversations.services import times
from portal.conversations.services.afterwards import thanks_by
from portal.conversations.services.messages import mark_seen
from portal.conversations.services.reporting import NOTE
from portal.demo import content
from portal.demo.rules import rule_number
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.matching.models import Availability
from portal.matching.services.slots import open_slot
from portal.members.models import Member
from portal.members.queries import viewer_of
from portal.moderation.models import Case, MemberMeasure
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.evidence import read_evidence


class Scene:
    """One conversation being played, with its people."""

    def __init__(self, table: content.Table, people: dict[str, int], now: datetime) -> None:
        self.table, self.people, self.now = table, people, now
        self.began = now - timedelta(days=table["days_ago"])
        self.id = ""
        self.case_id = 0

    def viewer(self, username: str) -> Viewer:
        return viewer_of(self.people[username])

    def play(self) -> None:
        """The request, and every step whose time has come."""
        asker, member = self.people[self.table["asker"]], self.people[self.table["member"]]
        _make_room(member)
        if self.table.get("at_night"):
            self._let_it_be_night(member)
        with clock.frozen(self.began):
            offered = self._moments(self.table, self.table["asker"], self.began)
            slot = open_slot(member, *offered[0]) if self.table.get("book") else None
            made = services.request(
                viewer_of(asker),
                member,
                origin=self.table["origin"],
                note=self.table["note"],
                slots=() if slot else offered,
                slot_id=slot.id if slot else None,
            )
            self.id = made.id
        for step in self.table.get("step", []):
            moment = min(self.began + timedelta(hours=step["after"]), self.now)
            with clock.frozen(moment):
                times.hold_due()
                by = self.viewer(step["by"])
                self._have_seen(by)
                STEPS[step["do"]](self, step, by, moment)
                self._have_seen(by)  # whoever writes has read what was there
        if self.row.state is ConversationState.REQUESTED and self.row.due_at < self.now:
            with clock.frozen(self.row.due_at):
                services.release_due()

    def _have_seen(self, by: Viewer) -> None:
        if db.session.get(Participant, (self.id, by.member_id)) is not None:  # a moderator takes no part
            mark_seen(by, self.id, self.row.messages_count)

    @property
    def row(self) -> Conversation:
        return db.session.get_one(Conversation, self.id)

    def _moments(
        self, step: content.Table, username: str, moment: datetime
    ) -> tuple[tuple[datetime, int], ...]:
        zone = ZoneInfo(db.session.get_one(Member, self.people[username]).time_zone)
        found = []
        for days, hour in step.get("at", []):
            day = (moment + timedelta(days=days)).astimezone(zone)
            while day.weekday() > 4:  # people at work propose working days
                day += timedelta(days=1)
            start = day.replace(hour=hour, minute=0, second=0, microsecond=0)
            found.append((start.astimezone(self.now.tzinfo), step["minutes"]))
        return tuple(dict.fromkeys(found))

    def _let_it_be_night(self, member_id: int) -> None:
        """Quiet hours that began an hour ago: the request waits until they are over."""
        zone = ZoneInfo(db.session.get_one(Member, member_id).time_zone)
        row = db.session.get(Availability, member_id) or Availability(member_id=member_id)
        db.session.add(row)
        hour = self.began.astimezone(zone).hour
        row.quiet_from, row.quiet_to = (hour - 1) % 24, (hour + 9) % 24
        db.session.flush()

    def _accept(self, step: content.Table, by: Viewer, moment: datetime) -> None:
        services.accept(by, self.id, text=step.get("text", ""), times=self._moments(step, step["by"], moment))

    def _decline(self, _step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.decline(by, self.id)

    def _withdraw(self, _step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.withdraw(by, self.id)

    def _say(self, step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.send_message(by, self.id, step["text"].strip())

    def _take_back(self, step: content.Table, by: Viewer, _moment: datetime) -> None:
        own = db.session.execute(
            select(Message.id)
            .where(
                Message.conversation_id == self.id,
                Message.kind == MessageKind.TEXT,
                Message.author_id == by.member_id,
            )
            .order_by(Message.number)
        ).scalars()
        services.delete_message(by, self.id, list(own)[step["number"] - 1])

    def _times(self, step: content.Table, by: Viewer, moment: datetime) -> None:
        services.propose_times(by, self.id, self._moments(step, step["by"], moment))

    def _agree(self, _step: content.Table, by: Viewer, _moment: datetime) -> None:
        offered = db.session.execute(
            select(TimeProposal.id)
            .where(TimeProposal.conversation_id == self.id, TimeProposal.by_id != by.member_id)
            .order_by(TimeProposal.starts_at)
            .limit(1)
        ).scalar_one()
        services.agree_time(by, self.id, offered)

    def _call_off(self, _step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.call_off(by, self.id)

    def _missed(self, _step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.deny(by, self.id)

    def _link(self, step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.set_link(by, self.id, step["text"])

    def _leave(self, _step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.leave(by, self.id)

    def _block(self, _step: content.Table, by: Viewer, _moment: datetime) -> None:
        other = self.row.member_id if by.member_id == self.row.asker_id else self.row.asker_id
        services.block(by, self.id, other)

    def _rate(self, step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.rate(
            by,
            self.id,
            useful=step.get("useful"),
            honest=step.get("honest"),
            again=step.get("again"),
            decided=Decided(step["decided"]) if "decided" in step else None,
            shared=step.get("shared", False),
        )

    def _thank(self, step: content.Table, by: Viewer, _moment: datetime) -> None:
        services.thank(by, self.id, step["text"], may_be_public=step.get("public", False))
        if step.get("public"):
            self._show_thanks(by)

    def _show_thanks(self, by: Viewer) -> None:
        kept = thanks_by(self.id, by.member_id or 0)
        if kept is not None:
            services.publish_thanks(viewer_of(kept.to_id), kept.id, shown=True)

    def _propose(self, step: content.Table, by: Viewer, _moment: datetime) -> None:
        further.propose_person(by, self.id, step["whom"])

    def _invite(self, step: content.Table, by: Viewer, moment: datetime) -> None:
        self._propose(step, by, moment)
        for one in (self.row.asker_id, self.row.member_id):
            if one != by.member_id:
                further.agree_to_person(viewer_of(one), self.id, self.people[step["whom"]])

    def _bring(self, step: content.Table, by: Viewer, moment: datetime) -> None:
        self._invite(step, by, moment)
        further.join(self.viewer(step["whom"]), self.id)

    def _report(self, step: content.Table, by: Viewer, _moment: datetime) -> None:
        said = list(
            db.session.execute(
                select(Message.id)
                .where(Message.conversation_id == self.id, Message.kind == MessageKind.TEXT)
                .order_by(Message.number)
            ).scalars()
        )
        chosen = [said[number - 1] for number in step.get("messages", [])]
        if step.get("note"):
            chosen.append(NOTE)
        made = services.report(
            by,
            self.id,
            chosen,
            rule_number=rule_number(step["rule"]),
            peers_only=step.get("peers_only", False),
        )
        self.case_id = made.case_id

    def _read(self, _step: content.Table, by: Viewer, _moment: datetime) -> None:
        """A moderator opens what was disclosed, which both sides are told."""
        read_evidence(by, self.case_id)

    def _decide(self, step: content.Table, by: Viewer, _moment: datetime) -> None:
        case = db.session.get_one(Case, self.case_id)
        verdict = Verdict(
            member=MemberMeasure(step["measure"]),
            rule_number=rule_number(step["rule"]) if "rule" in step else None,
            reason=step["text"],
            suspended_until=self.now + timedelta(days=step["for_days"]) if "for_days" in step else None,
            version=case.version,
        )
        decide(by, case.id, verdict)


STEPS: dict[str, Callable[[Scene, content.Table, Viewer, datetime], None]] = {
    "accept": Scene._accept,
    "decline": Scene._decline,
    "withdraw": Scene._withdraw,
    "say": Scene._say,
    "take_back": Scene._take_back,
    "times": Scene._times,
    "agree": Scene._agree,
    "call_off": Scene._call_off,
    "missed": Scene._missed,
    "link": Scene._link,
    "leave": Scene._leave,
    "block": Scene._block,
    "rate": Scene._rate,
    "thank": Scene._thank,
    "propose": Scene._propose,
    "invite": Scene._invite,
    "bring": Scene._bring,
    "report": Scene._report,
    "read": Scene._read,
    "decide": Scene._decide,
}


def add(people: dict[str, int], now: datetime) -> None:
    """Play every conversation, the oldest first."""
    for table in sorted(content.conversations(), key=lambda table: -table["days_ago"]):
        try:
            Scene(table, people, now).play()
        except Exception as error:
            error.add_note(f"in the conversation {table['key']}")
            raise
        db.session.flush()
    with clock.frozen(now):
        times.hold_due()


def _make_room(member_id: int) -> None:
    """Whoever talks in the demo can be asked, and at any hour."""
    row = db.session.get(Availability, member_id)
    if row is None:
        return
    row.limit_per_quarter = max(row.limit_per_quarter, 3)
    row.conversations_open, row.paused_until = True, None
    row.company_address_required = False
    row.quiet_from = row.quiet_to = None
    db.session.flush()
