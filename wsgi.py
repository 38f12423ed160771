"""What a WSGI server loads."""

from portal import create_app

app = create_app()
