"""A post in a thread becomes evidence: added to a note about its author, or with a new one."""

from collections.abc import Callable

from flask import Blueprint, flash, make_response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.advocacy import picking
from portal.advocacy.queries import candidates as queries
from portal.advocacy.services import candidates as services
from portal.console.candidate_forms import STAGE_WORDS, NominateForm
from portal.discussions.queries.deeds import Deed, deeds
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.forms import Form
from portal.members.models import Member

blueprint = Blueprint("evidence", __name__, url_prefix="/console/posts")


@blueprint.get("/<int:post_id>/evidence")
@requires(Permission.ADVOCACY)
def show(post_id: int) -> str:
    """The post, what moderators wrote about its author, and the two ways to use it."""
    deed = _deed(post_id)
    if deed is None:
        raise NotFound("no such piece")
    return _page(deed, NominateForm(formdata=None))


@blueprint.post("/<int:post_id>/evidence")
@requires(Permission.ADVOCACY)
def add(post_id: int) -> Response:
    """Add it to a note that is there."""
    form = NominateForm()

    def write(deed: Deed) -> str:
        services.add_evidence(viewer(), deed.author_id, post_id, form_key=form.taken_key, place=deed.url)
        flash(_("Picked as evidence."))
        return deed.url

    return _attempt(post_id, form, write)


@blueprint.post("/<int:post_id>/nomination")
@requires(Permission.ADVOCACY)
def nominate(post_id: int) -> Response:
    """Nominate its author with a note, and further pieces if wanted."""
    form = NominateForm()
    if picking.looks_further() and (found := _deed(post_id)) is not None:
        return make_response(_page(found, form))

    def write(deed: Deed) -> str:
        services.nominate(
            viewer(),
            deed.author_id,
            form.note.data or "",
            post_ids=picking.sent_ids(),
            form_key=form.taken_key,
            place=deed.url,
        )
        flash(_("Nominated."))
        return deed.url

    return _attempt(post_id, form, write)


def _attempt(post_id: int, form: NominateForm, write: Callable[[Deed], str]) -> Response:
    deed = _deed(post_id)

    def begin() -> str:
        if deed is None:
            raise Invalid(
                _(
                    "This post stands there no more, or its author can no longer be nominated. "
                    "Nothing was stored."
                )
            )
        return write(deed)

    return attempt(form, begin, lambda: _page(_deed(post_id), form))


def _deed(post_id: int) -> Deed | None:
    """The post while it stands, as an answer or war story of somebody who may be nominated."""
    found = deeds(viewer(), [post_id])
    return found[0] if found and queries.may_be_nominated(found[0].author_id) else None


def _page(deed: Deed | None, form: NominateForm) -> str:
    me = viewer()
    if deed is None:  # went while the form was open: what was typed is kept
        return render_template("console/evidence_gone.html", form=form)
    member = db.session.get_one(Member, deed.author_id)
    notes = queries.notes_of_moderators(member.id)
    to = queries.note_to_add_to(notes, me.member_id)
    by = db.session.get(Member, to.by_id) if to is not None and to.by_id else None
    return render_template(
        "console/evidence.html",
        deed=deed,
        member=member,
        line=queries.line_of(member.id),
        not_approached=queries.is_not_to_be_approached(member.id),
        note=to,
        note_is_own=to is not None and to.by_id == me.member_id,
        note_by=by.name if by else "",
        picked=any(deed.post_id in one.post_ids for one in notes),
        full=to is not None and len(to.post_ids) >= services.MOST_EVIDENCE,
        form=form,
        add_form=Form(formdata=None),
        picker=picking.picker(me, member.id, [deed.post_id]),
        add_url=url_for("evidence.add", post_id=deed.post_id),
        nominate_url=url_for("evidence.nominate", post_id=deed.post_id),
        stages=STAGE_WORDS,
    )
