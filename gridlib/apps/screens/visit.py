"""What a screen is, and who looks at it: the two things that every view and every action is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from gridlib.adapters.notebooks import share_dir
from gridlib.adapters.records.people import UserRecord
from gridlib.apps.html import Html, badge, escape
from gridlib.apps.message_html import message_html
from gridlib.apps.server.screens import list_screens
from gridlib.apps.study.memory import Memory
from gridlib.facts.errors import NotFoundError
from gridlib.facts.messages import Language, Message, render, word
from gridlib.workbench import Workbench
from gridlib.workflow import drafts
from gridlib.workflow.studies import StudyBase


@cache
def offered() -> Mapping[str, frozenset[str]]:
    """Name the screens in the order of the navigation, and who may open each, as their notebooks say."""
    return {screen.name: screen.roles for screen in list_screens(share_dir() / "notebooks" / "apps")}


@dataclass(frozen=True)
class Visit:
    """One look at a screen: who looks, and at what.

    Attributes
    ----------
    workbench : Workbench
        The workspace.
    memory : Memory or None
        The newest run and the network as it is now; None before the first run.
    user : UserRecord
        Who looks and acts, as the server knows them; never taken from the page.
    state : mapping of str to str
        What is chosen and filtered on the page; it comes from the address, so anything may stand in it.
    """

    workbench: Workbench
    memory: Memory | None
    user: UserRecord
    state: Mapping[str, str] = field(default_factory=dict)

    @property
    def language(self) -> Language:
        """In which everything is said."""
        return self.user.language

    @property
    def known(self) -> Memory:
        """What is known since the newest run.

        Raises
        ------
        NotFoundError
            Nothing has been run yet.
        """
        if self.memory is None:
            raise NotFoundError("run", "newest", what_to_do="Run the stages first: 'gridlib run'.")
        return self.memory

    @property
    def base(self) -> StudyBase | None:
        """What decisions start from, so that they read only what is newer."""
        return None if self.memory is None else self.memory.base

    def say(self, message_id: str, **parameters: object) -> Html:
        """Write a message of the catalogue as HTML."""
        return message_html(Message(message_id, parameters), self.language)

    def text(self, message_id: str, **parameters: object) -> Html:
        """Write a message for an attribute or a title, where no element may stand."""
        return escape(render(Message(message_id, parameters), self.language))

    def word(self, group: str, value: object) -> Html:
        """Write a word of the data, such as a state, in the reader's language, or as it is."""
        return message_html(word(group, value), self.language)

    def draft(self, form: str) -> dict[str, str]:
        """Read what this person has typed into a form and not sent."""
        kept = drafts.get_draft(self.workbench, self.user.username, form)
        return {name: str(value) for name, value in kept.items()}

    def badge(self, level: str) -> Html:
        """Show a level by colour, shape and its word in the reader's language."""
        return badge(level, self.word("level", level))

    def badge_of(self, state: object, word: Html) -> Html:
        """Show a state of a plan, an order or a step by a neutral badge with the reader's word for it."""
        return badge(str(state), word)

    def local(self, moment: datetime) -> datetime:
        """Turn a moment into the site's time."""
        return moment.astimezone(ZoneInfo(self.workbench.settings.site.tz))

    def when(self, moment: datetime | None) -> Html:
        """Write a moment as local hour and day, or a dash where there is none."""
        if moment is None or moment != moment:  # NaT differs from itself
            return escape("–")
        return self.say("screen.when", at=self.local(moment))

    def address(self, **changes: str) -> Html:
        """Write the link to this screen with another choice; an empty value takes a choice away."""
        chosen = {**self.state, **changes}
        return escape("#" + urlencode({name: value for name, value in chosen.items() if value}))


View = Callable[[Visit], Html]
"""Draws one region of a screen."""

Fields = Mapping[str, str]
"""What a form sends: checked by the action, and shown nowhere without being escaped."""


@dataclass(frozen=True)
class Screen:
    """A screen: what it shows, and what may be done on it.

    Attributes
    ----------
    name : str
        Name of its notebook, and ``screen.<name>`` in the catalogue.
    layout : callable
        Draws what stays: headings and the places of the regions, made by `place`.
    regions : mapping of str to callable
        What is redrawn, by the name of its place.
    later : mapping of str to callable
        The same for what takes a moment (pictures): asked for once the rest is shown, while its place is
        blank; a region that holds the place makes it blank by being drawn anew.
    actions : mapping of str to callable
        What a form or button may do; returns what to say, or regions that show an answer.
    """

    name: str
    layout: View
    regions: Mapping[str, View]
    later: Mapping[str, View]
    actions: Mapping[str, "Action"]


@dataclass(frozen=True)
class Done:
    """What an action leaves behind.

    Attributes
    ----------
    said : Html
        Shown and read out.
    form : str
        The form whose draft is over; empty: none.
    regions : mapping of str to Html
        Answers that are shown until the page is left, such as a study.
    state : mapping of str to str
        Choices that follow from it; an empty value takes a choice away.
    """

    said: Html
    form: str = ""
    regions: Mapping[str, Html] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)


Action = Callable[[Visit, Fields], Done]
"""Does one thing, by a workflow function."""
