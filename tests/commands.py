"""Running fdx's command line as users do."""

import os
import subprocess
import sys


def python(*args, cwd, **options):
    """Runs it; `options` are those of `subprocess.run`."""
    env = dict(os.environ)
    if "PYTHONPATH" in env:  # relative to where the tests were started, not to cwd
        paths = env["PYTHONPATH"].split(os.pathsep)
        env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in paths)
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.run([sys.executable, *map(str, args)], cwd=cwd, env=env, **options)
