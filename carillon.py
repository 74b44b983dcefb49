"""The front door for plug-in authors: the types of the channel contract, with no side effect on import."""
