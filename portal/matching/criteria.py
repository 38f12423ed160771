"""What somebody looks for in a person to talk to, and how well a person fits it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sqlalchemy import select

from portal.kernel.db import db
from portal.members.models import Company, Member, MemberProduct, RoleLevel
from portal.search import analysis

# What each criterion weighs; the asker may say otherwise.
WEIGHTS: dict[str, float] = {
    "industry": 0.25,
    "products": 0.20,
    "use_case": 0.20,
    "size_band": 0.15,
    "role_level": 0.10,
    "region": 0.10,
    "replacing": 0.10,
}
WANTED_FIT = 0.60


@dataclass(frozen=True)
class Criteria:
    """What is known of the situation; everything may be left out. `region` is an ISO 3166 country.

    `weights` replaces single entries of WEIGHTS; 0 leaves a criterion out.
    """

    industry: str = ""
    size_band: str = ""
    region: str = ""
    product_ids: tuple[int, ...] = ()
    use_case: str = ""
    role_level: RoleLevel | None = None
    replacing: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of_member(cls, member_id: int) -> "Criteria":
        """Somebody like this member: what their profile and their company say."""
        row = db.session.execute(
            select(
                Member.role_level,
                Member.region,
                Member.use_cases,
                Member.replaced,
                Company.industry,
                Company.size_band,
                Company.region.label("company_region"),
            )
            .outerjoin(Company, Company.id == Member.company_id)
            .where(Member.id == member_id)
        ).one()
        used = select(MemberProduct.product_id).where(MemberProduct.member_id == member_id)
        return cls(
            industry=row.industry or "",
            size_band=row.size_band or "",
            region=row.region or row.company_region or "",
            product_ids=tuple(sorted(db.session.execute(used).scalars())),
            use_case=row.use_cases[0] if row.use_cases else "",
            role_level=row.role_level,
            replacing=row.replaced,
        )

    @property
    def stated(self) -> dict[str, float]:
        """The weight of each criterion that was stated and counts."""
        said = {
            "industry": bool(self.industry),
            "products": bool(self.product_ids),
            "use_case": bool(words(self.use_case)),
            "size_band": bool(self.size_band),
            "role_level": self.role_level is not None,
            "region": bool(self.region),
            "replacing": bool(words(self.replacing)),
        }
        weights = {**WEIGHTS, **{name: max(0.0, value) for name, value in self.weights.items()}}
        return {name: weights[name] for name in WEIGHTS if said[name] and weights[name] > 0}

    @property
    def least_important(self) -> str:
        """The stated criterion that weighs least: the first to drop. "" when nothing was stated."""
        stated = self.stated
        return min(reversed(list(stated)), key=lambda name: stated[name], default="")

    def without(self, name: str) -> "Criteria":
        """The same without one criterion."""
        return replace(self, weights={**self.weights, name: 0.0})


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a person, as far as they show it; empty is unknown."""

    industry: str = ""
    size_band: str = ""
    regions: tuple[str, ...] = ()
    product_ids: frozenset[int] = frozenset()
    use_cases: tuple[str, ...] = ()
    role_level: RoleLevel | None = None
    replaced: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well somebody fits, 0 to 1, and by what: names of criteria."""

    value: float
    same: tuple[str, ...]
    differs: tuple[str, ...]
    unknown: tuple[str, ...]


def fit_of(criteria: Criteria, traits: Traits) -> Fit:
    """Matched weight ÷ weight of the criteria stated; what is unknown counts half. Nothing stated: 1."""
    return _fit(criteria, criteria.stated, traits)


def fits_of(criteria: Criteria, people: Iterable[Traits]) -> list[Fit]:
    """`fit_of` for many."""
    stated = criteria.stated
    return [_fit(criteria, stated, traits) for traits in people]


def _fit(criteria: Criteria, stated: dict[str, float], traits: Traits) -> Fit:
    found: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    matched = 0.0
    for name, weight in stated.items():
        answer = _meets(name, criteria, traits)
        found[answer].append(name)
        matched += weight * (0.5 if answer is None else answer)
    whole = sum(stated.values())
    value = round(matched / whole, 6) if whole else 1.0
    return Fit(value, tuple(found[True]), tuple(found[False]), tuple(found[None]))


def _meets(name: str, criteria: Criteria, traits: Traits) -> bool | None:
    """Whether one criterion is met; None when it is not known."""
    match name:
        case "industry":
            return traits.industry == criteria.industry if traits.industry else None
        case "size_band":
            return traits.size_band == criteria.size_band if traits.size_band else None
        case "region":
            return criteria.region in traits.regions if traits.regions else None
        case "products":
            return bool(traits.product_ids & set(criteria.product_ids)) if traits.product_ids else None
        case "role_level":
            return traits.role_level is criteria.role_level if traits.role_level else None
        case "use_case":
            return _alike(criteria.use_case, traits.use_cases)
        case _:
            return _alike(criteria.replacing, (traits.replaced,) if traits.replaced else ())


def _alike(asked: str, theirs: tuple[str, ...]) -> bool | None:
    """Whether one of the texts shares half the words of the shorter of the two."""
    known = [found for text in theirs if (found := words(text))]
    if not known:
        return None
    wanted = words(asked)
    return any(2 * len(wanted & found) >= min(len(wanted), len(found)) for found in known)


@lru_cache(20_000)
def words(text: str) -> frozenset[str]:
    """The stems by which two short texts are compared; a number alone tells nothing unless it is all."""
    found = {part for token in analysis.tokens(analysis.fold(text)) for part in token.parts}
    found -= analysis.STOP_WORDS
    named = {word for word in found if not re.fullmatch(r"[\d.,]+", word)}
    return frozenset(named or found)
