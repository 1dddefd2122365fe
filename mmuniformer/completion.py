"""``mmuniformer completion SHELL``: what the shell offers at the Tab key.

The text is complete in itself, so that nothing is started at a key press.
Options are read in the sources of the scripts, which are not run.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

from .errors import UserError

SHELLS = ('bash', 'zsh', 'fish')
BASH = """_mmuniformer() {
    local words
    if [ "$COMP_CWORD" = 1 ]; then
        words=%r
    else
        case ${COMP_WORDS[1]} in
%s
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _mmuniformer mmuniformer"""


def script(shell: str, words: Mapping[str, tuple[str, list[str]]]) -> str:
    """The text that a shell reads.

    Args:
        shell: One of ``SHELLS``.
        words: Purpose of each command, and what may follow it.

    Raises:
        UserError: There is no such shell.
    """
    if shell not in SHELLS:
        raise UserError(f'SHELL={shell!r}: wanted one of {", ".join(SHELLS)}')
    if shell == 'fish':
        lines = ['complete -c mmuniformer -e']
        for name, (purpose, known) in words.items():
            first = f'-n __fish_use_subcommand -a {name}'
            lines.append(f'complete -c mmuniformer {first} -d {purpose!r}')
            seen = f"-n '__fish_seen_subcommand_from {name}'"
            more = ' '.join(known)
            lines.append(f"complete -c mmuniformer {seen} -a '{more}'")
        return '\n'.join(lines)
    cases = [
        f"            {name}) words='{' '.join(known)}' ;;"
        for name, (_, known) in words.items()
    ]
    text = BASH % (' '.join(words), '\n'.join(cases))
    if shell == 'zsh':
        return f'autoload -U +X bashcompinit && bashcompinit\n{text}'
    return text


def options(source: Path) -> list[str]:
    """The long options of a script, and of what it imports of this package."""
    nodes = list(ast.walk(_read(source)))
    for node in list(nodes):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split('.')
            path = Path(__file__).parent.joinpath(*parts[1:])
            path = path.with_suffix('.py')
            if parts[0] == 'mmuniformer' and path.is_file():
                nodes += ast.walk(_read(path))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    words = {
        str(arg.value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == 'add_argument'
        for arg in call.args
        if isinstance(arg, ast.Constant)
    }
    return sorted({'--help', *(w for w in words if w.startswith('--'))})


def _read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding='utf-8'))
