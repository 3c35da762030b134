"""Which screens there are and who may open each: notebooks whose metadata name their roles."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gridlib.facts.messages import CATALOGUE, Language, Message, render
from gridlib.facts.types import Role

_ORDER = ("control_room", "decision_desk", "work_board", "audit_trail")
"""Of the cards; other screens come after these by name."""


@dataclass(frozen=True)
class Screen:
    """A notebook that is served as a screen.

    Attributes
    ----------
    name : str
        Of the notebook, without its ending.
    title : str
        From the metadata of the notebook.
    roles : frozenset of str
        Who may open it; a notebook that names no role is for nobody.
    """

    name: str
    title: str
    roles: frozenset[str]

    def is_for(self, roles: Iterable[Role]) -> bool:
        """Tell whether somebody with these roles may open it."""
        return not self.roles.isdisjoint(map(str, roles))

    def title_in(self, language: Language) -> str:
        """Name it in a language; the title in its metadata where the catalogue has none."""
        message_id = f"screen.{self.name}"
        return render(Message(message_id, {}), language) if message_id in CATALOGUE else self.title

    def about_in(self, language: Language) -> str:
        """Say what it is for; empty where the catalogue says nothing."""
        message_id = f"screen.{self.name}.about"
        return render(Message(message_id, {}), language) if message_id in CATALOGUE else ""


def list_screens(folder: Path) -> list[Screen]:
    """List the screens of a folder as they are offered."""
    found = [read_screen(path) for path in folder.glob("*.ipynb")]
    place = {name: at for at, name in enumerate(_ORDER)}
    return sorted(found, key=lambda screen: (place.get(screen.name, len(_ORDER)), screen.name))


def read_screen(path: Path) -> Screen:
    """Read the metadata of one screen."""
    metadata = json.loads(path.read_text(encoding="utf-8")).get("metadata", {})
    roles = metadata.get("gridlib", {}).get("roles", [])
    return Screen(path.stem, str(metadata.get("title", path.stem)), frozenset(map(str, roles)))
