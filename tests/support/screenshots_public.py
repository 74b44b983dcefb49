"""Pictures of what anybody may read: the widget in another site's frame, the fragment in its page, and a screen."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from ledger.migrate import upgrade
from tests.support.noticeboard import bring_events, put_up
from tests.support.plain_site import plain_site
from tests.support.press import Press, a_press

SAID = (
    ("Instrument hire forms by Friday", "Please hand them in at the music office, or by email.", ""),
    ("Choir: extra rehearsal on Thursday", "At lunch in M2; bring something to eat.", ""),
    (
        "Winter concert: doors open at half past five",
        "All ensembles play in the main hall. Families are welcome.",
        "",
    ),
)
PAGE = """<!doctype html><html lang="en"><head><title>{title}</title><style>
body {{ margin: 0; font: 16px/1.5 Georgia, serif; color: #222; background: #f3f0ea; }}
header {{ padding: 1rem 2rem; color: #fff; background: {colour}; font-size: 1.3rem; }}
main {{ display: grid; grid-template-columns: 1fr 22rem; gap: 2rem; padding: 1.5rem 2rem; }}
aside {{ background: #fff; border: 1px solid #d5cfc3; padding: 1rem; }}
iframe {{ border: 0; width: 100%; height: 620px; }}
.carillon ul {{ padding-left: 1.2rem; margin: 0.3rem 0; }} .carillon p {{ margin: 0; }}
.carillon-when {{ font-size: 0.85rem; color: #555; }} .carillon-events {{ font-size: 0.95rem; }}
</style></head><body><header>{title}</header><main><div><h1>{heading}</h1><p>{words}</p></div>
<aside>{inside}</aside></main></body></html>"""


def take_public(browser: Browser, folder: Path, beside: Path) -> None:
    """Write widget.png and fragment.png for the README, screen.png into the other folder."""
    with TemporaryDirectory() as held:
        url = f"sqlite:///{held}/carillon.sqlite3"
        upgrade(url)
        with a_press(url, Path(held)) as press:
            press.bring("Choir", public=("Choir",))
            put_up(press, *SAID)
            bring_events(press, "Choir", "Choir rehearsal", "Dress rehearsal", "Winter concert")
            _on_other_sites(browser, press, folder)
            context = browser.new_context(viewport={"width": 1280, "height": 720})
            page = context.new_page()
            page.goto(f"{press.url}/screen/st-brides")
            page.screenshot(path=beside / "screen.png")
            context.close()


def _on_other_sites(browser: Browser, press: Press, folder: Path) -> None:
    frame = f'<iframe title="Announcements" src="{press.url}/widget/departments/music?items=2"></iframe>'
    fragment = press.get("/widget/departments/music.fragment?items=2").text
    words = "Scales for week nine, the recordings of the last lesson, and where to find the practice rooms."
    pages = {
        "/widget": PAGE.format(
            title="Moodle: Music, Year 7", colour="#0f6cbf", heading="This week", words=words, inside=frame
        ),
        "/fragment": PAGE.format(
            title="St Bride’s School", colour="#5b2333", heading="Music", words=words, inside=fragment
        ),
    }
    with plain_site(pages) as elsewhere:
        context = browser.new_context()
        page = context.new_page()
        for name, height in (("widget", 760), ("fragment", 540)):
            page.set_viewport_size({"width": 900, "height": height})
            page.goto(f"{elsewhere}/{name}")
            page.screenshot(path=folder / f"{name}.png")
        context.close()
