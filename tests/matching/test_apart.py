"""Whom somebody may talk with, by their companies: the same wherever it is asked."""

from itertools import product

from portal.conversations.queries.finding import may_be_asked
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.queries import are_apart, compete, is_eligible
from portal.members.models import Company, VerifiedBy
from tests.conftest import make_company, make_customer, make_prospect, viewer_of


def test_every_way_of_asking_gives_the_same_answer(in_app) -> None:
    first, second = make_company(), make_company()
    asker = {company: make_prospect(company_id=company) for company in (None, first)}
    member = {
        company: make_customer(company_id=company, verified_by=VerifiedBy.MAIL)
        for company in (None, first, second)
    }
    for own, theirs, named, names in product(asker, member, (False, True), (False, True)):
        with unit_of_work():
            db.session.get_one(Company, first).competitors = [second] if named else []
            db.session.get_one(Company, second).competitors = [first] if names else []
        one, other = asker[own], member[theirs]
        both = own is not None and theirs is not None
        apart = not both or (own != theirs and not named and not names)
        case = f"own={own} theirs={theirs} named={named} names={names}"
        assert are_apart(one, other) is apart, case
        assert may_be_asked(viewer_of(one), other) is apart, case
        assert is_eligible(one, other) is apart, case
        assert compete(one, other) is (both and own != theirs and not apart), case
    assert not any(ask(one, one) for ask in (are_apart, is_eligible) for one in member.values())
    assert not any(may_be_asked(viewer_of(one), one) for one in member.values())
