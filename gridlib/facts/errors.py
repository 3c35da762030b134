"""Every error a user of gridlib can meet, as one tree.

::

    GridlibError                 code, what_to_do
    +-- InputError               bad_input         a file, an argument or a reading that cannot be used
    |   +-- FileError            bad_file          .path
    |   +-- FrameError           bad_frame         .frame .bad_rows .examples
    |   +-- SettingsError        bad_settings      .path
    +-- NotFoundError            not_found         .kind .name
    +-- RefusedError             refused           a rule of the trade says no
    |   +-- TransitionError      wrong_state       .subject .state .move .allowed
    |   +-- ChangedError         changed           .subject .by .at .change .reason .twice
    |   +-- RoleError            wrong_role        .username .needed
    |   +-- SignInError          not_signed_in     name or password wrong, or the account is locked
    |   +-- FourEyesError        four_eyes         .username
    |   +-- StalePlanError       stale_plan        .plan_id .reasons
    +-- AuditError               audit_broken      .seq
    +-- NotebookError            notebook_failed   .notebook .cell_index .ename .evalue
    +-- StudyError               study             a study or a picture that was not given
    +-- StoreError               store             the database cannot be used as asked

The entrances (shell, screens, API) catch ``GridlibError`` and nothing wider, and show ``str(error)``,
then ``error.what_to_do``; programs read ``error.code``.
"""

from collections.abc import Sequence
from datetime import datetime


class GridlibError(Exception):
    """Base of all errors; says what was found and what to do next.

    Parameters
    ----------
    message : str
        What was found and what was expected, in one sentence.
    what_to_do : str, optional
        The next step for the person who reads it.
    """

    code = "gridlib"

    def __init__(self, message: str, *, what_to_do: str = "") -> None:
        super().__init__(message)
        self.what_to_do = what_to_do


class InputError(GridlibError):
    """A file, an argument or a reading that cannot be used."""

    code = "bad_input"


class FileError(InputError):
    """A file that cannot be read as what it claims to be."""

    code = "bad_file"

    def __init__(self, path: str, message: str, *, what_to_do: str = "") -> None:
        super().__init__(f"{path}: {message}", what_to_do=what_to_do)
        self.path = path


class FrameError(InputError):
    """Rows that break the rules of their table."""

    code = "bad_frame"

    def __init__(self, frame: str, bad_rows: int, examples: Sequence[str], *, what_to_do: str = "") -> None:
        shown = "; ".join(examples[:5])
        super().__init__(f"{frame}: {bad_rows} bad value(s): {shown}", what_to_do=what_to_do)
        self.frame = frame
        self.bad_rows = bad_rows
        self.examples = tuple(examples[:5])


class SettingsError(InputError):
    """A key in gridlib.toml that is unknown, missing or out of range."""

    code = "bad_settings"

    def __init__(self, path: str, message: str, *, what_to_do: str = "") -> None:
        super().__init__(f"{path}: {message}", what_to_do=what_to_do)
        self.path = path


class NotFoundError(GridlibError):
    """Something named by the user that the store does not know."""

    code = "not_found"

    def __init__(self, kind: str, name: str, *, what_to_do: str = "") -> None:
        super().__init__(f"no {kind} '{name}'", what_to_do=what_to_do)
        self.kind = kind
        self.name = name


class RefusedError(GridlibError):
    """A rule of the trade says no; nothing was changed."""

    code = "refused"


class TransitionError(RefusedError):
    """A move that the table of states does not allow."""

    code = "wrong_state"

    def __init__(self, subject: str, state: str, move: str, allowed: Sequence[str]) -> None:
        can = ", ".join(allowed) if allowed else "nothing: it has ended"
        super().__init__(
            f"{subject} is {state} and cannot become {move}", what_to_do=f"It can become: {can}."
        )
        self.subject = subject
        self.state = state
        self.move = move
        self.allowed = tuple(allowed)


class ChangedError(RefusedError):
    """Something that has changed since the person who acts was shown it; nothing was done.

    Parameters
    ----------
    subject : str
        What was to be changed.
    change : str
        What became of it meanwhile ("APPROVED", "step 3 COMPLETED").
    by : str
        Who did that.
    at : datetime
        When, in the zone in which it is to be read.
    reason : str, optional
        Why, where it was said.
    twice : bool
        The same person has done this very thing already, as by a double click.
    """

    code = "changed"

    def __init__(
        self, subject: str, *, change: str, by: str, at: datetime, reason: str = "", twice: bool = False
    ) -> None:
        when = f"{at:%Y-%m-%d %H:%M:%S %z}"
        why = f" ({reason})" if reason else ""
        if twice:
            super().__init__(
                f"{subject}: you have done this already, on {when}; it was not done a second time",
                what_to_do="Nothing is left to do.",
            )
        else:
            super().__init__(
                f"{subject} has changed since it was shown: {change} by {by} on {when}{why}",
                what_to_do="Look at it as it is now, then decide.",
            )
        self.subject = subject
        self.change = change
        self.by = by
        self.at = at
        self.reason = reason
        self.twice = twice


class RoleError(RefusedError):
    """A user without the role that the action asks for."""

    code = "wrong_role"

    def __init__(self, username: str, needed: str) -> None:
        super().__init__(
            f"user '{username}' does not have the role {needed}",
            what_to_do=f"Ask a colleague with the role {needed}.",
        )
        self.username = username
        self.needed = needed


class SignInError(RefusedError):
    """A sign-in that failed; says the same whatever the reason, so that nobody can probe for names."""

    code = "not_signed_in"


class FourEyesError(RefusedError):
    """A second, different person is needed."""

    code = "four_eyes"

    def __init__(self, username: str, message: str) -> None:
        super().__init__(message, what_to_do="Ask another authorised person to do this step.")
        self.username = username


class StalePlanError(RefusedError):
    """A plan that no longer holds against the newest data."""

    code = "stale_plan"

    def __init__(self, plan_id: str, reasons: Sequence[str]) -> None:
        super().__init__(
            f"{plan_id} no longer holds: {'; '.join(reasons)}",
            what_to_do="Run planning again and decide on a new plan.",
        )
        self.plan_id = plan_id
        self.reasons = tuple(reasons)


class AuditError(GridlibError):
    """The audit trail does not hold; names the first broken row."""

    code = "audit_broken"

    def __init__(self, seq: int, message: str) -> None:
        super().__init__(
            f"audit row {seq}: {message}",
            what_to_do="Secure the database and the checkpoint file, and call the auditor.",
        )
        self.seq = seq


class NotebookError(GridlibError):
    """A notebook that failed; what it had done is kept beside the message."""

    code = "notebook_failed"

    def __init__(
        self, notebook: str, cell_index: int | None, ename: str, evalue: str, *, kept_at: str = ""
    ) -> None:
        where = "" if cell_index is None else f" in cell {cell_index}"
        super().__init__(
            f"{notebook} failed{where}: {ename}: {evalue}",
            what_to_do=f"Open {kept_at} to see how far it came." if kept_at else "",
        )
        self.notebook = notebook
        self.cell_index = cell_index
        self.ename = ename
        self.evalue = evalue
        self.kept_at = kept_at


class StudyError(GridlibError):
    """A study or a picture that the worker refuses, or does not give in time."""

    code = "study"


class StoreError(GridlibError):
    """The database cannot be opened, is of another version, or refuses what was asked."""

    code = "store"
