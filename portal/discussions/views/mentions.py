"""Names while one types them after an @."""

from flask import Blueprint, Response, jsonify, request

from portal.discussions.queries.mentions import people_named
from portal.kernel.access import Permission, requires, viewer

blueprint = Blueprint("mentions", __name__)


@blueprint.get("/members/complete")
@requires(Permission.POST)
def complete() -> Response:
    """At most eight members whose names begin with what was typed, as [{username, name, company}]."""
    found = people_named(viewer(), request.args.get("q", ""))
    return jsonify([person._asdict() for person in found])
