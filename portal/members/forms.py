"""Forms of joining, signing in and one's own settings."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, HiddenField, PasswordField, StringField
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
