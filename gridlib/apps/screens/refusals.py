"""Why something was not done, in the reader's language."""

from gridlib.apps.html import Html, escape
from gridlib.apps.screens.visit import Visit
from gridlib.facts.errors import (
    ChangedError,
    FourEyesError,
    GridlibError,
    NotFoundError,
    RoleError,
    StalePlanError,
    TransitionError,
)


def refusal(visit: Visit, error: GridlibError) -> Html:
    """Say why something was not done and what to do next.

    English readers get the error's own sentences. In Arabic what the error knows as facts is said first; its
    sentences follow in English, so that no detail is lost.
    """
    own = f'<span lang="en" dir="ltr">{escape(error)}. {escape(error.what_to_do)}</span>'
    said = "" if visit.language == "en" else f"{_facts(visit, error)} "
    return Html(f"{visit.say('screen.refused')} {said}{own}")


def _facts(visit: Visit, error: GridlibError) -> Html:
    match error:
        case ChangedError(twice=True):
            return visit.say("refusal.twice", subject=error.subject)
        case ChangedError():
            return visit.say("refusal.changed", subject=error.subject, by=error.by, at=visit.local(error.at))
        case TransitionError():
            return visit.say("refusal.state", subject=error.subject)
        case RoleError():
            return visit.say("refusal.role")
        case FourEyesError():
            return visit.say("refusal.four_eyes")
        case StalePlanError():
            return visit.say("refusal.stale_plan", plan=error.plan_id)
        case NotFoundError():
            return visit.say("refusal.not_found", name=error.name)
    return Html()
