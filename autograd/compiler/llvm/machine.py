"""The processor of this machine, and machine code in this process."""

import functools
from typing import Any

import llvmlite.binding as binding


@functools.cache
def _ready() -> None:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


def target(level: int = 3) -> Any:
    """What LLVM has to know of this processor: at level 0 it compiles quickly, at 3 for quick code."""
    _ready()
    return binding.Target.from_default_triple().create_target_machine(
        opt=level, cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten()
    )


def registers() -> tuple[int, int]:
    """How many vectors this processor holds at once, and the bytes of one; pairs are one where they have 16 bytes."""
    return (32, 64) if binding.get_host_cpu_features().get("avx512f") else (16, 32)


def loaded(compiled: bytes) -> Any:
    """An engine that knows the addresses of compiled functions, which are there as long as it lives."""
    # one that compiles by itself keeps thirty times the memory of one that is given the compiled code
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target())
    engine.add_object_file(binding.ObjectFileRef.from_data(compiled))
    engine.finalize_object()
    return engine
