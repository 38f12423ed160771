"""What is said of a proposal: why this person, how well they fit, and what is true of every proposal."""

from dataclasses import dataclass, field

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
    "industry": "same industry",
    "products": "uses what you asked about",
    "use_case": "uses it for the same",
    "size_band": "same size",
    "role_level": "same kind of role",
    "region": "same country",
}
_DIFFERS = {
    "industry": "another industry",
    "products": "other products",
    "use_case": "another use",
    "size_band": "another size",
    "role_level": "another kind of role",
    "region": "another country",
    "replacing": "replaced something else",
}
_UNKNOWN = {
    "industry": "industry not known",
    "products": "products not known",
    "use_case": "use not known",
    "size_band": "size not known",
    "role_level": "role not known",
    "region": "country not known",
    "replacing": "what was replaced is not known",
}


def explanation(match: Match, proposals: Proposals, *, name: str = "") -> list[str]:
    """The sentences that stand with a proposal. `name` as far as the asker may know it.

    Counts stand there only when at least five fit, so that nobody can infer who declined.
    """
    who = name or "This person"
    found = [_comparison(match, proposals.criteria)]
    if proposals.criteria.stated:
        found.append(f"Fit {match.fit:.2f} ({WANTED_FIT:.2f} needed).")
    if proposals.fitting is not None:
        among = f"; {who} is among those asked least ({match.load} of {match.limit} this quarter)"
        found.append(f"{proposals.fitting} customers fit{among if match.least else ''}.")
    among_whom = "the nearest" if proposals.relaxed else "those who fit"
    found.append(_HOW[match.chosen_as].format(who=who, whom=among_whom))
    found.append("Nobody is paid. The vendor cannot read this conversation.")
    return [sentence for sentence in found if sentence]


_HOW = {
    "chosen": "",
    "least shown": "{who} was proposed least often this quarter.",
    "random": "{who} was drawn at random from {whom}.",
}


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
    same = [_SAME.get(name) or f"replaced {criteria.replacing} too" for name in match.same]
    other = [_DIFFERS[name] for name in match.differs] + [_UNKNOWN[name] for name in match.unknown]
    text = "; ".join(", ".join(part) for part in (same, other) if part)
    return f"{text[0].upper()}{text[1:]}." if text else ""
