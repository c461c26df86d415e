"""Finite differences on NumPy arrays, compiled: `np.gradient`, bit for bit, and any other
derivative, accuracy, boundary and grid."""

from fdx._common.threads import set_workers
from fdx._core import __version__ as __version__
from fdx._core import get_function_address, gradient
from fdx._embedding import get_include, get_library_dir
from fdx._functions.calculus import curl, divergence, hessian, jacobian, laplacian
from fdx._functions.derivative import derivative
from fdx._functions.result_cache import set_result_cache
from fdx._functions.values import Curl, Divergence, Gradient, Hessian, Jacobian, Laplacian
from fdx._functions.weights import weights
from fdx._operators.block import Block, block
from fdx._operators.compact import Compact
from fdx._operators.conditions import Dirichlet, Neumann, Robin
from fdx._operators.operator import Operator
from fdx._operators.schemes import Diff, Filter, Identity, Interp, Stencil, Upwind
from fdx._patch.patch import patch_numpy, patched, unpatch_numpy
from fdx._patch.report import PatchReport

__all__ = [
    "Block",
    "Compact",
    "Curl",
    "Diff",
    "Dirichlet",
    "Divergence",
    "Filter",
    "Gradient",
    "Hessian",
    "Identity",
    "Interp",
    "Jacobian",
    "Laplacian",
    "Neumann",
    "Operator",
    "PatchReport",
    "Robin",
    "Stencil",
    "Upwind",
    "block",
    "curl",
    "derivative",
    "divergence",
    "get_function_address",
    "get_include",
    "get_library_dir",
    "gradient",
    "hessian",
    "jacobian",
    "laplacian",
    "patch_numpy",
    "patched",
    "set_result_cache",
    "set_workers",
    "unpatch_numpy",
    "weights",
]

# So that messages, pickles and help name what users import, wherever it is defined.
for _name in __all__:
    globals()[_name].__module__ = "fdx"
