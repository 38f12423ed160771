"""The rota and the practice cases, as moderators use their pages."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from portal.moderation.queries import rota
from tests.conftest import make_moderator
from tests.support.people import submit

SignIn = Callable[[int], FlaskClient]


def test_the_rota_shows_the_plan_and_change_it(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        ruth, today = make_moderator("Ruth Adeyemi"), rota.today()
    client = sign_in(ruth)
    assert "Nothing is planned" in client.get("/console/rota").text
    form = {"member": str(ruth), "first_day": today.isoformat(), "weeks": "1"}
    assert submit(client, "/console/rota", form).status_code == 303
    page = client.get("/console/rota").text
    assert "On duty today: Ruth Adeyemi." in page
    assert 'href="/console/rota/shifts.csv"' in page
    assert client.get("/console/rota/shifts.csv").text.splitlines()[1].startswith(f"Ruth Adeyemi,{today}")
    refused = submit(client, "/console/rota", {**form, "first_day": "never"})
    assert refused.status_code == 422
    assert "Write the day as 2026-03-31." in refused.text


def test_practice_leads_through_all_six(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        ruth = make_moderator("Ruth Adeyemi")
    client = sign_in(ruth)
    page = client.get("/console/practice").text
    assert page.count("not yet") == 6
    first = client.get("/console/practice/harsh").text
    assert "How it is usually decided" not in first
    refused = submit(client, "/console/practice/harsh", {"member": "none"})
    assert refused.status_code == 422
    assert "Choose what happens to the post." in refused.text
    answered = submit(client, "/console/practice/harsh", {"post": "none", "member": "none"})
    assert answered.status_code == 303
    shown = client.get("/console/practice/harsh").text
    assert "How it is usually decided" in shown
    assert "5 are left" in shown
    assert client.get("/console/practice/nothing").status_code == 404
