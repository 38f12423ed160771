"""The blueprint, and the page that most of its views answer with."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from markupsafe import Markup

from portal.conversations import policy
from portal.conversations.forms import AnswerForm, LinkForm, MessageForm
from portal.conversations.queries import reading
from portal.conversations.services import messages
from portal.kernel import clock
from portal.kernel.access import viewer

blueprint = Blueprint("conversations", __name__)


def conversation_page(conversation_id: str, **forms: Any) -> str:
    """One conversation with its forms; what is on it counts as seen."""
    before = request.args.get("before", type=int) or 0
    page = reading.page(viewer(), conversation_id, before=before if 0 < before < 2**31 else 0)
    if not before and not page.locked and request.method == "GET":
        messages.mark_seen(viewer(), conversation_id, page.conversation.messages_count)
    answer = forms.pop("answer", None) or AnswerForm(formdata=None)
    answer.offer_lengths()
    return render_template(
        "conversations/conversation.html",
        page=page,
        conversation=page.conversation,
        form=forms.pop("form", None) or MessageForm(formdata=None),
        answer=answer,
        link_form=forms.pop("link_form", None) or LinkForm(formdata=None, data={"link": page.link}),
        html={letter.id: Markup(letter.html) for letter in page.letters},  # noqa: S704 - cleaned when sealed
        now=clock.now(),
        policy=policy,
        earlier_url=url_for(
            "conversations.conversation", conversation_id=conversation_id, before=page.earlier
        )
        if page.earlier
        else "",
        is_last_page=not before,
        **forms,
    )
