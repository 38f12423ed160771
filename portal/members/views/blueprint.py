"""The one blueprint of all these pages."""

from flask import Blueprint

blueprint = Blueprint("members", __name__)
