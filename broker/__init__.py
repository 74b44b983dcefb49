"""The law: what an announcement, a duty and a delivery are, and what may happen to them.

No framework lives here, only the standard library and pure libraries. Nouns (announcement, audience, duty, delivery,
policy, retry) are values; verbs (intake, fanout, dispatch, confirm, reconcile, sweep, recover) are functions over
ports.
`broker.testing` holds the contract every channel passes and the pretend clock, queue and provider.
"""
