"""The list of posts of a page as one text, the same for all who may read it; what is one's own is put in.

The text has marks where something depends on who looks: what can be done with a post, where the unread ones
begin, a held post that only its author sees. A mark is an HTML comment, which neither escaping nor cleaning
lets through, so no member can write one. What can be done is made once for each combination (own, voted,
kept …) with stand-ins for ids and counts, so that a page of twenty posts costs a few replacements.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from portal.discussions import reading_state
from portal.discussions.addresses import numbers_on, thread_address
from portal.discussions.guests import Veil, unveiled, veil_over
from portal.discussions.models import Audience, PostKind, PostState, ThreadKind
from portal.discussions.origin import Origin, origin_of
from portal.discussions.policy import APPEAL
from portal.discussions.queries import posts as posts_queries
from portal.discussions.screening import said
from portal.discussions.services.text import SECTION_TITLES
from portal.kernel import clock, page_cache, site
from portal.kernel.access import CUSTOMERS, Duty, Permission, Status, Viewer
from portal.kernel.numbers import number as number_text
from portal.kernel.template_helpers import locale_name
from portal.members.display import PersonLine, Reader, person_line, reader_of
from portal.members.models import MemberState

_MARK = re.compile(r"<!--@(\w+):([\w:-]*)-->")


@dataclass(frozen=True)
class Shown:
    """A post or comment as the templates show it."""

    id: int
    number: int
    kind: str
    state: str  # visible, held, hidden, deleted
    author: PersonLine
    created_at: datetime
    edited_at: datetime | None
    has_history: bool
    html: Markup | None
    sections: list[tuple[str, Markup]] | None
    url: str
    is_question: bool
    accepted: bool
    rule: str
    reason: str
    log_url: str
    removed_at: datetime | None
    actions: Markup
    new_mark: Markup
    comments: list["Shown"]
    more_comments: bool = False
    you: Markup | None = None
    excerpt: str = ""
    score: int = 0
    origin: Origin | None = None

    @property
    def appeal_until(self) -> datetime | None:
        """Until when the author of a removed post may appeal."""
        return self.removed_at + APPEAL if self.removed_at else None


@dataclass(frozen=True)
class PageText:
    """The text of a page of posts with its marks, and structured data for machines (public boards only)."""

    html: str
    data: str
    summary: str = ""  # of the opening, on the first page


def page_text(viewer: Viewer, thread: Any, page: int, all_under: int = 0) -> PageText:
    """The posts of a page as this kind of reader sees them, kept until the thread changes."""
    reader = reader_of(viewer)
    moderates = viewer.may(Permission.MODERATE)
    key = (
        "posts",
        thread.id,
        page,
        thread.content_version,
        thread.site_version,
        thread.board_audience,
        thread.state,
        thread.accepted_post_id,
        reader,
        moderates,
        all_under,
        # A company's leave to be named ends with a day, with nobody changing anything.
        clock.now().date() if reader is not Reader.INSIDER else None,
        locale_name(),
    )

    def make() -> str:
        made = _make(viewer, thread, page, all_under, reader, moderates)
        return f"{made.html}\0{made.data}\0{made.summary}"

    return PageText(*page_cache.fragments.get(key, make).split("\0"))


def _make(
    viewer: Viewer, thread: Any, page: int, all_under: int, reader: Reader, moderates: bool
) -> PageText:
    first, last = numbers_on(page)
    found = posts_queries.posts_of_page(
        viewer, thread, first, last, with_accepted=page == 1, all_under=all_under
    )

    rows = [*found.posts, *([found.accepted] if found.accepted is not None else [])]
    rows += [one for comments in found.comments.values() for one in comments]
    texts = [text for row in rows for text in (row.html, row.state_reason)]
    veil = veil_over(reader, texts, [thread.id])

    def shown(row: Any) -> Shown:
        under = found.comments.get(row.id, [])
        most = posts_queries.ALL_COMMENTS if row.id == all_under else posts_queries.COMMENTS
        comments = [_shown(one, thread, reader, [], veil) for one in under[:most]]
        return _shown(row, thread, reader, comments, veil, more=len(under) > most)

    posts = [shown(row) for row in found.posts]
    opening = posts[0] if posts and posts[0].kind == PostKind.OPENING.value else None
    accepted = shown(found.accepted) if found.accepted is not None else None
    html = render_template(
        "discussions/_posts.html",
        thread=thread,
        asker=person_line(thread, reader),
        opening=opening,
        accepted=accepted if accepted and accepted.html is not None else None,
        posts=posts[1:] if opening else posts,
        moderates=moderates,
        page=page,
    )
    data = ""
    if thread.board_audience is Audience.PUBLIC and thread.state is PostState.VISIBLE and not moderates:
        data = json.dumps(_structured(thread, opening, accepted, posts), ensure_ascii=False)
    return PageText(html, data, opening.excerpt if opening else "")


def _shown(
    row: Any,
    thread: Any,
    reader: Reader,
    comments: list[Shown],
    veil: Veil = unveiled,
    *,
    more: bool = False,
) -> Shown:
    text = veil(row.html, thread.id) if row.readable and row.html is not None else None
    html = Markup(text) if text is not None else None  # noqa: S704 - stored clean
    kind = row.kind.value
    is_comment = row.kind is PostKind.COMMENT
    number = row.number or 0
    accepted = row.id == thread.accepted_post_id
    flags = ("x" if accepted else "") + ("h" if row.state is PostState.HELD else "")
    flags += "d" if _is_deed_of_a_customer(row, thread) else ""
    flags += "s" if row.score != row.votes_count else ""  # it came along from elsewhere: a score, no thanks
    if is_comment:
        mark = f"<!--@com:{row.id}:{row.author_id}:{row.score}:{flags or '-'}-->"
    else:
        mark = f"<!--@act:{row.id}:{number}:{row.author_id}:{row.score}:{kind}:{flags or '-'}"
        mark += f":{row.company_id or 0}-->"
    if row.state is PostState.HELD and html is None:
        mark = f"<!--@held:{row.id}:{row.author_id}-->"
    is_story = row.kind is PostKind.OPENING and thread.kind is ThreadKind.WAR_STORY
    return Shown(
        id=row.id,
        number=number,
        kind=kind,
        state=row.state.value,
        author=person_line(row, reader, by_vendor=row.by_vendor),
        created_at=row.created_at,
        edited_at=row.edited_at,
        has_history=row.revisions_count > 0,
        html=html,
        sections=story_sections(html) if is_story and html else None,
        url=f"/posts/{row.id}",
        is_question=thread.kind is ThreadKind.QUESTION,
        accepted=accepted,
        rule=row.state_rule,
        reason=veil(said(row.state_reason), thread.id) if row.state_reason else "",
        origin=None if is_comment else origin_of(row.source_url),
        log_url=f"/transparency/log/{row.state_case_id}" if row.state_case_id else "",
        removed_at=row.state_at,
        actions=Markup(mark),  # noqa: S704 - numbers and our own words
        new_mark=Markup(f"<!--@new:{number}-->"),  # noqa: S704 - a number
        you=Markup(f"<!--@you:{row.author_id}-->") if row.person_as_role else None,  # noqa: S704 - a number
        comments=comments,
        more_comments=more,
        excerpt=veil(row.excerpt, thread.id) if html is not None else "",
        score=row.score,
    )


def _is_deed_of_a_customer(row: Any, thread: Any) -> bool:
    """Whether this is an answer or war story, and its author a customer who has a name here."""
    is_story = row.kind is PostKind.OPENING and thread.kind is ThreadKind.WAR_STORY
    return (
        (row.kind is PostKind.ANSWER or is_story)
        and row.state is PostState.VISIBLE
        and thread.state is PostState.VISIBLE
        and row.person_state is MemberState.ACTIVE
        and row.person_status in CUSTOMERS
        and not row.person_as_role
    )


def story_sections(html: Markup) -> list[tuple[str, Markup]] | None:
    """The three sections of a war story, split where the stored HTML has their titles; None if it has not."""
    titles = list(SECTION_TITLES.values())
    parts = re.split("|".join(f"<h3>({re.escape(title)})</h3>" for title in titles), str(html))
    pieces = [part for part in parts if part is not None]
    if len(pieces) != 7 or pieces[0].strip() or pieces[1::2] != titles:
        return None
    return [
        (title, Markup(text.strip()))  # noqa: S704 - stored clean, cut at our own headings
        for title, text in zip(pieces[1::2], pieces[2::2], strict=True)
    ]


# --- What is the viewer's own -----------------------------------------------------------------


@dataclass(frozen=True)
class Unread:
    """Where the unread posts begin: after which number, and when the member was here."""

    after: int = 0
    since: datetime | None = None

    @property
    def is_known(self) -> bool:
        return self.after > 0


def unread_of(viewer: Viewer, thread: Any) -> Unread:
    """How far the viewer had read before this page."""
    number, at = reading_state.newer(viewer.member_id, thread.id, thread.read_number, thread.read_at)
    return Unread(number, at) if 0 < number < thread.last_number else Unread()


def personal(viewer: Viewer, thread: Any, text: str, unread: Unread, *, may_write: bool) -> Markup:
    """The kept text with the viewer's own put in: one statement for a member, none for a visitor."""
    marks = [(match.group(1), match.group(2).split(":")) for match in _MARK.finditer(text)]
    acted = [int(values[0]) for name, values in marks if name == "act"]
    own = posts_queries.own_marks(viewer, acted)
    me = str(viewer.member_id)
    mine_held = [int(values[0]) for name, values in marks if name == "held" and values[1] == me]
    held = posts_queries.own_held(viewer, thread.id, mine_held) if mine_held else {}
    actions = _Actions(viewer, thread, own, may_write)
    line = [_new_line(unread)] if unread.is_known else []

    def replacement(match: re.Match[str]) -> str:
        name, values = match.group(1), match.group(2).split(":")
        if name == "new":
            return line.pop() if line and int(values[0]) > unread.after else ""
        if name == "you":
            return _you() if values[0] == me else ""
        if name == "act":
            return actions.of_post(values)
        if name == "com":
            return actions.of_comment(values)
        if name == "held" and int(values[0]) in held:
            return _own_held(held[int(values[0])], thread, reader_of(viewer))
        return ""

    return Markup(_MARK.sub(replacement, text))  # noqa: S704 - our own template's text


