"""Running fdx's command line as users do."""

import os
import subprocess
import sys


def python(*args, cwd):
    env = dict(os.environ)
    if "PYTHONPATH" in env:  # relative to where the tests were started, not to cwd
        paths = env["PYTHONPATH"].split(os.pathsep)
        env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in paths)
    return subprocess.run(
        [sys.executable, *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True
    )
