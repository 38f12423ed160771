"""What operators ask."""

from flask import Flask
from flask.testing import FlaskClient

from portal.front import health
from portal.kernel import heartbeat
from portal.search import services as search


def test_the_process_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok\n"


def test_readiness_names_what_fails(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "worker: failing\nsearch index: failing\n")
    with app.app_context():
        heartbeat.beat("worker")
        search.drain()
    assert client.get("/readyz").text == "ready\n"
    health.checks["index"] = lambda: False
    try:
        assert client.get("/readyz").text == "index: failing\n"
    finally:
        del health.checks["index"]


def test_figures_are_for_configured_addresses_only(client: FlaskClient) -> None:
    client.get("/healthz")
    figures = client.get("/metrics")
    assert 'candor_requests_total{status="200",view="health.healthz"}' in figures.text
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
