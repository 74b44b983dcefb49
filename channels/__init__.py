"""The ways out: each folder is one channel, with the same file names where a thing exists.

A channel renders purely, judges by pure policies, and sends exactly once through a gateway. Only a gateway imports a
provider's SDK, and no channel knows another. Channels register through the entry-point group `carillon.channels`.
"""
