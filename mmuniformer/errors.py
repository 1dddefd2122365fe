"""The one exception of this package."""


class UserError(ValueError):
    """Bad input, with a message for the person who gave it.

    The message names the argument, the value and what was wanted. The tools
    print it in one line, without a traceback.
    """
