"""An operation that warned or failed is computed again at the user's line; its error says what it was given."""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from .arguments import is_node
from .on_arrays import Length
from .operation import Operation
from .users import at_users_line, users_frame

REFUSALS = (ValueError, TypeError, IndexError, FloatingPointError, np.linalg.LinAlgError, np.exceptions.AxisError)
# of code that met what it was not written for
ASTRAY = (
    *(AttributeError, KeyError, AssertionError, ZeroDivisionError, RuntimeError, RecursionError, OverflowError),
    SyntaxError,  # of a dtype's text, which NumPy reads as Python
)


class TracingError(TypeError):
    """A function that is being traced asked for a number that only a call has."""


class Purpose(threading.local):
    """What this thread traces a function for, by the name that the user knows."""

    name = "jit"


purpose = Purpose()


def refuse(what: str, instead: str) -> NoReturn:
    """Raise a TracingError that names the line of the user's program."""
    frame = users_frame()
    line = f"{frame.f_code.co_filename}, line {frame.f_lineno}"
    raise TracingError(f"{line}: {what} inside {purpose.name}: the number is not known yet; {instead}")


def again(operation: Operation, args: tuple) -> Any:
    """The number or array that an operation makes of its arguments, after a first attempt that warned or failed."""
    readings = [type(x).reading if is_node(x) else None for x in args]
    numbers = [getattr(x, reading.held) if reading else x for x, reading in zip(args, readings)]
    plain = next(reading.plain for reading in readings if reading)
    try:
        return at_users_line(plain.value[operation], *numbers)
    except (Warning, TracingError):  # which the user wants to be an error; which says all itself
        raise
    except Exception as error:
        raise _explained(error, operation, args) from None


def _explained(error: Exception, operation: Operation, args: tuple) -> Exception:
    """An error of NumPy, with the name of the operation and what it was given; a refusal of a layer's as it is."""
    if isinstance(args[-1], Length) and args[-1].refusal:
        return error
    given = ", ".join(
        (
            f"{name} of shape {getattr(arg, 'shape', ()) if is_node(arg) else np.shape(arg)}"
            if name in operation.arguments
            else f"{name} = {arg!r}"
        )
        for name, arg in zip(operation.names, args)
    )
    return (_refusal(error) or ValueError)(f"{operation.name}: {given}: {error}")


def refused(error: Exception, called: str, given: Sequence = ()) -> Exception:
    """An error in a function that the user called: with its name, and one that says that its arguments are wrong."""
    if type(error) in ASTRAY:
        return ValueError(f"{called}: these arguments do not fit: {type(error).__name__}: {error}")
    kind = _refusal(error)
    if kind is None or called in str(error):
        return error
    shapes = ", ".join(str(x.shape) for x in given if hasattr(x, "shape"))
    listed = any(isinstance(x, list) for x in given)  # whose shapes are not known
    shown = f" (of shapes {shapes})" if shapes and not listed and "(" not in str(error) else ""
    return kind(f"{called}: {error}{shown}").with_traceback(error.__traceback__)


def naming(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose errors name it."""

    @functools.wraps(function)
    def named(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise refused(error, name) from None

    return named


def _refusal(error: Exception) -> type | None:
    """As what an error of Python's or NumPy's own refuses arguments; NumPy has TypeErrors that nobody else can make."""
    own = type(error).__module__.partition(".")[0] in ("builtins", "numpy")
    return next((kind for kind in type(error).__mro__ if kind in REFUSALS), None) if own else None
