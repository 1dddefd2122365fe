"""The exceptions of this package."""


class UserError(ValueError):
    """Bad input, with a message for the person who gave it.

    The message names the argument, the value and what was wanted. The tools
    print it in one line, without a traceback.
    """


class LocalUserError(UserError):
    """Bad input that only one of several processes may meet."""


class DamagedError(LocalUserError):
    """A file of the data that cannot be read; training may do without it."""
