"""Ask the study worker; imports nothing heavy beside what the answer is made of."""

import errno
import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gridlib.apps.html import Html
from gridlib.apps.study.protocol import DEADLINE_S, SOCKET_VARIABLE, PlanPicture, UnitPicture, WhatIf
from gridlib.facts.errors import StudyError
from gridlib.facts.messages import Language

if TYPE_CHECKING:
    from gridlib.facts.studies import Study


START_S = 15.0
"""How long a worker that is only just starting is waited for [s]."""


class StudyClient:
    """Asks the worker behind a socket; each question is a connection of its own.

    Parameters
    ----------
    path : Path
        The worker's socket.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def from_environment(cls) -> "StudyClient":
        """Ask the worker that the server has started.

        Raises
        ------
        StudyError
            This process was not started by a server with a worker.
        """
        path = os.environ.get(SOCKET_VARIABLE, "")
        if not path:
            raise StudyError(
                "no study worker is known here", what_to_do="Open the screen with 'gridlib serve'."
            )
        return cls(Path(path))

    def what_if(
        self, transformer_id: str, *, ambient_k: float = 0.0, load_pct: float = 0.0, tie_out: str = ""
    ) -> "Study":
        """Score and plan a transformer again; see `gridlib.workflow.studies.study`.

        Raises
        ------
        StudyError
            The worker refuses, with the reason, or does not answer.
        """
        from pydantic import TypeAdapter

        from gridlib.facts.studies import Study

        asked = WhatIf.model_construct(
            transformer_id=transformer_id, ambient_k=ambient_k, load_pct=load_pct, tie_out=tie_out
        )
        return TypeAdapter(Study).validate_python(self._answer(asked.model_dump()))

    def picture(
        self,
        kind: Literal["load_band", "hot_spot", "neighbours", "both_sides"],
        *,
        transformer_id: str = "",
        plan_id: str = "",
        language: Language = "en",
    ) -> Html:
        """Draw a picture.

        Parameters
        ----------
        kind : str
            "load_band", "hot_spot" or "neighbours" of a transformer, "both_sides" of a plan.
        transformer_id, plan_id : str
            Which.
        language : {"en", "ar"}
            Of its words.

        Returns
        -------
        Html
            An ``svg`` element with a label that says what it shows.

        Raises
        ------
        StudyError
            The worker refuses, with the reason, or does not answer.
        """
        asked: UnitPicture | PlanPicture
        if kind == "both_sides":
            asked = PlanPicture.model_construct(plan_id=plan_id, language=language)
        else:
            asked = UnitPicture.model_construct(ask=kind, transformer_id=transformer_id, language=language)
        return Html(self._answer(asked.model_dump()))

    def screen(self, question: dict[str, Any]) -> dict[str, Any]:
        """Do what was pressed on a screen, and draw it; see `gridlib.apps.screens.answer.answer`.

        Parameters
        ----------
        question : dict
            Fields of `ScreenQuestion`.

        Raises
        ------
        StudyError
            The worker does not answer: what became of the question is not known.
        """
        asked = {**question, "ask": "screen"}
        try:
            drawn: dict[str, Any] = self._answer(asked)
        except StudyError:
            if question.get("action"):
                raise
            drawn = self._answer(asked)  # it may have died meanwhile, and to look twice does no harm
        return drawn

    def _connect(self, link: socket.socket) -> None:
        """Connect, waiting for a worker that is only just starting; nothing is sent before."""
        until = time.monotonic() + START_S
        while (fault := link.connect_ex(str(self.path))) in (errno.ENOENT, errno.ECONNREFUSED):
            if time.monotonic() > until:
                break
            time.sleep(0.1)
        if fault:
            raise OSError(fault, os.strerror(fault))

    def _answer(self, asked: dict[str, Any]) -> Any:
        try:
            with socket.socket(socket.AF_UNIX) as link:
                # The worker ends an answer at its deadline; this one is for a worker that hangs itself.
                link.settimeout(DEADLINE_S + 2)
                self._connect(link)
                link.sendall(json.dumps(asked).encode() + b"\n")
                with link.makefile("rb") as stream:
                    line = stream.readline()
        except OSError as error:
            raise StudyError(
                f"the study worker does not answer: {error}", what_to_do="Try again in some seconds."
            ) from error
        if not line.endswith(b"\n"):
            raise StudyError(
                f"no answer within {DEADLINE_S:g} s, or the worker stopped",
                what_to_do="Try again, or ask for less.",
            )
        answer = json.loads(line)
        if "error" in answer:
            fault = answer["error"]
            raise StudyError(fault["message"], what_to_do=fault["what_to_do"])
        return answer["answer"]
