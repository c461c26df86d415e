"""Arguments whose own code changes the other arguments while they are converted.

    python tests/hostile.py [--seconds 60 | --rounds 1000] [--seed 0]

A round calls a function with random arguments, of which one or two are objects with random hooks
(`__array__`, `__index__`, `__float__`, `__len__`, `__getitem__`, `__bool__`, `__iter__`, look-ups
on their class, ...). A hook changes the shape, size, dtype or strides of another argument, makes it
read-only, fills or clears a list, changes what an operator keeps, calls fdx again, or raises. Then
the call may raise any error, but not crash; a result must be that of the same call without hooks,
or, for fdx.gradient, that of np.gradient with the same hooks. Rounds run in another process. If one
fails, its seed is printed: `--seed SEED --rounds 1` repeats it.
"""

import argparse
import contextlib
import faulthandler
import gc
import operator
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial

import numpy as np

import fdx
import fdx._common.threads

np_gradient = np.gradient

# ---- hooks ----


def hostile(value, hooks, act):
    """An object that converts to `value`, and acts whenever one of its hooks runs."""

    def hook(of):
        def run(self, *arguments, **_):
            act()
            return of(value, *arguments)

        return run

    class Lookup(type):
        def __getattr__(cls, name):
            act()
            raise AttributeError(name)

    def __array__(self, dtype=None, copy=None):
        act()
        return np.asarray(value)

    made = {
        name: __array__ if name == "__array__" else hook(HOOKS[name])
        for name in hooks
        if name != "lookup"
    }
    if "__eq__" in made:
        made["__hash__"] = hook(hash)
    return (Lookup if "lookup" in hooks else type)("Hostile", (), made)()


HOOKS = {
    "__array__": None,
    "__index__": operator.index,
    "__int__": int,
    "__float__": float,
    "__len__": len,
    "__getitem__": operator.getitem,
    "__iter__": iter,
    "__bool__": bool,
    "__eq__": operator.eq,
    "__lt__": operator.lt,
    "__gt__": operator.gt,
    "__le__": operator.le,
    "__ge__": operator.ge,
    "__mul__": operator.mul,
    "__rmul__": lambda value, other: other * value,
    "lookup": None,
}


def of_own_class(value, act):
    """A number or a sequence of a subclass, whose methods act first."""
    base = type(value)
    if base not in (int, float, str, list, tuple, np.float64, np.int64):
        return None

    def hook(name):
        def run(self, *arguments):
            act()
            return getattr(base, name)(self, *arguments)

        return run

    names = [name for name in HOOKS if hasattr(base, name)] + ["__hash__"] * (base is not list)
    return type("Hostile", (base,), {name: hook(name) for name in names})(value)


# ---- what they do ----


def reshape(rng, a):
    n = a.size
    a.shape = rng.choice([(n,), (1, n), (n, 1), a.shape[::-1], (*a.shape, 1), (1,) * 9 + a.shape])


