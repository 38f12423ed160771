"""What is said of a proposal: why this person, how well they fit, and what is true of every proposal."""

from dataclasses import dataclass, field

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.matching.choice import Candidate
from portal.matching.criteria import WANTED_FIT, Criteria
from portal.matching.queries.eligible import Ranked

COUNTED_FROM = 5  # below that, numbers would tell who declined


@dataclass(frozen=True)
class Match:
    """A proposed customer. `same`, `differs` and `unknown` are names of criteria.

    `least` says that nobody who fits is less loaded.
    """

    member_id: int
    fit: float
    same: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    load: int = 0
    limit: int = 0
    chosen_as: str = "chosen"
    least: bool = False


@dataclass(frozen=True)
class Proposals:
    """Who is proposed, in no order. `fitting` counts those who fit, from five on; else None.

    `relaxed` is "" or says in a sentence that the nearest are shown, or that there is nobody.
    """

    matches: tuple[Match, ...]
    fitting: int | None = None
    relaxed: str = ""
    criteria: Criteria = field(default_factory=Criteria)


_SAME = {
    "industry": _l("same industry"),
    "products": _l("uses what you asked about"),
    "use_case": _l("uses it for the same"),
    "size_band": _l("same size"),
    "role_level": _l("same kind of role"),
    "region": _l("same country"),
}
_DIFFERS = {
    "industry": _l("another industry"),
    "products": _l("other products"),
    "use_case": _l("another use"),
    "size_band": _l("another size"),
    "role_level": _l("another kind of role"),
    "region": _l("another country"),
    "replacing": _l("replaced something else"),
}
_UNKNOWN = {
    "industry": _l("industry not known"),
    "products": _l("products not known"),
    "use_case": _l("use not known"),
    "size_band": _l("size not known"),
    "role_level": _l("role not known"),
    "region": _l("country not known"),
    "replacing": _l("what was replaced is not known"),
}


def explanation(match: Match, proposals: Proposals, *, name: str = "") -> list[str]:
    """The sentences that stand with a proposal. `name` as far as the asker may know it.

    Counts stand there only when at least five fit, so that nobody can infer who declined.
    """
    who = name or _("This person")
    found = [_comparison(match, proposals.criteria)]
    if proposals.criteria.stated:
        found.append(
            _("Fit %(fit)s (%(needed)s needed).", fit=f"{match.fit:.2f}", needed=f"{WANTED_FIT:.2f}")
        )
    if proposals.fitting is not None and match.least:
        found.append(
            _(
                "%(num)d customers fit; %(who)s is among those asked least (%(load)d of %(limit)d this "
                "quarter).",
                num=proposals.fitting,
                who=who,
                load=match.load,
                limit=match.limit,
            )
        )
    elif proposals.fitting is not None:
        found.append(_("%(num)d customers fit.", num=proposals.fitting))
    if match.chosen_as == "least shown":
        found.append(_("%(who)s was proposed least often this quarter.", who=who))
    elif match.chosen_as == "random" and proposals.relaxed:
        found.append(_("%(who)s was drawn at random from the nearest.", who=who))
    elif match.chosen_as == "random":
        found.append(_("%(who)s was drawn at random from those who fit.", who=who))
    found.append(_("Nobody is paid. The vendor cannot read this conversation."))
    return [sentence for sentence in found if sentence]


def as_match(ranked: Ranked, chosen_as: str, fitting: list[Candidate]) -> Match:
    """The match out of a candidate that was chosen."""
    candidate, fit = ranked.candidate, ranked.fit
    lowest = min((one.load / one.limit for one in fitting), default=0.0)
    return Match(
        member_id=candidate.member_id,
        fit=fit.value,
        same=fit.same,
        differs=fit.differs,
        unknown=fit.unknown,
        load=candidate.load,
        limit=candidate.limit,
        chosen_as=chosen_as,
        least=candidate.load / candidate.limit <= lowest,
    )


def _comparison(match: Match, criteria: Criteria) -> str:
    """ "Same industry, same size, replaced Brokerline too; another country." """
    same = [
        str(_SAME[name]) if name in _SAME else _("replaced %(product)s too", product=criteria.replacing)
        for name in match.same
    ]
    other = [str(words) for words in (*map(_DIFFERS.get, match.differs), *map(_UNKNOWN.get, match.unknown))]
    text = "; ".join(", ".join(part) for part in (same, other) if part)
    return f"{text[0].upper()}{text[1:]}." if text else ""
