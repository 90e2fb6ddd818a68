"""From a recorded graph to a program: tracing, the straight-line program, and what prints it. nn imports this."""

from .assigning import assigning, take_back
from .collecting import uncollected
from .forms import Compiled, Form
from .mixing import unmixed
from .printing import Executable, executable, spread
from .program import Program, looks
from .tracing import NATIVE, Drawn, leaf, lift, native, record
from .watching import Watch, attributes

__all__ = ["NATIVE", "Compiled", "Drawn", "Executable", "Form", "Program", "Watch", "assigning", "attributes"]
__all__ += ["executable", "leaf", "lift", "looks", "native", "record", "spread", "take_back", "uncollected", "unmixed"]
