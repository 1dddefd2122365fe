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


def options(*sources: Path) -> list[str]:
    """The long options that scripts add to their parsers."""
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Call) and 'add_argument' in ast.dump(
                node.func
            ):
                found |= {
                    arg.value
                    for arg in node.args
                    if isinstance(arg, ast.Constant)
                    and str(arg.value).startswith('--')
                }
    return sorted(found | {'--help'})
