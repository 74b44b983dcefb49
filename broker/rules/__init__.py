"""The school's rules: parameters that a school may change, and the pure policies that read them.

One module a family, all of one shape: `PARAMETERS`, the policies, and `FAMILY` that binds them. `broker.rules.book`
lists the families; everything else (showing, changing, judging, docs/policies.md) derives from that list.
"""
