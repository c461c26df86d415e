"""Tables of figures: kept as text files, and compared with what is found today."""

import math
from dataclasses import dataclass

TOLERANCE = 0.03  # with the tools that the stored figures were made with; counts hardly vary
ELSEWHERE = 0.4  # with others, which may choose other instructions; and only upwards
NOTHING = 0.005  # half of the last digit


class CannotCount(Exception):
    """Something is missing here without which there are no figures to compare."""


@dataclass
class Table:
    made_with: dict[str, str]  # what the figures depend on besides fdx's source
    columns: list[str]
    rows: dict[str, dict[str, float]]  # name: column: figure; columns may be missing

    def text(self):
        lines = ["".join([" " * 30, *(f"{column:>14}" for column in self.columns)])]
        for name, row in self.rows.items():
            cells = (f"{row[c]:14.2f}" if c in row else f"{'-':>14}" for c in self.columns)
            lines.append("".join([f"{name:30}", *cells]))
        return "\n".join(lines) + "\n"

    def write(self, path, heading):
        facts = [f"{name}: {value}" for name, value in self.made_with.items()]
        comment = "".join(f"# {line}\n" for line in [*heading.splitlines(), *facts])
        path.write_text(comment + self.text())

    @classmethod
    def read(cls, path):
        if not path.exists():
            raise CannotCount(f"no figures are stored for this compiler: {path.name} is missing")
        lines = path.read_text().splitlines()
        comment = [line[2:] for line in lines if line.startswith("#")]
        columns, *rows = [line.split() for line in lines if not line.startswith("#")]
        at = -len(columns)
        return cls(
            dict(line.split(": ", 1) for line in comment if ": " in line),
            columns,
            {
                " ".join(row[:at]): {
                    c: float(cell) for c, cell in zip(columns, row[at:], strict=True) if cell != "-"
                }
                for row in rows
            },
        )


def compare(stored, found, depends):
    """Print what differs between two tables, and return whether anything does.

    `depends` has the columns to compare, and what each depends on: names in `made_with`.
    """
    counted = [c for c in depends if any(c in row for row in found.rows.values())]
    other = {k for k, version in found.made_with.items() if stored.made_with.get(k) != version}
    for column in depends.keys() - set(counted):
        print(f"not counted, as this processor lacks it: {column}")
    for k in sorted(other):
        print(f"{k} is {found.made_with[k]}, and was {stored.made_with.get(k)}")
    rough = [column for column in counted if other & set(depends[column])]
    if rough:
        print(f"so only more than {ELSEWHERE:+.0%} counts as a change of: {', '.join(rough)}")

    was_there, is_there = (
        {(name, c) for name, row in table.rows.items() for c in counted if c in row}
        for table in (stored, found)
    )
    changes, good = [], 0
    for column in counted:
        for name, row in found.rows.items():
            if (name, column) not in was_there & is_there:
                continue
            is_now, was = row[column], stored.rows[name][column]
            if is_now > most(stored.rows[name], column, column in rough):
                changes.append((name, column, was, is_now, "more"))
            elif column not in rough and is_now < was * (1 - TOLERANCE) - NOTHING:
                changes.append((name, column, was, is_now, "fewer: lower the stored figure"))
            else:
                good += 1
    if changes:
        print(f"\n{'':32}{'':>12}{'stored':>12}{'found':>12}{'change':>10}")
    for name, column, was, is_now, what in changes:
        change = f"{is_now / was - 1:+.1%}" if was else "new"
        print(f"{name:32}{column:>12}{was:12.2f}{is_now:12.2f}{change:>10}  {what}")
    for name, column in sorted(was_there - is_there):
        print(f"{name:32}{column:>12} stored, and not found")
    for name, column in sorted(is_there - was_there):
        print(f"{name:32}{column:>12} found, and not stored")
    print(f"{good} figures as stored, {len(changes)} changed")
    return bool(changes or was_there ^ is_there)


def most(row, column, elsewhere=False):
    """The most that is not yet a change; elsewhere, still less than as scalar code."""
    here = row[column] * (1 + TOLERANCE) + NOTHING
    scalar = row.get(f"{column}:scalar", math.inf)
    return max(here, min(row[column] * (1 + ELSEWHERE), scalar - NOTHING)) if elsewhere else here
