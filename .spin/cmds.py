"""What spin does not have: `spin lint`, `spin bench` and `spin docs`."""

import os
import subprocess
import sys
from pathlib import Path

import click
from spin.cmds import meson
from spin.cmds.util import run


def files(*patterns):
    """Those that git has or would take."""
    options = ["--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(
        ["git", "ls-files", *options, *patterns], check=True, capture_output=True, text=True
    ).stdout
    return [name for name in names.split("\0") if name and os.path.exists(name)]


def build(ctx, build_dir):
    """Build it, and have Python find what was built; returns where that is."""
    ctx.invoke(meson.build, build_dir=build_dir)
    return meson._set_pythonpath(build_dir)


@click.command()
@click.option("--fix", is_flag=True, help="Let ruff and clang-format change files.")
def lint(fix):
    """🔍 Run all linters, and say which complain"""
    sources = files("*.c", "*.cpp", "*.h", "*.inc")
    commands = {
        "ruff format" + " --check" * (not fix): [],
        "ruff check" + " --fix" * fix: [],
        "mypy": [],
        "pyright": [],
        "cython-lint src/fdx": [],
        "clang-format " + ("-i" if fix else "--dry-run --Werror"): sources,
        "codespell": [],
        "zizmor --offline --quiet .": [],
        "check-jsonschema --quiet --builtin-schema vendor.github-workflows": files(
            ".github/workflows/*"
        ),
        "repo-review --show err": [],
    }
    complain = []
    for command, names in commands.items():
        click.secho(f"$ {command}", bold=True, fg="bright_blue")
        if run([*command.split(), *names], sys_exit=False, echo=False).returncode:
            complain.append(command)
    if complain:
        raise click.ClickException(f"please look at what these said: {', '.join(complain)}")


@click.command()
@click.option(
    "-t", "--tests", multiple=True, metavar="REGEX", help="Only benchmarks of such names."
)
@click.option("-q", "--quick", is_flag=True, help="Each only once, to see that it runs.")
@click.option("-c", "--compare", is_flag=True, help="Compare two commits.")
@click.option("--factor", default=1.3, help="With --compare: what is a difference.")
@click.argument("commits", nargs=-1)
@meson.build_dir_option
@click.pass_context
def bench(ctx, tests, quick, compare, factor, commits, build_dir):
    """🏎 Run the benchmarks with asv

    \b
    spin bench -t Additions               of what is in this folder
    spin bench -t Additions --compare     of HEAD, and of main
    spin bench --compare v0.1.0 HEAD~1    of these two

    What is compared is built from commits, in an environment that asv makes.
    """
    if len(commits) not in ((0, 2) if compare else (0,)):
        raise click.UsageError("expected two commits with --compare, or none")
    options = [f"--bench={name}" for name in tests] + ["--quick"] * quick + ["--show-stderr"]
    if compare:
        command = ["continuous", f"--factor={factor}", *options, *(commits or ("main", "HEAD"))]
    else:
        os.environ["ASV_PYTHONPATH"] = build(ctx, build_dir)
        command = ["run", "--dry-run", "--environment=existing", *options]
    os.chdir("asv_benchmarks")
    run(["asv", "machine", "--yes"], output=False, echo=False)
    run(["asv", *command], replace=True)


@click.command()
@click.argument("sphinx_args", nargs=-1)
@meson.build_dir_option
@click.pass_context
def docs(ctx, sphinx_args, build_dir):
    """📖 Build the site with Sphinx in docs/_build/html, and follow its links

    SPHINX_ARGS are passed on, as in `spin docs -- -E` to make all of it anew.
    """
    build(ctx, build_dir)
    options = ["-W", "--keep-going", "-b", "html", *sphinx_args]
    site = Path("docs", "_build", "html")
    run([sys.executable, "-P", "-m", "sphinx", *options, "docs", str(site)])
    run([sys.executable, "docs/check.py", str(site)])
    click.secho(f"{site.resolve().as_uri()}/index.html", bold=True)
