"""The screens: HTML drawn by the warm process, shown by a page that passes on what people choose and press.

::

    visit         who looks at what (`Visit`), what a screen is (`Screen`), what an action leaves (`Done`)
    frame         the bar, freshness and the words of every screen; what may be done on all of them
    control_room  a screen: its regions are views of a visit, its actions call one workflow function each
    answer        question in, regions out: the one error boundary
    browser       the widget that a kernel loads, and the script of the page

A new screen is a module with a `Screen`, an entry in `answer.SCREENS`, words in
`gridlib.facts.messages.screens` and a notebook of four cells. In a layout, ``place(name)`` leaves room for a
region. A form with ``data-action`` is an action, with ``data-state`` a filter, with ``data-draft`` kept while
it is written, with ``data-fresh`` at rest on old data; a link to ``visit.address(...)`` is a choice.
"""