def _new_line(unread: Unread) -> str:
    return render_template("discussions/_new_line.html", since=unread.since)


def _you() -> str:
    return str(Markup('<span class="quiet">{}</span> ').format(_("you")))


def _own_held(row: Any, thread: Any, reader: Reader) -> str:
    return _MARK.sub(
        "", render_template("discussions/_held.html", post=_shown(row, thread, reader, []), thread=thread)
    )


class _Actions:
    """What this viewer can do with each post, from texts made once for each combination."""

    def __init__(self, viewer: Viewer, thread: Any, own: posts_queries.Own, may_write: bool) -> None:
        self.viewer = viewer
        self.thread = thread
        self.own = own
        self.may_write = may_write
        self.may_react = viewer.may(Permission.REACT)
        self.moderates = viewer.may(Permission.MODERATE)
        self.may_use = viewer.may(Permission.ADVOCACY)
        may_say_so = viewer.status is Status.CUSTOMER or bool(viewer.duties & {Duty.SALES, Duty.SERVICE})
        self.may_suggest = may_say_so and viewer.may(Permission.INVITE) and not self.may_use
        self.is_asker = thread.kind is ThreadKind.QUESTION and thread.author_id == viewer.member_id
        self.open_to_edits = thread.board_archived_at is None and viewer.may(Permission.POST)
        self.token = str(escape(generate_csrf())) if viewer.is_member else ""

    def of_post(self, values: list[str]) -> str:
        post_id, number, author, score_text, kind, flags, company = values
        score = int(score_text)
        is_own = author == str(self.viewer.member_id)
        held = "h" in flags
        combination = {
            "kind": kind,
            "is_member": self.viewer.is_member,
            "may_react": self.may_react and not is_own and not held,
            "voted": int(post_id) in self.own.voted,
            "kept": int(post_id) in self.own.kept,
            "may_keep": self.may_react,
            "may_write": self.may_write and not held,
            "may_accept": self.is_asker and kind == "answer" and not held,
            "accepted": "x" in flags,
            "may_edit": self.open_to_edits and (is_own or self.moderates),
            "is_own": is_own,
            "may_flag": self.viewer.may(Permission.FLAG) and not is_own,
            "moderates": self.moderates,
            "may_use": self.may_use and "d" in flags,
            "may_suggest": self.may_suggest and "d" in flags and not is_own and not self._is_own(company),
            "sign": (score > 0) - (score < 0),
            "told_as_score": "s" in flags,
        }
        return _fill(
            _combination("post", combination),
            {
                "@ID@": post_id,
                "@N@": number,
                "@SCORE@": number_text(score),
                "@THREAD@": str(self.thread.id),
            },
            self.token,
        )

    def _is_own(self, company: str) -> bool:
        return self.viewer.company_id is not None and company == str(self.viewer.company_id)

    def of_comment(self, values: list[str]) -> str:
        comment_id, author, score_text, flags = values
        score = int(score_text)
        is_own = author == str(self.viewer.member_id)
        if not (self.viewer.is_member or score):
            return ""
        combination = {
            "may_edit": self.open_to_edits and (is_own or self.moderates),
            "is_own": is_own,
            "may_flag": self.viewer.may(Permission.FLAG) and not is_own,
            "held": "h" in flags,
            "moderates": self.moderates,
            "sign": (score > 0) - (score < 0),
            "told_as_score": "s" in flags,
        }
        values_of = {"@ID@": comment_id, "@SCORE@": number_text(score)}
        return _fill(_combination("comment", combination), values_of, self.token)


