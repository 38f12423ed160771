"""What axe says of a page at both sizes and in both schemes, from one load.

Nothing is left out, but nothing is asked twice either. Three rules take nine tenths of axe's time, and what
they say depends on little: the two about colour on the colours, the size and weight of a text and on what
lies behind it; the one about the size of targets on small targets, their kind and their neighbours'. Each
such combination is judged where it is first met, in either scheme, at either size, and known from then on,
unless something is wrong with it: a second try finds that as well. All other rules look at the elements,
which a scheme does not change: they run once a size.
LOOKS=whole judges every text and target on every page again.
"""

import os
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page as Tab

from tests.support.browser import DESKTOP, PHONE, WCAG, settle, take_screenshot

SIZES = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES = ("light", "dark")
BY_KIND = {"texts": ("color-contrast", "link-in-text-block"), "targets": ("target-size",)}
ELEMENTS = {
    "runOnly": {"type": "tag", "values": WCAG},
    "rules": {rule: {"enabled": False} for rules in BY_KIND.values() for rule in rules},
}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

# A line of facts begins where the text above it begins; what says how late something is is read whole.
CROOKED = """() => [...document.querySelectorAll('.facts, .inbox__due, .inbox__do .btn')]
  .filter(element => element.checkVisibility())
  .filter(element => element.matches('.facts')
    ? parseFloat(getComputedStyle(element).marginInlineStart) >= 0
    : element.scrollWidth > element.clientWidth + 1)
  .map(element => `${element.className}: ${element.innerText.trim()}`)"""

# Keeps what shows a combination that is not among the known ones; gives the new combinations by sort.
MEET = """known => {
  const met = new Set(known), fresh = { texts: [], targets: [] };
  window.unjudged = { texts: [], targets: [] };
  const kind = element => element ? element.tagName + '.' + element.getAttribute('class') : '';
  const meet = (sort, element, combination) => {
    const one = sort + '|' + combination.join('|');
    if (met.has(one)) return;
    met.add(one);
    fresh[sort].push(one);
    window.unjudged[sort].push(element);
  };
  const shown = element => element.checkVisibility({ visibilityProperty: true });

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = new Set(document.querySelectorAll('input:not([type=hidden]), select, textarea'));
  while (walker.nextNode()) if (walker.currentNode.data.trim()) texts.add(walker.currentNode.parentElement);
  for (const element of texts) {
    if (!shown(element)) continue;
    const style = getComputedStyle(element), parent = element.parentElement, behind = [];
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor, backgroundImage, opacity, position } = getComputedStyle(at);
      if (!/^rgba\\(.*, 0\\)$/.test(backgroundColor) || backgroundImage !== 'none' || opacity !== '1' ||
          ['fixed', 'absolute', 'sticky'].includes(position)) {
        behind.push(backgroundColor, backgroundImage, opacity, position);
      }
    }
    meet('texts', element, [
      kind(element), kind(parent), style.color, style.fontSize, style.fontWeight, style.textDecorationLine,
      style.borderBottomStyle, getComputedStyle(parent).color, ...behind,
    ]);
  }

  const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]';
  for (const element of document.querySelectorAll(controls)) {
    const { width, height } = element.getBoundingClientRect(), parent = element.parentElement;
    if (Math.min(width, height) >= 24 || !shown(element)) continue;
    const size = [width, height].map(length => Math.min(24, Math.floor(length)));
    const around = [parent, parent.parentElement, element.previousElementSibling, element.nextElementSibling,
                    parent.previousElementSibling, parent.nextElementSibling];
    meet('targets', element, [kind(element), ...size, ...around.map(kind)]);
  }
  return fresh;
}"""


class Judge:
    """Remembers which combinations were judged."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def prepare(self, context: BrowserContext) -> None:
        """Every page of this browser profile comes with axe."""
        context.add_init_script(AXE_SCRIPT)

    def look(self, tab: Tab, label: str) -> list[str]:
        """What is wrong with the page that the tab shows; its size and scheme are as before afterwards."""
        problems = []
        before = tab.viewport_size or DESKTOP
        for size, window in SIZES.items():
            tab.set_viewport_size(window)  # type: ignore[arg-type] # width and height
            for scheme in SCHEMES:
                tab.emulate_media(color_scheme=scheme)
                settle(tab)
                take_screenshot(tab, f"{label}-{size}-{scheme}")
                found = self._by_kind(tab)
                if scheme == SCHEMES[0]:
                    found += _run(tab, "document", ELEMENTS)
                problems += [f"{label}, {size}, {scheme}: {one}" for one in found]
            problems += [f"{label}, {size}: cut or indented: {one}" for one in tab.evaluate(CROOKED)]
            if (wider := tab.evaluate(WIDER)) > 0:
                problems.append(f"{label}: {wider} px wider than the {size}")
        tab.emulate_media(color_scheme=SCHEMES[0])
        tab.set_viewport_size(before)
        return problems

    def _by_kind(self, tab: Tab) -> list[str]:
        found: list[str] = []
        for sort, fresh in tab.evaluate(MEET, list(self._known)).items():
            if not fresh:
                continue
            rules = {"runOnly": {"type": "rule", "values": list(BY_KIND[sort])}}
            wrong = _run(tab, f"{{include: window.unjudged.{sort}}}", rules)
            found += wrong
            if not wrong and os.environ.get("LOOKS") != "whole":
                self._known |= set(fresh)
        return found


def _run(tab: Tab, where: str, rules: dict[str, Any]) -> list[str]:
    # What passed is only counted; preloading serves rules about videos and orientation alone.
    options = {**rules, "resultTypes": ["violations"], "preload": False}
    results = AxeResults(tab.evaluate(f"options => axe.run({where}, options)", options))
    return [f"{tab.url}\n{results.generate_report()}"] if results.violations_count else []
