"""Report failures that a person can act on."""


class UsageError(Exception):
    """What was asked cannot be done as asked (exit status 2); nothing was changed."""


class SuiteError(Exception):
    """The work failed on the way (exit status 1); what was finished is kept."""
