"""Being seen, for those who want it: a piece of one's own in the light, and what one has done."""

from flask import Blueprint, flash, redirect, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import Length

from portal.advocacy.queries.recognition import FIRST_ACCEPTED, HELPED_TEN, WAR_STORY, badges_of, shown_of
from portal.advocacy.services import recognition
from portal.discussions.queries.deeds import deeds_of
from portal.kernel.access import Permission, Viewer, requires, viewer
from portal.kernel.answers import attempt
from portal.kernel.forms import Form

blueprint = Blueprint("recognition", __name__)

BADGES = {
    FIRST_ACCEPTED: _l("First accepted answer"),
    HELPED_TEN: _l("Helped people of ten companies"),
    WAR_STORY: _l("Told a war story"),
}


class SpotlightForm(Form):
    """What one is shown with."""

    post = RadioField(_l("In the spotlight"), choices=[], validate_choice=False)
    words = StringField(
        _l("In your own words"),
        description=_l("A sentence beside it, such as what you learned."),
        validators=[Length(max=300)],
    )
    badges = BooleanField(_l("Show what I have done"))

    def offer(self, me: Viewer) -> "SpotlightForm":
        """Fill in one's own pieces."""
        own = deeds_of(me, me.member_id or 0, 20)
        self.post.choices = [("", _("nothing")), *((str(deed.post_id), deed.title) for deed in own)]
        return self


@blueprint.get("/me/recognition")
@requires(Permission.ACCOUNT)
def index() -> str:
    """What is shown now, and the choice."""
    me = viewer()
    now = shown_of(me, me.member_id or 0)
    data = {
        "post": str(now.deed.post_id) if now and now.deed else "",
        "words": now.words if now else "",
        "badges": now is None or bool(now.badges),
    }
    return _page(SpotlightForm(formdata=None, data=data))


@blueprint.post("/me/recognition")
@requires(Permission.ACCOUNT)
def save() -> Response:
    """Show it."""
    form = SpotlightForm()

    def write() -> str:
        chosen = form.post.data or ""
        recognition.show(
            viewer(),
            post_id=int(chosen) if chosen.isdecimal() and len(chosen) < 12 else None,
            words=form.words.data or "",
            badges=bool(form.badges.data),
        )
        flash(_("It stands on your page now."))
        return "/me/recognition"

    return attempt(form, write, lambda: _page(form))


@blueprint.delete("/me/recognition")
@requires(Permission.ACCOUNT)
def hide() -> Response:
    """Show nothing."""
    recognition.hide(viewer())
    flash(_("Nothing of it is shown any more."))
    return redirect("/me/recognition", 303)


def _page(form: SpotlightForm) -> str:
    me = viewer()
    return render_template(
        "front/recognition.html",
        form=form.offer(me),
        shown=shown_of(me, me.member_id or 0),
        earned=badges_of(me.member_id or 0),
        badges=BADGES,
        robots="noindex",
    )
