"""Writes many mutants of one source into it at once, each behind a switch, so that all are compiled together.

The body of a function becomes `{ if crate::mutant(7) { the body, broken } else { the body } }`. The environment
variable `MUTANT` says which number is on.
"""

from source import functions, tokens

SWITCH = """
/// Whether this process runs with that mutant.
pub(crate) fn mutant(number: usize) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<usize>> =
        std::sync::LazyLock::new(|| std::env::var("MUTANT").ok()?.parse().ok());
    *CHOSEN == Some(number)
}
"""


def body_around(text, place):
    """Begin and end of what is between the braces of the outermost function around a place."""
    of = tokens(text)
    for function in functions(of):
        body = of[function.body].end, of[function.last].start
        if body[0] <= place.start and place.end <= body[1]:
            return body
    return None


def switched(text, mutants):
    """The source with all these mutants; and for each the lines of its broken body, and those of the whole function."""
    bodies = {}
    for mutant in mutants:
        bodies.setdefault(body_around(text, mutant["place"]), []).append(mutant)
    written, lines, end = [], {}, 0
    line = lambda: "".join(written).count("\n") + 1
    for (start, stop), here in sorted(bodies.items(), key=lambda body: body[0]):
        written.append(text[end:start])
        begun = line()
        for mutant in here:
            place = mutant["place"]
            written.append(f" if crate::mutant({mutant['number']}) {{\n")
            first = line()
            written.append(f"{text[start:place.start]}{mutant['broken']}{text[place.end:stop]}\n")
            lines[mutant["number"]] = [range(first, line())]
            written.append("} else")
        written.append(f" {{\n{text[start:stop]}\n}} ")
        for mutant in here:
            lines[mutant["number"]].append(range(begun, line() + 1))
        end = stop
    written.append(text[end:])
    return "".join(written), lines


def blamed(error, lines):
    """The mutants that a compiler's error is about: the one in whose body it is, or else all of the function."""
    for narrow in (0, 1):
        for span in error["spans"]:
            there = lines.get(span["file_name"], {})
            numbers = {number for number, of in there.items() if span["line_start"] in of[narrow]}
            if numbers and (span["is_primary"] or narrow):
                return numbers
    return set()
