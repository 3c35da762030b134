"""The frame of every screen: where we are, who acts, how old the data are, the way to other screens."""

from collections.abc import Mapping

from gridlib.apps.html import Html, escape
from gridlib.apps.message_html import message_html
from gridlib.apps.screens.visit import Action, Done, Fields, Visit, offered
from gridlib.facts.messages import Language, Message
from gridlib.workflow import accounts, drafts, queries

HEAD, FRESHNESS = "head", "freshness"
"""Regions that every screen has."""


def ltr(text: object) -> Html:
    """Set an id, a number or a unit apart, so that it keeps its order in a line from right to left."""
    return Html(f'<bdi dir="ltr">{escape(text)}</bdi>')


def place(region: str, *, element: str = "div", classes: str = "") -> Html:
    """Leave a place for a region of a screen."""
    return Html(f'<{element} data-region="{escape(region)}" class="region {escape(classes)}"></{element}>')


def shell(visit: Visit, name: str, body: Html) -> Html:
    """Put a screen's layout into the frame: landmarks, the line that says what was done, and lost words."""
    lost = "".join(
        f' data-{cause}="{visit.text(f"screen.lost.{cause}")} {visit.text("screen.lost.nothing")}"'
        for cause in ("ended", "signed-out", "no-server", "no-answer")
    )
    return Html(
        f'<a class="skip" href="#content" data-skip>{visit.say("screen.skip")}</a>'
        f"<header>{place(HEAD, classes='head')}</header>"
        f'<main id="content" tabindex="-1">{place(FRESHNESS)}'
        f"<h1>{visit.say(f'screen.{name}')}</h1>{body}</main>"
        '<div id="said" role="status" aria-live="polite"></div>'
        f'<div id="lost-words" hidden{lost} data-reload="{visit.text("screen.reload")}"></div>'
    )


def head(visit: Visit, name: str) -> Html:
    """Draw the bar at the top: site, screens, who acts, language, clock, sign-out."""
    site, user = visit.workbench.settings.site, visit.user
    links = "".join(
        f'<li><a href="{escape(screen)}.ipynb"{" aria-current=page" if screen == name else ""}>'
        f"{visit.say(f'screen.{screen}')}</a></li>"
        for screen, roles in offered().items()
        if roles & set(user.roles)
    )
    roles = escape(", ").join(visit.say(f"role.{role}") for role in user.roles)
    other: Language = "ar" if visit.language == "en" else "en"
    return Html(
        f'<div class="site">{escape(site.name)}</div>'
        f'<nav aria-label="{visit.text("screen.navigation")}"><ul>{links}</ul></nav>'
        f'<div class="who"><bdi>{escape(user.username)}</bdi> <span class="quiet">({roles})</span></div>'
        f'<div class="clock"><time data-clock="{escape(site.tz)}"></time> '
        f'<span class="quiet">{ltr(site.tz)}</span></div>'
        f'<form data-action="language"><button name="language" value="{other}" lang="{other}">'
        f"{message_html(Message('screen.language', {}), other)}</button></form>"
        f'<a class="out" href="../../logout">{visit.say("screen.sign_out")}</a>'
    )


def freshness(visit: Visit) -> Html:
    """Say how old readings and forecast are; stale ones loudly, and what the site wants to be noticed."""
    notice = visit.workbench.settings.site.notice
    noticed = f'<p class="notice" dir="auto">{escape(notice)}</p>' if notice else ""
    found = queries.get_freshness(visit.workbench)
    said = " · ".join(message_html(message, visit.language) for message in found.messages)
    if found.stale:
        loud = f"{visit.say('screen.stale')} {said}"
        return Html(f'{noticed}<p class="stale" role="alert" data-stale>{loud}</p>')
    return Html(f'{noticed}<p class="fresh">{said}</p>')


def set_language(visit: Visit, fields: Fields) -> Done:
    """Show this and every later screen of this person in another language."""
    accounts.set_language(visit.workbench, visit.user.username, fields.get("language", ""))
    return Done(Html())


def keep_draft(visit: Visit, fields: Fields) -> Done:
    """Keep what is typed and not sent."""
    values = {name: value for name, value in fields.items() if name != "draft"}
    drafts.save_draft(visit.workbench, visit.user.username, fields.get("draft", ""), values)
    return Done(Html())


ACTIONS: Mapping[str, Action] = {"language": set_language, "draft": keep_draft}
"""What may be done on every screen."""
