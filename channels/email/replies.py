"""Bytes into a server's replies, however they were cut: several in one packet, one in many."""

from __future__ import annotations

NONSENSE = -1  # a code for what is no reply: nothing that follows can be trusted to answer what we asked
MOST = 64 * 1024  # bytes of one reply; the longest that servers send, to EHLO, is a few hundred

_END = (b" ", b"\r", b"")  # what stands behind the code in a reply's last line


class Replies:
    """What has come and is not whole yet."""

    def __init__(self) -> None:
        self._rest = b""
        self._words = b""  # of the lines before the last, where a reply has several

    def take(self, data: bytes) -> list[tuple[int, bytes]]:
        """The replies that are whole with this: the last line's code, and all words. After NONSENSE, no more."""
        lines = (self._rest + data if self._rest else data).split(b"\n")
        self._rest = lines.pop()
        replies: list[tuple[int, bytes]] = []
        for line in lines:
            code, end = line[:3], line[3:4]
            if len(code) < 3 or not code.isdigit() or len(line) + len(self._words) > MOST:
                return [*replies, (NONSENSE, b"")]
            if end == b"-":
                self._words += line[4:]
            elif end in _END:
                replies.append((int(code), self._words + line[4:]))
                self._words = b""
            else:
                return [*replies, (NONSENSE, b"")]
        if len(self._rest) > MOST:
            return [*replies, (NONSENSE, b"")]
        return replies
