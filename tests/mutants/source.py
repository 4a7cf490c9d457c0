"""Finds a place in a Rust source by function and pattern. Reads tokens and braces, not the grammar.

A pattern is Rust code; spaces, line breaks and comments do not matter. `$name` in it stands for any one path (`a`,
`self.a.0`, `A::B`), for the same one wherever the name is repeated. `$name*` stands for the shortest run of tokens
whose brackets match. The replacement may use both.
"""

import re
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|\s+)
    |r(?P<hashes>\#*)".*?"(?P=hashes)           # raw string
    |b?"(?:\\.|[^"\\])*"                        # string
    |b?'(?:\\.[^']*|[^'\\])'                    # character
    |'\w+|\$\w+\*?|\w+                          # lifetime, variable of a pattern, word
    |::|->|=>|\.\.=?|.""",
    re.DOTALL | re.VERBOSE,
)
WORD = re.compile(r"\w+")
OPEN, CLOSE = "([{", ")]}"


class Token(NamedTuple):
    text: str
    start: int
    end: int


class Function(NamedTuple):
    name: str  # `Type::function`
    first: int  # its first token: an attribute, or `pub`, or `fn`
    body: int  # the token `{`
    last: int  # the token `}`


class Place(NamedTuple):
    start: int
    end: int
    captured: dict


class NoPlace(Exception):
    """Why a pattern names no place, or more than one."""


def tokens(text):
    return [Token(m[0], m.start(), m.end()) for m in TOKEN.finditer(text) if m["skip"] is None]


def matching(of, at):
    """The token that closes the bracket at `at`."""
    depth = 0
    for index in range(at, len(of)):
        depth += (of[index].text in OPEN) - (of[index].text in CLOSE)
        if depth == 0:
            return index
    raise NoPlace("a bracket is not closed")


def self_type(header):
    """The name after `impl`: that of the type, without generics, path and trait."""
    depth, name = 0, ""
    for text in header:
        depth += (text == "<") - (text == ">")
        if depth == 0 and text == "where":
            break
        if depth == 0 and WORD.fullmatch(text) and text not in ("for", "dyn", "mut", "const"):
            name = text
    return name


def functions(of):
    """All functions with a body, in the order of their first tokens. Those within functions are `outer::inner`."""
    found, scopes, index = [], [], 0
    while index < len(of):
        text = of[index].text
        while scopes and scopes[-1][1] < index:
            scopes.pop()
        # Not the `fn` of a type, or a keyword within a macro.
        begins = text in ("fn", "impl", "trait", "mod") and re.fullmatch(r"\w+|<", of[index + 1].text)
        if not begins:
            index += 1
            continue
        body = index + 1
        while of[body].text not in ("{", ";"):
            body = matching(of, body) + 1 if of[body].text in "([" else body + 1
        if of[body].text == "{":
            last = matching(of, body)
            header = [token.text for token in of[index + 1 : body]]
            name = self_type(header) if text == "impl" else header[0]
            qualified = "::".join([*(scope for scope, _ in scopes), name])
            if text == "fn":
                first = index
                while first > 0 and of[first - 1].text not in ("{", "}", ";"):
                    first -= 1
                found.append(Function(qualified, first, body, last))
            scopes.append((name, last))
        index = body + 1
    return found


def the_function(of, name):
    """The one function with that name, or else the one whose name ends with it."""
    all_of_them = functions(of)
    named = [function for function in all_of_them if function.name == name]
    named = named or [function for function in all_of_them if function.name.endswith(f"::{name}")]
    if len(named) != 1:
        raise NoPlace(f"{len(named)} functions are `{name}`")
    return named[0]


def match(pattern, of, at, last, captured):
    """The end of the pattern's match that begins with the token `at`, and what its variables stand for."""
    if not pattern:
        return at, captured
    head, rest = pattern[0], pattern[1:]
    if not head.startswith("$"):
        return match(rest, of, at + 1, last, captured) if at < last and of[at].text == head else None
    for end in run_ends(of, at, last) if head.endswith("*") else path_ends(of, at, last):
        texts = [token.text for token in of[at:end]]
        if captured.get(head, (texts,))[0] == texts:
            found = match(rest, of, end, last, {**captured, head: (texts, at, end)})
            if found:
                return found
    return None


def path_ends(of, at, last):
    """The ends of the paths that begin here, the longest first. None begins in the middle of another."""
    ends = []
    if at > 0 and of[at - 1].text in (".", "::"):
        return ends
    while at < last and WORD.fullmatch(of[at].text):
        ends.insert(0, at + 1)
        at += 2 if at + 1 < last and of[at + 1].text in (".", "::") else last
    return ends


def run_ends(of, at, last):
    """The ends of the runs with matching brackets that begin here, the shortest first."""
    yield at
    while at < last and of[at].text not in CLOSE:
        at = matching(of, at) + 1 if of[at].text in OPEN else at + 1
        yield at


def find(text, function, pattern):
    """The one place of the pattern in that function, or in the whole file if there is none."""
    of = tokens(text)
    first, last = 0, len(of)
    if function:
        whole = the_function(of, function)
        first, last = whole.first, whole.last + 1
    texts = [token.text for token in tokens(pattern)]
    found = [(at, *result) for at in range(first, last) if (result := match(texts, of, at, last, {}))]
    if len(found) != 1:
        raise NoPlace(f"{len(found)} places match")
    at, end, captured = found[0]
    source = lambda start, stop: text[of[start].start : of[stop - 1].end] if stop > start else ""
    return Place(of[at].start, of[end - 1].end, {name: source(*run) for name, (_, *run) in captured.items()})


def fill(replacement, captured):
    """The replacement, with what its variables stand for."""
    return re.sub(r"\$\w+\*?", lambda variable: captured[variable[0]], replacement)
