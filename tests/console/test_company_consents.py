"""What companies agreed to: written down by moderators, limited, ended, shown where it matters."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.consents.models import Activity, CompanyConsent
from portal.consents.queries import history_of_company, of_company
from portal.consents.services import end_company_consent, give, record_company_consent
from portal.kernel import audit, clock
from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.members.models import Company
from tests.conftest import make_company, make_customer, make_moderator, viewer_of
from tests.support.people import submit

SignIn = Callable[[int], FlaskClient]
DAY = timedelta(days=1)


def today() -> date:
    return clock.now().date()


def agree(actor: int, company: int, activity: Activity = Activity.LOGO, **more: object) -> int:
    values = {"given_by": "Ms Okafor, contract 17", "given_on": today(), "expires_on": today() + 300 * DAY}
    return record_company_consent(viewer_of(actor), company, activity, **{**values, **more})  # type: ignore[arg-type]


def test_an_agreement_holds_until_its_day_and_a_new_one_takes_its_place(in_app: Flask) -> None:
    moderator, company = make_moderator(), make_company()
    agree(moderator, company, expires_on=today() + 10 * DAY)
    agree(moderator, company, Activity.PRESS)
    newer = agree(moderator, company, limits="  on the  website alone ")
    found = {row.activity: row for row in of_company(company)}
    assert found.keys() == {Activity.LOGO, Activity.PRESS}
    assert (found[Activity.LOGO].id, found[Activity.LOGO].limits) == (newer, "on the website alone")
    assert len(history_of_company(company)) == 3
    last = found[Activity.LOGO].expires_on
    assert Activity.LOGO in {row.activity for row in of_company(company, last)}
    assert of_company(company, last + DAY) == []


def test_what_was_taken_back_holds_no_more_and_stands_in_the_log(in_app: Flask) -> None:
    moderator, company, other = make_moderator(), make_company(), make_company()
    number = agree(moderator, company)
    with pytest.raises(NotFound):
        end_company_consent(viewer_of(moderator), other, number)
    end_company_consent(viewer_of(moderator), company, number)
    ended = db.session.get_one(CompanyConsent, number).ended_at
    assert of_company(company) == []
    assert [row.id for row in history_of_company(company)] == [number]
    with clock.frozen(clock.now() + DAY):
        end_company_consent(viewer_of(moderator), company, number)
    assert db.session.get_one(CompanyConsent, number).ended_at == ended
    actions = db.session.execute(select(audit.AuditEntry.action).order_by(audit.AuditEntry.number)).scalars()
    assert list(actions) == ["record consent", "end consent"]


@pytest.mark.parametrize(
    ("wrong", "beside"),
    [
        ({"given_by": " "}, "given_by"),
        ({"given_by": "x" * 161}, "given_by"),
        ({"limits": "x" * 301}, "limits"),
        ({"given_on": date(2999, 1, 1), "expires_on": date(2999, 2, 1)}, "given_on"),
        ({"expires_on": date(2000, 1, 1)}, "expires_on"),
        ({"expires_on": date(2999, 1, 1)}, "expires_on"),
    ],
)
def test_no_agreement_without_its_facts_or_beyond_a_year(in_app: Flask, wrong: dict, beside: str) -> None:
    moderator, company = make_moderator(), make_company()
    with pytest.raises(Invalid) as refused:
        agree(moderator, company, **wrong)
    assert refused.value.field == beside
    assert history_of_company(company) == []


def test_only_the_vendors_moderators_write_it_down(in_app: Flask) -> None:
    company = make_company()
    number = agree(make_moderator(), company)
    for other in (make_customer(company_id=company), make_customer(duties=[Duty.MODERATOR])):
        with pytest.raises(Forbidden):
            agree(other, company)
        with pytest.raises(Forbidden):
            end_company_consent(viewer_of(other), company, number)


def test_a_moderator_writes_it_down_and_ends_it_on_its_page(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        company = make_company("Castellan")
        person = make_customer("Ines", company_id=company)
        give(viewer_of(person), [Activity.LOGO, Activity.CALL])
        browser = sign_in(make_moderator())
        username = viewer_of(person).username
        slug = db.session.get_one(Company, company).slug
        day = today()
    page = f"/console/companies/{slug}/agreements"
    candidate = f"/console/candidates/{username}"
    assert page in browser.get(f"/console/companies/{slug}").text
    assert "agreement is missing" in browser.get(candidate).text
    wanted = {
        "activity": "logo",
        "given_by": "Ms Okafor, mail of 3 March",
        "limits": "on the website alone",
        "given_on": day.isoformat(),
        "expires_on": (day + 90 * DAY).isoformat(),
    }
    for wrong in ({"given_by": ""}, {"expires_on": ""}, {"activity": "nonsense"}):
        refused = submit(browser, page, {**wanted, **wrong}, page)
        assert refused.status_code == 422
    assert submit(browser, page, wanted, page).status_code == 303
    shown = browser.get(page).text
    assert "Ms Okafor, mail of 3 March" in shown
    assert "on the website alone" in shown
    file = browser.get(f"{page}.csv").text
    assert f'href="{page}.csv"' in shown
    assert "Ms Okafor, mail of 3 March" in file.splitlines()[1]
    beside = browser.get(candidate).text
    assert "agreement is missing" not in beside
    assert "on the website alone" in beside
    with app.app_context():
        number = db.session.execute(select(CompanyConsent.id)).scalar_one()
    ended = submit(browser, page, {}, f"{page}/{number}?_method=DELETE")
    assert ended.status_code == 303
    assert "They took it back" not in browser.get(page).text
    assert "agreement is missing" in browser.get(candidate).text