def resize(rng, a):
    size = rng.choice([1, a.size // 2, min(2 * a.size, 10**5), min(40 * a.size, 10**5)])
    a.resize(rng.choice([(size,), (size, 1), (1, size)]), refcheck=False)


def retype(rng, a):
    a.dtype = rng.choice(["f4", "f8", "c8", "c16", "i4", "u1", ">f8", "M8[s]", "S4"])


def restride(rng, a):
    a.strides = rng.choice([(0,) * a.ndim, a.strides[::-1], tuple(-s for s in a.strides)])


def protect(rng, a):
    a.setflags(write=False)


def change_list(rng, a):
    rng.choice(
        [
            a.clear,
            lambda: a.extend(a[:3]),
            lambda: a.append(None),
            lambda: a.__setitem__(0, np.zeros((50, 2), "i1")),
        ]
    )()


def reverse_list(rng, a):
    a.reverse()


def forget(rng, L):
    L._plans.clear()
    L((np.arange(60.0).reshape(60, 1, 1) if rng.random() < 0.5 else np.arange(60.0))[..., None])


def fail(rng, a):
    raise rng.choice([ValueError, TypeError, RuntimeError, MemoryError])("a hook failed")


def again(rng, a):
    fdx.gradient(np.arange(12.0).reshape(3, 4), workers=2)
    fdx.laplacian(np.arange(12.0))


def collect(rng, a):
    gc.collect(0)


ARRAYS = [reshape, resize, retype, restride]
# Their values change, too: any result may be right. (NumPy looks at a list more or less often, so
# that one reversed at each look may be as before.)
VALUES = [resize, retype, restride, reverse_list]


def actions(rng, targets):
    """The actions of a hook: some of the above, each on a suitable target."""
    chosen = []
    for _ in range(rng.choice([1, 1, 1, 2])):
        target = rng.choice(targets)
        if rng.random() < 0.2:
            action = rng.choice([fail, again, collect])
        elif isinstance(target, np.ndarray):
            action = rng.choice([*ARRAYS, *ARRAYS, protect])
        elif isinstance(target, list):
            action = rng.choice([*[change_list] * 4, reverse_list])
        else:
            action = forget
        chosen.append((action, target))
    return chosen


class Act:
    """Runs actions when it is called for the `at`-th time, or each time."""

    def __init__(self, rng, targets):
        self.rng, self.calls = rng, 0
        self.at = rng.choice([None, None, 1, 2, 3])
        self.chosen = actions(rng, targets)
        self.busy = False

    def __call__(self):
        self.calls += 1
        if self.busy or self.at not in (None, self.calls):
            return
        self.busy = True
        try:
            for action, target in self.chosen:
                if action is fail:
                    action(self.rng, target)
                with contextlib.suppress(Exception):  # what NumPy does not let a hook do
                    action(self.rng, target)
        finally:
            self.busy = False


# ---- calls ----


def field(rng, ndim=None):
    ndim = ndim or rng.choice([1, 1, 2, 2, 3, 5])
    shape = tuple(rng.choice([3, 4, 7, 12] if ndim < 4 else [3, 4]) for _ in range(ndim))
    if rng.random() < 0.05:
        shape = (rng.choice([300, 9000] if ndim < 3 else [100]), *(3 for _ in shape[1:]))
    dtype = rng.choice(["f8", "f8", "f4", "c16", "i4", "u1", ">f8"])
    a = np.array([rng.uniform(0, 100) for _ in range(int(np.prod(shape)))]).astype(dtype)
    a = a.reshape(shape).copy(rng.choice("CF"))
    return a


def spacings(rng, shape, *, coordinates=True):
    made = []
    for n in shape:
        x = np.cumsum(np.array([rng.choice([1.0, 1.5, 2.0]) for _ in range(n)]))
        made.append(
            rng.choice(
                [0.5, 2, np.float64(0.25), np.array(0.5), x, x, list(x)]
                if coordinates
                else [0.5, 2]
            )
        )
    if rng.random() < 0.3:
        return []
    if rng.random() < 0.2:
        return [rng.choice([0.5, 2])]
    return made


def output(rng, shape, dtype, stacked=None):
    dtype = np.dtype(dtype).newbyteorder("=") if np.dtype(dtype).kind in "fc" else np.dtype("f8")
    if stacked is None:
        return np.zeros(shape, dtype)
    if rng.random() < 0.5:
        return np.zeros((*stacked, *shape), dtype)
    return rng.choice([list, tuple])(np.zeros(shape, dtype) for _ in range(*stacked))


def maybe(rng, **options):
    return {
        name: value for name, value in options.items() if rng.random() < 0.4 and value is not None
    }


def gradient(rng):
    f = field(rng)
    axes = rng.choice([None, None, rng.randrange(f.ndim), tuple(range(f.ndim))[::-1], (0,)])
    named = range(f.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
    out = output(rng, f.shape, f.dtype, None if len(named) == 1 else (len(named),))
    arguments = [f, *spacings(rng, [f.shape[d] for d in named])]
    options = maybe(rng, edge_order=rng.choice([1, 2]), out=out, workers=rng.choice([1, 2, 3]))
    if axes is not None:
        options["axis"] = axes
    return fdx.gradient, arguments, options


def patched_gradient(rng):
    _, arguments, options = gradient(rng)
    options = {name: options[name] for name in ("axis", "edge_order") if name in options}

    def call(*arguments, **options):
        with fdx.patched(report=False):
            return np.gradient(*arguments, **options)

    return call, arguments, options


def weights(rng):
    nodes = np.cumsum(np.array([rng.choice([1.0, 1.5]) for _ in range(5)]))
    if rng.random() < 0.5:
        nodes = np.stack([nodes, nodes + 0.5, nodes * 2])
    at = rng.choice([0.0, np.array(0.5), np.array([0.5, 1.0, 2.0])])
    return fdx.weights, [nodes, at, rng.choice([0, 1, 2])], {}


def settings(rng, n):
    boundary = ["one-sided", "periodic", "valid", "reflect", ("one-sided", "symmetric")]
    boundary = rng.choice([rng.choice(boundary), [rng.choice(boundary) for _ in range(n)]])
    return maybe(rng, accuracy=rng.choice([2, 4]), boundary=boundary, workers=rng.choice([1, 2, 3]))


def derivative(rng):
    f = field(rng)
    axis = rng.randrange(f.ndim)
    options = settings(rng, 1) | maybe(
        rng, deriv=rng.choice([1, 2]), out=output(rng, f.shape, f.dtype)
    )
    if isinstance(options.get("boundary"), list):
        options["boundary"] = options["boundary"][0]
    return fdx.derivative, [f, *spacings(rng, f.shape)[axis : axis + 1]], {"axis": axis, **options}


def calculus(rng):
    f = field(rng)
    n = f.ndim
    name = rng.choice(["laplacian", "hessian", "divergence", "curl", "jacobian"])
    if name == "curl":
        f = field(rng, rng.choice([2, 3]))
        n = f.ndim
    first = f
    if name not in ("laplacian", "hessian"):
        first = rng.choice([[f.copy() for _ in range(n)], np.stack([f] * n)])
    counts = {"hessian": (n, n), "jacobian": (n, n), "curl": (3,) if n == 3 else ()}.get(name, ())
    options = settings(rng, n) | maybe(
        rng, out=output(rng, (*counts, *f.shape), f.dtype), axis=list(range(n))
    )
    return getattr(fdx, name), [first, *spacings(rng, f.shape)], options


def scaled(L, c, u):
    """Coefficients are not copied, and no NumPy array survives a resize of its base."""
    return (c * L)(u)


def operators(rng):
    f = field(rng)
    axis = rng.randrange(f.ndim)
    L = fdx.Diff(axis, *spacings(rng, f.shape)[axis : axis + 1])
    kind = rng.randrange(4)
    if kind == 1:
        L = L + fdx.Diff(0) @ L
    elif kind == 2:
        L = np.array(f.real, float) * L
    elif kind == 3:
        L = (L.T @ L) / 3
    L._plan(f.shape)
    out = output(rng, f.shape, f.dtype)
    call = rng.choice(
        ["call", "call", "call", "scale", "shape", "radius", "symbol", "matrix", "power"]
    )
    if call == "call":
        options = maybe(rng, out=out, workers=2) | (numbers(rng) if rng.random() < 0.4 else {})
        return lambda u, L=L, **options: L(u, **options), [f], options
    if call == "scale":
        return partial(scaled, L), [rng.choice([2.0, np.ones(f.shape)]), f], {}
    if call == "symbol":
        return lambda k: L.symbol(k), [np.array([0.1, 0.2])], {}
    if call == "power":
        return lambda n, u: (L**n)(u), [2, f], {}
    if call == "matrix":
        return lambda shape: L.matrix(shape) if hasattr(L, "matrix") else None, [f.shape], {}
    method = L.output_shape if call == "shape" else L.spectral_radius
    return method, [rng.choice([f.shape, list(f.shape)])], {}


def numbers(rng):
    return maybe(rng, alpha=rng.choice([1, 2.0, -0.5, 1j]), beta=rng.choice([0, 1, -1, 0.3]))


def blocks(rng):
    """Operators on two fields."""
    f = field(rng)
    D, one = fdx.Diff(rng.randrange(f.ndim)), fdx.Identity()
    M = fdx.block(rng.choice([[[D, one], [2 * one, None]], [[D, one]], [[D, D], [D, D]]]))
    count = len(M._rows)
    shape = f.shape if count == 1 else (count, *f.shape)
    out = output(rng, shape, f.dtype)
    if count > 1 and rng.random() < 0.5:
        out = [output(rng, f.shape, f.dtype) for _ in range(count)]
    fields = rng.choice([[f.copy(), f.copy()], (f, f.copy()), np.stack([f, f])])
    options = maybe(rng, out=out, workers=2) | numbers(rng)
    return lambda u, M=M, **options: M(u, **options), [fields], options


def solves(rng):
    """Along one axis, for the first or the second time, and compact schemes."""
    f = field(rng)
    axis = rng.choice([0, rng.randrange(f.ndim), -1])
    boundary = rng.choice(["symmetric", "periodic", "reflect", fdx.Dirichlet(1.0, outside=1)])
    A = fdx.Identity() - rng.choice([0.1, 30.0]) * fdx.Diff(axis, deriv=2, boundary=boundary)
    if rng.random() < 0.2:
        A = np.linspace(1, 2, f.shape[-1]) * fdx.Identity() - A
    if rng.random() < 0.5:
        with contextlib.suppress(ValueError):  # coefficients along another axis
            A.solve(f)
    options = maybe(rng, out=output(rng, f.shape, f.dtype), workers=2)
    options |= numbers(rng) if rng.random() < 0.4 else {}
    if rng.random() < 0.6:
        return lambda b, A=A, **options: A.solve(b, **options), [f], options
    accuracy, order = rng.choice([4, 6, 8, 5]), rng.choice([1, 2, 3])

    def compact(axis, accuracy, order, u, **options):
        return fdx.Compact(axis, 0.5, accuracy=accuracy, deriv=order)(u, **options)

    return compact, [axis, accuracy, order, f], options


def diffs(rng):
    f = field(rng)
    axis = rng.randrange(f.ndim)
    options = settings(rng, 1)
    options.pop("workers", None)
    if isinstance(options.get("boundary"), list):
        options["boundary"] = options["boundary"][0]
    spacing = spacings(rng, f.shape)[axis : axis + 1] or [1.0]

    def call(axis, spacing, deriv, f, **options):
        return fdx.Diff(axis, spacing, deriv=deriv, **options)(f)

    return call, [axis, *spacing[:1], rng.choice([1, 2]), f], options


def schemes(rng):
    """Staggered and biased derivatives, interpolations, filters, and stencils of given weights."""
    f = field(rng)
    axis = rng.randrange(f.ndim)
    spacing = spacings(rng, f.shape)[axis : axis + 1] or [1.0]
    boundary = rng.choice(["one-sided", "valid", "reflect", "periodic", ("zero", "valid"), "face"])
    options = {"position": rng.choice([*POSITIONS, "edge", 1]), "boundary": boundary}

    def differentiate(axis, spacing, side, accuracy, f, **options):
        options.pop("position" if side else "", None)
        return fdx.Diff(axis, spacing, side=side, accuracy=accuracy, **options)(f)

    def interpolate(axis, spacing, accuracy, f, **options):
        return fdx.Interp(axis, spacing, accuracy=accuracy, **options)(f)

    def weigh(axis, offsets, weights, left, right, f, **options):
        return fdx.Stencil(axis, offsets, weights, left=left, right=right, **options)(f)

    def smooth(axis, order, strength, f):
        return fdx.Filter(axis, order, boundary=boundary, strength=strength)(f)

    kind = rng.randrange(4)
    if kind == 3:
        return smooth, [axis, rng.choice([2, 4, 3]), rng.choice([1, 0.5, 2, np.nan]), f], {}
    if kind == 0:
        side = rng.choice([None, "left", "right", "up"])
        return differentiate, [axis, *spacing[:1], side, rng.choice([1, 2, 3]), f], options
    if kind == 1:
        return interpolate, [axis, *spacing[:1], rng.choice([2, 4, 3]), f], options
    half = 0.5 if rng.random() < 0.4 else 0
    count = rng.randrange(1, 5)
    offsets = [k - half for k in range(-1, count - 1)]
    rows = [None, None, (), [[1.0, 2.0]], [[1], [2, 3, 4]], [1], [[]]]
    weights_ = [rng.choice([1, -1, 0.5, 0, 1e308, np.nan]) for _ in range(count)]
    return weigh, [axis, offsets, weights_, rng.choice(rows), rng.choice(rows), f], options


POSITIONS = ["center", "inner", "outer", "left", "right"]


def workers(rng):
    def call(n, f):
        with fdx.set_workers(n):
            return fdx.gradient(f)

    return call, [rng.choice([1, 2]), field(rng)], {}


CALLS = [
    gradient,
    gradient,
    gradient,
    patched_gradient,
    weights,
    derivative,
    derivative,
    calculus,
    calculus,
    operators,
]
CALLS += [operators, blocks, diffs, schemes, schemes, solves, workers]


# ---- rounds ----


def targets_in(values):
    """The values that hooks may change: arrays and lists, also in tuples and lists."""
    for value in values:
        if isinstance(value, (np.ndarray, list)):
            yield value
        if isinstance(value, (list, tuple)):
            yield from targets_in(value)


def prepare(seed):
    """The call of a seed: function, arguments, and what their hooks do."""
    rng = random.Random(seed)
    function, arguments, options = rng.choice(CALLS)(rng)
    acts = []
    names = [*range(len(arguments)), *options]
    targets = [*targets_in([*arguments, *options.values()]), None]
    operators_kept = getattr(function, "__defaults__", None)
    targets += [L for L in operators_kept or () if isinstance(L, fdx.Operator)]
    for name in rng.sample(names, min(len(names), rng.choice([1, 1, 2]))):
        store = options if isinstance(name, str) else arguments
        act = Act(rng, [t for t in targets if t is not None] or [None])
        if getattr(function, "func", None) is scaled:
            act.chosen = [(do, to) for do, to in act.chosen if do is not resize]
        acts.append(act)
        value = store[name]
        subclass = of_own_class(value, act) if rng.random() < 0.3 else None
        if subclass is None and isinstance(value, list) and value and rng.random() < 0.5:
            at = rng.randrange(len(value))  # an element of a list
            # NumPy itself crashes if an element clears the list that it is in.
            act.chosen = [(do, to) for do, to in act.chosen if to is not value]
            value[at] = hostile(value[at], ["__array__", "__float__"], act)
            continue
        hooks = rng.sample(list(HOOKS), rng.randrange(1, len(HOOKS)))
        store[name] = hostile(value, hooks, act) if subclass is None else subclass
    return function, arguments, options, acts


def outcome(function, arguments, options):
    """The results of a call as bytes, or its error."""
    try:
        result = function(*arguments, **options)
        parts = result if isinstance(result, (tuple, list)) else (result,)
        return [
            (a.shape, a.dtype.str, a.tobytes()) if isinstance(a, np.ndarray) else repr(a)
            for a in parts  # `out` itself may be of a class that acts
        ]
    except Exception as error:
        return error


def check(seed):
    """Run the call of a seed; an assertion fails if its result is wrong. Returns whether the result
    was compared."""
    function, arguments, options, acts = prepare(seed)
    got = outcome(function, arguments, options)
    failed = isinstance(got, Exception)
    did = {action for act in acts for action, _ in act.chosen if act.calls}
    # With other strides outputs may overlap, which the C core refuses.
    assert restride in did or not isinstance(got, SystemError), f"seed {seed}: {got!r}"
    # An error that a hook raises may be passed over, by NumPy itself too.
    harmless = did.isdisjoint([*ARRAYS, change_list, reverse_list, forget, fail])
    in_numpy = function is fdx.gradient and not {"out", "workers"} & set(options)
    if in_numpy and not harmless and any(act.at is not None for act in acts):
        return False  # before the act, NumPy has run more hooks, or fewer
    if not did.isdisjoint(VALUES) or (not in_numpy and (failed or not harmless)):
        return False
    right = []
    if in_numpy:
        _, arguments, options, acts = prepare(seed)
        right.append(outcome(np_gradient, arguments, options))
        if failed and isinstance(right[0], Exception):
            return True
        for earlier in range(0 if harmless else 3):  # hooks that ran before NumPy took the call
            _, arguments, options, acts = prepare(seed)
            for act in acts * (1 + earlier):
                with contextlib.suppress(Exception):  # which a hook may raise
                    act()
            right.append(outcome(np_gradient, arguments, options))
    function, arguments, options, acts = prepare(seed)
    for act in acts:
        act.chosen = []
    right.append(outcome(function, arguments, options))
    if failed and (not harmless or any(act.at is not None for act in acts)):
        return False
    assert got in right, f"seed {seed}: a result that is neither NumPy's nor the one without hooks"
    return True


def run(args):
    fdx._common.threads.MIN_WORKER_NEIGHBOURS = 0
    faulthandler.enable()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    end = time.monotonic() + args.seconds
    seed, compared = args.seed, 0
    with open(args.child, "r+b", buffering=0) as place:
        while seed - args.seed < args.rounds if args.rounds else time.monotonic() < end:
            os.pwrite(place.fileno(), b"%20d" % seed, 0)
            compared += check(seed)
            seed += 1
    print(
        f"{seed - args.seed} calls with hostile arguments from seed {args.seed} on, "
        f"{compared} of them compared"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child")
    args = parser.parse_args()
    if args.child:
        return run(args)
    with tempfile.NamedTemporaryFile() as place:
        place.write(b"%20d" % args.seed)
        place.flush()
        command = [sys.executable, *sys.argv, "--child", place.name]
        done = subprocess.run(command, timeout=args.seconds + 300)
        if done.returncode:
            place.seek(0)
            seed = int(place.read())
            sys.exit(
                f"failed ({done.returncode}); to repeat: "
                f"python {sys.argv[0]} --seed {seed} --rounds 1"
            )


if __name__ == "__main__":
    main()
