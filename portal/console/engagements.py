"""What a member did for the vendor: written down and taken back on their page as a candidate."""

from flask import Blueprint, flash, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.advocacy.queries import candidates as queries
from portal.advocacy.queries import engagements
from portal.advocacy.services import engagements as services
from portal.consents.models import Activity
from portal.console.candidate_forms import RECORD, TAKE_BACK, RecordForm, TakeBackForm
from portal.console.candidates import candidate_page
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt, refused
from portal.kernel.errors import Conflict, Invalid, NotFound

blueprint = Blueprint("engagements", __name__, url_prefix="/console")


@blueprint.post("/candidates/<username>/engagements")
@requires(Permission.ADVOCACY)
def record(username: str) -> Response:
    """Write down what they did; they are told, and it never counts."""
    member = queries.member_by_name(username)
    form = RecordForm(prefix=RECORD)

    def write() -> str:
        services.record(
            viewer(),
            member.id,
            Activity(form.activity.data),
            form.done_on.data,
            form.words.data or "",
            form_key=form.taken_key,
        )
        flash(_("Written down. They read it beside their score, and it never counts."))
        return _place(username)

    return attempt(form, write, lambda: candidate_page(username, record_form=form), _missing(form))


@blueprint.post("/candidates/<username>/engagements/<int:engagement_id>/withdrawal")
@requires(Permission.ADVOCACY)
def withdraw(username: str, engagement_id: int) -> Response:
    """Take a record back that was a mistake."""
    member = queries.member_by_name(username)
    if not engagements.is_of(engagement_id, member.id):
        raise NotFound("no such engagement")
    form = TakeBackForm(prefix=TAKE_BACK.format(engagement_id))

    def write() -> str:
        services.withdraw(viewer(), engagement_id, form.reason.data or "", form_key=form.taken_key)
        flash(_("Taken back. They do not read it any more."))
        return _place(username)

    def page() -> str:
        return candidate_page(username, take_back={engagement_id: form})

    try:
        return attempt(form, write, page)
    except Conflict as conflict:
        form.refuse(Invalid(conflict.message))
        return refused(page(), 409)


def _missing(form: RecordForm) -> list[Invalid]:
    """What has to be there before anything is written, all of it at once."""
    found = []
    if form.activity.data not in list(Activity):
        found.append(Invalid(_("Choose what they did."), "activity"))
    if form.done_on.data is None:
        found.append(Invalid(_("Give the day as a date."), "done_on"))
    if not (form.words.data or "").strip():
        found.append(Invalid(services.without_words(), "words"))
    return found


def _place(username: str) -> str:
    return url_for("candidates.show", username=username) + "#engagements"
