"""A look at newcomers' first posts and edits before they are stored: for spam, never for what they think.

Nothing here reads opinions. Each sign is something a shop's robot does and a buyer with a question does not:
several links, stock phrases of selling, telephone numbers, the same text again, many posts in minutes. One
weak sign holds nothing. Whoever has written a few posts, and everybody whose held post a moderator released,
is not looked at again.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from flask_babel import LazyString, force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.discussions.models import Post, PostState
from portal.discussions.screening import Submission
from portal.kernel import clock, site
from portal.kernel.access import CUSTOMERS, Permission
from portal.kernel.db import db
from portal.members.models import Member
from portal.moderation.models import Decision, PostMeasure

FIRST_POSTS = 3  # so many visible posts make a member known here
MANY_LINKS = 3
FLOOD = 5
FLOOD_SPAN = timedelta(minutes=10)
REPEAT_SPAN = timedelta(days=3)
ENOUGH = 2  # points at which a post is held

_SELLING = (
    r"satisfaction guaranteed",
    r"money[ -]back guarantee",
    r"100\s?% (?:guaranteed|free|legit)",
    r"guaranteed results",
    r"(?:bulk|special) discounts?",
    r"limited[ -]time offer",
    r"(?:best|lowest) prices?",
    r"(?:order|buy|act|call|call us) now",
    r"click here",
    r"sign up today",
    r"book (?:a )?(?:call|demo) now",
    r"(?:visit|check out) (?:our|my) (?:site|website|shop|store|page|channel)",
    r"our (?:price list|offer)",
    r"certified experts",
    r"free consultation",
    r"we offer (?:the )?(?:best|cheap|professional)",
    r"cheap(?:est)? [\w-]+ (?:services?|by|online|for sale)",
    r"from (?:only )?\d+\s?[$€£] (?:each|per|only)",
    r"from (?:only )?[$€£]\s?\d+",
    r"seo services?",
    r"back\s?links?",
    r"guest posts?",
    r"essay writ(?:ing|ers?)",
    r"web traffic",
    r"casinos?",
    r"sports? betting",
    r"bitcoin investment",
    r"crypto (?:investment|recovery|trading signals)",
    r"forex signals?",
    r"(?:payday|personal) loans?",
    r"make money (?:online|fast)",
    r"work from home",
    r"earn \$?\d+",
    r"viagra|cialis",
    r"weight[ -]loss (?:pills?|supplements?)",
    r"cbd (?:oil|gummies)",
    r"whats\s?app",
    r"telegram (?:me|us|channel|group|@)",
    r"(?:dm|inbox) me",
)
_PHRASES = re.compile(rf"\b(?:{'|'.join(_SELLING)})(?!\w)", re.IGNORECASE)
_TELEPHONE = re.compile(r"(?<![\w.:/-])(?:\+|00)[1-9][\d ()./-]{7,18}\d(?![\w.])")
_ADDRESS = re.compile(r"[\w.+-]{2,}@[\w-]+\.\w{2,}")
_SHORTENERS = frozenset(
    {"bit.ly", "tinyurl.com", "t.co", "goo.gl", "is.gd", "cutt.ly", "ow.ly", "rb.gy", "t.me", "wa.me"}
)
_CODE = re.compile(r"<(pre|code)\b.*?</\1>", re.DOTALL)
_TAGS = re.compile(r"<[^>]+>")
_HREF = re.compile(r'<a\b[^>]*\bhref="(https?://[^"]+)"')


Lately = Sequence[tuple[str, timedelta]]  # what somebody wrote: HTML, how long ago


@dataclass(frozen=True)
class _Look:
    """What the signs are read from: words without code, links to elsewhere, what was written lately."""

    words: str
    links: list[str]
    lately: Lately
    html: str


@dataclass(frozen=True)
class Sign:
    """One sign: its weight, what the author and the moderators read, and what stands in the queue."""

    points: int
    sentence: LazyString
    short: LazyString
    is_there: Callable[[_Look], bool]


def _phrases(look: _Look) -> int:
    return len({match[0].lower() for match in _PHRASES.finditer(look.words)})


def _hosts(look: _Look) -> list[str]:
    return [(urlsplit(link).hostname or "").removeprefix("www.") for link in look.links]


SIGNS = (
    Sign(
        2,
        _l("It has three or more links to other sites."),
        _l("three links"),
        lambda x: len(x.links) >= MANY_LINKS,
    ),
    Sign(1, _l("It links to another site."), _l("a link"), lambda x: 0 < len(x.links) < MANY_LINKS),
    Sign(
        2,
        _l("A link hides where it leads (a shortened address)."),
        _l("hidden link"),
        lambda x: any(host in _SHORTENERS for host in _hosts(x)),
    ),
    Sign(
        2,
        _l("Several phrases in it are often seen in advertising."),
        _l("selling phrases"),
        lambda x: _phrases(x) >= 2,
    ),
    Sign(
        1,
        _l("A phrase in it is often seen in advertising."),
        _l("selling phrase"),
        lambda x: _phrases(x) == 1,
    ),
    Sign(
        1,
        _l("It gives a telephone number."),
        _l("telephone number"),
        lambda x: bool(_TELEPHONE.search(x.words)),
    ),
    Sign(1, _l("It gives a mail address."), _l("mail address"), lambda x: bool(_ADDRESS.search(x.words))),
    Sign(
        2,
        _l("The same text was sent a short time ago."),
        _l("same text again"),
        lambda x: len(x.html) > 30 and any(html == x.html for html, _age in x.lately),
    ),
    Sign(
        2,
        _l("Many posts were sent within a few minutes."),
        _l("many in minutes"),
        lambda x: sum(age < FLOOD_SPAN for _html, age in x.lately) >= FLOOD,
    ),
)
CONTEXT = _l("It is one of the first posts of this account.")


def screen(submission: Submission) -> tuple[str, ...]:
    """Why a moderator should look before others do; nothing for nearly everybody.

    Vendor staff, moderators and whoever is known here are not looked at.
    """
    author = submission.author
    if author.is_staff or author.may(Permission.MODERATE) or author.member_id is None:
        return ()
    visible = db.session.execute(
        select(Member.posts_count).where(Member.id == author.member_id)
    ).scalar_one_or_none()
    known_from = 1 if author.status in CUSTOMERS else FIRST_POSTS
    if visible is None or visible > known_from or visible - _counts(submission.post_id) >= known_from:
        return ()
    found = reasons_in(submission.html, submission.title, _lately(submission, author.member_id))
    return () if found and _was_released(author.member_id) else found


def reasons_in(html: str, title: str = "", lately: Lately = ()) -> tuple[str, ...]:
    """Why a newcomer's text would be held, given what they wrote `lately`; nothing where it would not be."""
    look = _look(html, title, lately)
    there = [sign for sign in SIGNS if sign.is_there(look)]
    if sum(sign.points for sign in there) < ENOUGH:
        return ()
    return tuple(_kept(words) for words in (CONTEXT, *(sign.sentence for sign in there)))


