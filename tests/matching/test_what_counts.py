"""Whom a prospect can ask does not hang on what the vendor thinks of a customer: it is no input at all.

That all companies on hold and red change nothing is a property of `tests/relations/test_promise_five.py`.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask

from portal.matching import services
from portal.matching.criteria import Criteria
from tests.conftest import make_company, make_customer, make_prospect
from tests.support.statements import Statements

# All that finding and comparing people reads. No hold, health, stage, escalation or score is among it; who
# adds a table here says why it makes no difference between a happy customer and an angry one.
TABLES = {"members", "companies", "availability", "reservations", "exposures", "member_products"}
COMPANY = {"id", "industry", "size_band", "region", "competitors"}
FACTORY = Criteria(industry="31-33", size_band="500-999", region="DE", replacing="Brokerline")


@pytest.mark.parametrize("criteria", [Criteria(), FACTORY])
def test_nothing_else_is_read_to_propose_to_ask_and_to_reserve(
    app: Flask, statements: Callable[[], AbstractContextManager[Statements]], criteria: Criteria
):
    with app.app_context():
        make_customer(company_id=make_company(industry="52"))
        make_customer()
        asker = make_prospect(company_id=make_company())
        with statements() as seen:
            found = services.propose(asker, criteria, purpose="ask:1")
            services.choose_for_wave(asker, criteria, purpose="ask:1")
    assert found.matches
    sql = "\n".join(seen.texts)
    tables = set(re.findall(r"(?:FROM|JOIN|INTO|UPDATE) ([a-z_]+)", sql))
    assert tables <= TABLES, tables - TABLES
    assert {"members", "exposures"} <= tables, "the statements were read"
    assert set(re.findall(r"companies\.([a-z_]+)", sql)) <= COMPANY
