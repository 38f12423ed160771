"""What happened, told upwards: event class -> functions, filled once by `portal.wiring`.

Events are small frozen dataclasses of ids in the past tense. Listeners run in order of subscription inside
the transaction of the write; a failing listener fails the write.
"""

from collections.abc import Callable
from typing import Any

from portal.kernel.unit_of_work import in_unit_of_work

_listeners: dict[type, list[Callable[[Any], None]]] = {}


def subscribe(event: type, *listeners: Callable[[Any], None]) -> None:
    """Call `listeners`, in this order, whenever an `event` is published. Twice the same is once."""
    known = _listeners.setdefault(event, [])
    known.extend(listener for listener in listeners if listener not in known)


def publish(event: object) -> None:
    """Tell everybody who subscribed to this event's class. Must be called inside a unit of work."""
    if not in_unit_of_work():
        raise RuntimeError("events are published inside unit_of_work()")
    for listener in _listeners.get(type(event), ()):
        listener(event)
