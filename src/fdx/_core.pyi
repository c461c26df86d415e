from typing import Any

__version__: str

def compiler() -> str: ...
def isa() -> str: ...
def gradient(
    f: Any,
    *varargs: Any,
    axis: Any = None,
    edge_order: int = 1,
    out: Any = None,
    workers: int | None = None,
) -> Any: ...

class Job:
    @property
    def nparts(self) -> int: ...
    @property
    def parts_run(self) -> int: ...
    def work(self) -> None: ...
