"""Which names a whole script uses where nothing of that name is declared."""

from tests.lua import luatext

Tokens = list[tuple[str, str]]


def unknown(text: str) -> set[str]:
    """Names used outside the scope of any local of that name, or above it."""
    listed = list(luatext.tokens(text))
    scopes: list[set[str]] = [set(luatext.GIVEN)]
    loop: set[str] = set()  # declared by a `for`, known from its `do` on
    found, position = set(), 0
    listed.append(("", ""))
    while position < len(listed) - 1:
        kind, token = listed[position]
        before = listed[position - 1][1] if position else ""
        if token in ("local", "for") and listed[position + 1][1] != "function":
            names, position = _names(listed, position + 1)
            (scopes[-1] if token == "local" else loop).update(names)
            continue
        if token == "function":
            if listed[position + 1][0] == "name":
                position += 1
                scopes[-1].add(listed[position][1])
            parameters, position = _names(listed, position + 2)
            scopes.append(parameters)
            continue
        if token in ("do", "then", "repeat"):
            scopes.append(loop if token == "do" else set())
            loop = set() if token == "do" else loop
        elif token in ("end", "elseif", "until"):
            scopes.pop()
        elif token == "else":
            scopes[-1] = set()
        elif kind == "name" and token not in luatext.WORDS and before not in (".", ":"):
            key = listed[position + 1][1] == "=" and before in ("{", ",")
            known = any(token in scope for scope in scopes)
            if not known and not (key and luatext._in_braces(listed, position)):
                found.add(token)
        position += 1
    return found


def _names(listed: Tokens, position: int) -> tuple[set[str], int]:
    """Names separated by commas, and the place behind them."""
    names = set()
    while position < len(listed):
        kind, token = listed[position]
        if kind == "name" and token not in luatext.WORDS:
            names.add(token)
        elif token not in (",", "..."):
            break
        position += 1
    return names, position
