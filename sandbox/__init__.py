"""Stand-ins for the providers, on loopback only, with faults to order and a log of what they truly accepted.

Always a process of its own, so that a killed Carillon does not take the truth with it.
"""