def said(reasons: str) -> str:
    """Reasons as they were kept, in the reader's language."""
    for words in (CONTEXT, *(sign.sentence for sign in SIGNS)):
        reasons = reasons.replace(_kept(words), str(words))
    return reasons


def _kept(words: LazyString) -> str:
    """As it stands in a row: in English, whoever wrote the post and whoever reads."""
    with force_locale("en"):
        return str(words)


def _counts(post_id: int | None) -> int:
    """1 for a post that is among its author's visible ones: nobody is known here by what is being changed."""
    if post_id is None:
        return 0
    state = db.session.execute(select(Post.state).where(Post.id == post_id)).scalar_one_or_none()
    return int(state is PostState.VISIBLE)


def short(reasons: list[str]) -> str:
    """The reasons in few words, for the queue: "three links, first post"."""
    words = [str(sign.short) for sign in SIGNS if _kept(sign.sentence) in reasons]
    return ", ".join([*words[:1], _("first post")])


def _look(html: str, title: str, lately: Lately) -> _Look:
    prose = _CODE.sub(" ", html)
    own = {domain.lower() for domain in site.current().vendor_domains}
    links = [
        link
        for link in _HREF.findall(prose)
        if (urlsplit(link).hostname or "").removeprefix("www.") not in own
    ]
    words = " ".join(_TAGS.sub(" ", prose).split())
    return _Look(f"{title} {words}", links, lately, html)


def _lately(submission: Submission, author_id: int) -> Lately:
    now = clock.now()
    return [
        (row.html, now - row.created_at)
        for row in db.session.execute(
            select(Post.html, Post.created_at)
            .where(
                Post.author_id == author_id,
                Post.id != (submission.post_id or 0),
                Post.created_at > now - REPEAT_SPAN,
                Post.state != PostState.DELETED,
            )
            .order_by(Post.created_at.desc())
            .limit(50)
        )
    ]


def _was_released(member_id: int) -> bool:
    return (
        db.session.execute(
            select(Decision.id)
            .where(Decision.member_id == member_id, Decision.post_measure == PostMeasure.RELEASE)
            .limit(1)
        ).first()
        is not None
    )
