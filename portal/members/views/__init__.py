"""What the browser sends and sees of joining, signing in, and one's own settings."""

from flask import Blueprint

blueprint = Blueprint("members", __name__)
