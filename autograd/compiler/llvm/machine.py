"""The processor of this machine, and what LLVM makes of a text for it."""

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread, current_thread, main_thread
from typing import Any

import llvmlite.binding as binding
from llvmlite.binding.newpassmanagers import NewPassManager

from ..program import Unprintable
from .keeping import kept

HUGE = 3_000_000  # characters; a longer program is not optimized, so that compilation takes seconds
STRAIGHT = 100_000  # the same of a program on single numbers, which has no loops and gains next to nothing


def awaited(lock: Any) -> Any:
    """A lock for which a fork waits: in the new process nobody would be there to release it."""
    if hasattr(os, "register_at_fork"):
        release = functools.partial(lock.__exit__, None, None, None)
        os.register_at_fork(before=lock.__enter__, after_in_parent=release, after_in_child=release)
    return lock


awaited(binding.ffi.lib._lock)  # which llvmlite holds while LLVM works


class MachineCode:
    """Functions that LLVM makes of a module's text, as long as this lives.

    Loops may be `unrolled`; text is optimized up to `most` characters. Raises Unprintable for one that is not LLVM's.
    """

    def __init__(self, source: str, *names: str, unrolled: bool = False, most: int = HUGE):
        self._engine = _uninterrupted(_engine, source, names, unrolled, len(source) <= most)

    def address(self, name: str) -> int:
        """Where a function is."""
        return self._engine.get_function_address(name)


@functools.cache
def _host() -> tuple[str, str]:
    """This processor, and what it can do."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


@functools.cache
def registers() -> tuple[int, int]:
    """How many vectors this processor holds at once, and the bytes of one; pairs are one where they have 16 bytes."""
    return (32, 64) if binding.get_host_cpu_features().get("avx512f") else (16, 32)


def _target(optimized: bool) -> Any:
    cpu, features = _host()
    level = 3 if optimized else 0
    return binding.Target.from_default_triple().create_target_machine(opt=level, cpu=cpu, features=features)


def _uninterrupted(function: Callable, *args: Any) -> Any:
    """What a function returns, by a thread that Ctrl-C does not interrupt, as it does the main one.

    Where it comes between two lines of llvmlite, some memory is freed twice, which ends the process.
    """
    if current_thread() is not main_thread():
        return function(*args)
    found: Future = Future()

    def run() -> None:
        try:
            found.set_result(function(*args))
        except BaseException as error:
            found.set_exception(error)

    Thread(target=run).start()
    return found.result()


def _engine(source: str, names: Sequence[str], unrolled: bool, optimized: bool) -> Any:
    """What holds the machine code of some functions."""
    key = "\n".join([f"LLVM {binding.llvm_version_info} {unrolled} {optimized}", *_host(), *names, source])
    try:
        compiled = kept(key, lambda: _compiled(source, names, optimized, unrolled))
    except RuntimeError as error:
        raise Unprintable(f"LLVM makes no valid code of it: {str(error).splitlines()[0]}") from None
    # an engine that compiles by itself keeps thirty times the memory of one that is given the compiled code
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target(optimized))
    engine.add_object_file(binding.ObjectFileRef.from_data(compiled))
    engine.finalize_object()
    return engine


def _compiled(source: str, names: Sequence[str], optimized: bool, unrolled: bool) -> bytes:
    """The machine code of some functions; RuntimeError where it is not valid, which would end the process later."""
    target = _target(optimized)
    # in a context of its own, since what LLVM makes in the one that all share is kept until the process ends
    with binding.create_context() as context, binding.parse_assembly(source, context) as module:
        module.verify()
        if optimized:
            _optimize(module, target, names, unrolled)
            module.verify()
        return target.emit_object(module)


def _optimize(module: Any, target: Any, names: Sequence[str], unrolled: bool) -> None:
    # without the vectorizer of straight lines: it made invalid code of some programs, and none much faster
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization, options.loop_unrolling = True, unrolled
    builder = binding.create_pass_builder(target, options)
    _run(builder.getModulePassManager(), module, builder)
    # the functions of vectors (lanes.py) are put where loops call them now, and those that none calls are dropped
    for function in module.functions:
        if not function.is_declaration and function.name not in names:
            function.linkage = "internal"
    passes = binding.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_instruction_combine_pass()  # what a function now knows of its argument
    _run(passes, module, builder)


def _run(passes: Any, module: Any, builder: Any) -> None:
    passes.run(module, builder)
    NewPassManager._dispose(passes)  # 90 kB, which llvmlite itself forgets
    passes.detach()
