"""Forms of joining, signing in and one's own settings."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length

from portal.kernel.forms import Form

_EMAIL = Length(max=254, message=_l("An address has at most 254 characters."))
_PASSWORD = Length(max=200, message=_l("Use at most 200 characters."))


class JoinForm(Form):
    name = StringField(
        _l("Your name"),
        description=_l("As colleagues know you. Others read it beside what you write."),
        validators=[
            InputRequired(_l("Write your name.")),
            Length(max=80, message=_l("A name has at most 80 characters.")),
        ],
    )
    email = EmailField(
        _l("Work mail"),
        description=_l("It shows which company you are with. Nobody sees the address itself."),
        validators=[InputRequired(_l("Write your mail address.")), _EMAIL],
    )
    password = PasswordField(
        _l("Password"),
        description=_l("At least 10 characters; a few words in a row are best."),
        validators=[InputRequired(_l("Choose a password.")), _PASSWORD],
    )
    next = HiddenField()


class ConfirmJoinForm(Form):
    password = PasswordField(_l("Password you chose when joining"), validators=[_PASSWORD])


class LoginForm(Form):
    email = EmailField(_l("Mail address"), validators=[InputRequired(_l("Write your mail address.")), _EMAIL])
    password = PasswordField(
        _l("Password"), validators=[InputRequired(_l("Write your password.")), _PASSWORD]
    )
    remember = BooleanField(_l("Stay signed in on this device for 60 days"))
    next = HiddenField()
    kept = HiddenField()


class SignInLinkForm(Form):
    """The same fields as signing in with a password, for those who want a link instead."""

    email = EmailField(_l("Mail address"), validators=[InputRequired(_l("Write your mail address.")), _EMAIL])
    next = HiddenField()
    kept = HiddenField()


class UseLinkForm(Form):
    remember = BooleanField(_l("Stay signed in on this device for 60 days"))


class ResetRequestForm(Form):
    email = EmailField(_l("Mail address"), validators=[InputRequired(_l("Write your mail address.")), _EMAIL])


class NewPasswordForm(Form):
    password = PasswordField(
        _l("New password"),
        description=_l("At least 10 characters; a few words in a row are best."),
        validators=[InputRequired(_l("Choose a password.")), _PASSWORD],
    )


class ChangePasswordForm(Form):
    current = PasswordField(
        _l("Your password now"), validators=[InputRequired(_l("Write your password.")), _PASSWORD]
    )
    new = PasswordField(
        _l("New password"),
        description=_l("At least 10 characters; a few words in a row are best."),
        validators=[InputRequired(_l("Choose a password.")), _PASSWORD],
    )


class ChangeEmailForm(Form):
    email = EmailField(
        _l("New mail address"), validators=[InputRequired(_l("Write the new address.")), _EMAIL]
    )
    password = PasswordField(
        _l("Your password"), validators=[InputRequired(_l("Write your password.")), _PASSWORD]
    )


class CompanyClaimForm(Form):
    company = StringField(
        _l("Company"),
        validators=[
            InputRequired(_l("Write the company's name, or skip this.")),
            Length(max=120, message=_l("At most 120 characters.")),
        ],
    )
    title = StringField(_l("Your title"), validators=[Length(max=100, message=_l("At most 100 characters."))])


class ProfileForm(Form):
    """The part of the profile that is the same for everybody; products are added by `profile_form`."""

    version = HiddenField()
    name = StringField(_l("Your name"), validators=[InputRequired(_l("Write your name.")), Length(max=80)])
    title = StringField(_l("Your title"), description=_l("Such as “Head of IT operations”."))
    role_level = SelectField(_l("How near to the work"))
    region = SelectField(_l("Country"))
    time_zone = SelectField(
        _l("Time zone"), description=_l("Times on pages and the hour of the digest follow it.")
    )
    languages = SelectMultipleField(_l("Languages you read and write"), validate_choice=False)
    company = StringField(
        _l("Company"), description=_l("Shown to nobody until a moderator has confirmed it.")
    )
    use_cases = StringField(
        _l("What you use it for"), description=_l("A few words each, separated by commas.")
    )
    replaced = StringField(
        _l("What it replaced"), description=_l("The product or the way of working you had before.")
    )
    topics = StringField(
        _l("What others may ask you about"), description=_l("A few words each, separated by commas.")
    )
    about = TextAreaField(_l("About you"), description=_l("Markdown works. At most 4,000 characters."))


def profile_form(products: list[tuple[int, str]]) -> type[ProfileForm]:
    """The form with a box and a "since when" for each product (id, name)."""
    more: dict[str, Any] = {}
    for number, name in products:
        more[f"product_{number}"] = BooleanField(name)
        more[f"since_{number}"] = StringField(_l("%(product)s since", product=name))
    return type("ProfileFormWithProducts", (ProfileForm,), more)


class PictureForm(Form):
    picture = FileField(
        _l("New picture"),
        description=_l(
            "JPEG, PNG, WebP or GIF, up to 10 MB. It is cut to a square; what the camera noted is removed."
        ),
    )
