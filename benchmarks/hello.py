"""The smallest Flask application: the yardstick that every page is divided by."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    return "hello"
