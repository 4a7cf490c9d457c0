"""What `every` has found: each verdict, in a file that a later run goes on with; and the counts of each source."""

import collections
import hashlib
import json
import re

HEAD = """# Mutants of cargo-mutants that were tried

Written by `tests/mutants/every --table`, a row for each file of which mutants were tried. *Source* is the beginning of
the file's SHA-256 then: a file that has changed since was tried in that state. *None* are those that do not compile,
behind a switch. *Argued* are those of [survivors.toml](argued/survivors.toml). *Survived* are those that no test caught
of the programs that were tried so far, some of them without their longer tests. A file without a row has no
mutant, or was not tried.

| File | Source | Mutants | None | Caught | Argued | Survived | Not tried |
|---|---|---|---|---|---|---|---|
"""
COUNTS = ("none", "caught", "argued", "survived", "untried")
ROW = re.compile(r"\| `?(\S+?)`? \| `(\w+)` \| (.*) \|")


def hashed(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class Record:
    """The last verdict of each mutant of a source in one state. `caught` is by what, `None` if it survived."""

    def __init__(self, path):
        self.path, self.verdicts = path, {}
        for line in path.read_text().splitlines() if path.exists() else []:
            entry = json.loads(line)
            self.verdicts[entry["mutant"]] = entry

    def of(self, mutant):
        return self.verdicts.get(mutant["identity"])

    def leaves(self, mutant, programs, again):
        """Whether it is still to be tried with some of these programs."""
        verdict = self.of(mutant)
        if verdict is None:
            return True
        # A program that was tried as a whole was tried with its brief tests.
        tried = lambda name: {name, name.split()[0]} & set(verdict["programs"])
        return verdict["caught"] is None and (again or not all(map(tried, programs)))

    def add(self, mutant, caught, programs):
        """The programs that did not catch a survivor before have still been tried."""
        before = self.of(mutant) or {"programs": []}
        entry = {"mutant": mutant["identity"], "caught": caught, "programs": [*before["programs"]]}
        entry["programs"] += [name for name in programs if name not in entry["programs"]]
        self.verdicts[mutant["identity"]] = entry
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def written(table):
    """The rows of a table as it is: by file, the source's state and its counts."""
    lines = table.read_text().splitlines() if table.exists() else []
    rows = [match for match in map(ROW.fullmatch, lines) if match]
    return {row[1]: (row[2], [int(count) for count in row[3].split(" | ")]) for row in rows}


def finished(table, states):
    """The files that have not changed since all their mutants were tried, and none survived."""
    rows = written(table)
    return {file for file, (state, counts) in rows.items() if state == states.get(file) and not any(counts[-2:])}


def counted(mutants, record, reasons):
    """By file, what has become of all its mutants."""
    counts = collections.defaultdict(collections.Counter)
    for mutant in mutants:
        verdict = record.of(mutant)
        if verdict is None:
            what = "untried"
        elif verdict["caught"] is None:
            what = "argued" if mutant["key"] in reasons else "survived"
        else:
            what = "none" if verdict["caught"] == "the compiler" else "caught"
        counts[mutant["file"]][what] += 1
    return counts


def write(table, mutants, record, reasons, states):
    """Writes the rows of all files of which the record knows mutants; the others stay as they are."""
    rows = written(table)
    for file, counts in counted(mutants, record, reasons).items():
        if counts.total() > counts["untried"] + counts["none"] or not counts["untried"]:
            rows[file] = (states[file], [counts.total(), *(counts[what] for what in COUNTS)])
    rows = {file: row for file, row in sorted(rows.items()) if file in states}
    sums = collections.defaultdict(lambda: [0] * (len(COUNTS) + 1))
    for file, (_, counts) in rows.items():
        parts = file.split("/")
        for place in ("/".join(parts[: 3 if parts[1] == "runtime" else 2][: len(parts) - 1]) + "/", "all"):
            sums[place] = [one + other for one, other in zip(sums[place], counts)]
    line = lambda *cells: f"| {' | '.join(map(str, cells))} |\n"
    body = [line(f"`{file}`", f"`{state}`", *counts) for file, (state, counts) in rows.items()]
    ends = [line(place, "", *counts) for place, counts in sums.items() if place != "all"]
    table.write_text(HEAD + "".join(body + ends) + line("all of these", "", *sums["all"]))


def totals(table):
    """What has become of all mutants of which the table has a row."""
    columns = zip(*(counts for _, counts in written(table).values()))
    return collections.Counter(dict(zip(COUNTS, list(map(sum, columns))[1:])))
