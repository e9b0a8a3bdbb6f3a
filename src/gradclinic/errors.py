"""The one exception that gradclinic raises at its users."""


class UserError(Exception):
    """Something the user can put right.  Its message is one line: what was wrong, where, and what to do.

    The command line prints it and exits with status 2.
    """
