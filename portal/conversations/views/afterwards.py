"""After a conversation: how it was, and thanks."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.conversations import services
from portal.conversations.forms import RatingForm, ThanksForm
from portal.conversations.queries import reading
from portal.conversations.views.blueprint import blueprint
from portal.kernel.access import Permission, Status, requires, viewer
from portal.kernel.answers import attempt


@blueprint.get("/conversations/<conversation_id>/rating")
@requires(Permission.CONVERSE)
def ask_to_rate(conversation_id: str) -> str:
    """The forms: how it was, and thanks."""
    return _page(conversation_id, None, ThanksForm(formdata=None))


@blueprint.post("/conversations/<conversation_id>/rating")
@requires(Permission.CONVERSE)
def rate(conversation_id: str) -> Response:
    """Say how it was."""
    form = RatingForm()

    def write() -> str:
        services.rate(
            viewer(),
            conversation_id,
            useful=form.answer("useful"),
            honest=form.answer("honest"),
            again=form.answer("again"),
            decided=form.decision,
            shared=bool(form.shared.data),
        )
        flash(_("Kept. You can change it at any time."))
        return f"/conversations/{conversation_id}"

    return attempt(form, write, lambda: _page(conversation_id, form, ThanksForm(formdata=None)))


@blueprint.post("/conversations/<conversation_id>/thanks")
@requires(Permission.CONVERSE)
def thank(conversation_id: str) -> Response:
    """Send a thank-you."""
    form = ThanksForm()

    def write() -> str:
        services.thank(
            viewer(),
            conversation_id,
            form.text.data or "",
            may_be_public=bool(form.may_be_public.data),
            form_key=form.taken_key,
        )
        flash(_("Sent. They keep it."))
        return f"/conversations/{conversation_id}"

    return attempt(form, write, lambda: _page(conversation_id, None, form))


@blueprint.post("/me/thanks/<thanks_id>/publication")
@requires(Permission.CONVERSE)
def show_thanks(thanks_id: str) -> Response:
    """Show a thank-you on one's own page."""
    services.publish_thanks(viewer(), thanks_id, shown=True)
    flash(_("It stands on your page now."))
    return redirect(url_for("conversations.contributions"), 303)


@blueprint.delete("/me/thanks/<thanks_id>/publication")
@requires(Permission.CONVERSE)
def hide_thanks(thanks_id: str) -> Response:
    """Show it no longer."""
    services.publish_thanks(viewer(), thanks_id, shown=False)
    flash(_("It no longer stands on your page."))
    return redirect(url_for("conversations.contributions"), 303)


def _page(conversation_id: str, form: RatingForm | None, thanks: ThanksForm) -> str:
    page = reading.page(viewer(), conversation_id)
    if form is None:
        kept = page.rating
        words = {True: "yes", False: "no", None: ""}
        form = RatingForm(
            formdata=None,
            data={
                "useful": words[kept.useful],
                "honest": words[kept.honest],
                "again": words[kept.again],
                "decided": kept.decided.value if kept.decided else "",
                "shared": kept.shared,
            }
            if kept
            else None,
        )
    return render_template(
        "conversations/rating.html",
        page=page,
        form=form.offer(),
        thanks_form=thanks,
        is_prospect=viewer().status is Status.PROSPECT,
    )