def _combination(what: str, combination: dict[str, Any]) -> str:
    """The actions of a post or comment in this combination, with stand-ins for what differs."""
    # The rules, which the form for flags offers, change the version of the site.
    key = ("actions", what, locale_name(), site.current().version, *combination.values())
    return page_cache.fragments.get(
        key,
        lambda: render_template("discussions/_actions.html", what=what, token="@CSRF@", **combination),  # noqa: S106 - a stand-in
    )


def _fill(text: str, values: dict[str, str], token: str) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text.replace("@CSRF@", token)


# --- Structured data ---------------------------------------------------------------------------


def _structured(
    thread: Any, opening: Shown | None, accepted: Shown | None, posts: list[Shown]
) -> dict[str, Any]:
    """schema.org: a QAPage for a question, else a DiscussionForumPosting. Addresses are relative to @base."""
    url = thread_address(thread.id, thread.slug)
    replies = [post for post in posts if post.kind != "opening" and post.html is not None]
    text = plain(opening.html) if opening and opening.html else thread.title
    author = person_line(thread, Reader.VISITOR)
    base: dict[str, Any] = {"@context": "https://schema.org"}
    about = {
        "text": text,
        "author": _author(author),
        "datePublished": _moment(thread.created_at),
        "url": url,
    }
    if thread.kind is ThreadKind.QUESTION:
        question: dict[str, Any] = {
            "@type": "Question",
            "name": thread.title,
            **about,
            "answerCount": thread.answers_count,
            "upvoteCount": max(thread.score, 0),
        }
        if accepted and accepted.html is not None:
            question["acceptedAnswer"] = _answer(accepted)
        others = [post for post in replies if post.kind == "answer" and not post.accepted]
        if others:
            question["suggestedAnswer"] = [_answer(post) for post in others]
        return {**base, "@type": "QAPage", "mainEntity": question}
    return {
        **base,
        "@type": "DiscussionForumPosting",
        "headline": thread.title,
        **about,
        "interactionStatistic": [
            _count("CommentAction", max(thread.posts_count - 1, 0)),
            _count("LikeAction", max(thread.score, 0)),
        ],
        "comment": [
            {
                "@type": "Comment",
                "text": plain(post.html),
                "author": _author(post.author),
                "datePublished": _moment(post.created_at),
                "url": post.url,
            }
            for post in replies
        ],
    }


def _answer(post: Shown) -> dict[str, Any]:
    return {
        "@type": "Answer",
        "text": plain(post.html),
        "upvoteCount": max(post.score, 0),
        "author": _author(post.author),
        "datePublished": _moment(post.created_at),
        "url": post.url,
    }


def _author(person: PersonLine) -> dict[str, Any]:
    about = {"@type": "Person", "name": person.name}
    return {**about, "url": person.url} if person.url else about


def _count(action: str, times: int) -> dict[str, Any]:
    return {
        "@type": "InteractionCounter",
        "interactionType": f"https://schema.org/{action}",
        "userInteractionCount": times,
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def plain(html: Markup | None, longest: int = 5000) -> str:
    """The words of stored HTML, without its tags."""
    return " ".join((html or Markup()).striptags().split())[:longest]


def data_block(data: str, base_url: str) -> Markup:
    """Structured data for a `<script type="application/ld+json">`: addresses made absolute, `<` escaped."""
    text = data.replace('"url": "/', f'"url": "{base_url}/')
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - no sign that ends the element is left
