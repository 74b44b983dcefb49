"""A real Postfix: the system's own program, or, as root on Debian, the one that apt brings.

Everything of theirs lies in a folder of the test's: configuration, queue, mailboxes, sockets. The system's own Postfix,
its `/etc/postfix` and its queue are never read nor touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import smtplib
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.support import apt
from tests.support.redis import services_stay_off
from tests.support.servers import CannotBeHadError, Server

DOMAIN = "school.example"
LOOPBACK = "127.0.0.1"
MAILBOXES = {f"bounces@{DOMAIN}": "bounces", f"office@{DOMAIN}": "office", "parent@home.example": "parent"}

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.{domain}
mydomain = {domain}
myorigin = {domain}
mydestination =
mynetworks = 127.0.0.0/8
relayhost =
recipient_delimiter = +
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
# Taken first, and found to be nobody's only then: so the mail comes back, as it does through a school's own relay.
virtual_mailbox_domains = {domain}, home.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/etc/mailboxes
smtpd_reject_unlisted_recipient = no
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
alias_maps =
alias_database =
local_recipient_maps =
smtpd_milters =
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
bounce_queue_lifetime = 1h
"""

MASTER = """\
{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


@cache
def find_postfix() -> Path:
    """The postfix to run; raises CannotBeHadError where there is none."""
    return found("postfix", Path("/usr/sbin/postfix"))


def found(package: str, program: Path) -> Path:
    """A mail server's program, brought by apt where it is missing. Raises CannotBeHadError."""
    if os.geteuid() != 0:
        raise CannotBeHadError(f"{package} can only be run as root: it changes users")
    if not program.exists() and shutil.which("apt-get"):
        with services_stay_off():
            apt.install(package, why=f"a test wants a real {package} and this machine has none")
    if not program.exists():
        raise CannotBeHadError(f"{package} cannot be had: install it (as root on Debian, apt-get brings it)")
    return program


class PostfixServer(Server):
    """One Postfix, alone on loopback; it delivers to Maildirs in its own folder, and nothing leaves the machine."""

    name = "postfix"

    def __init__(self, mailboxes: Mapping[str, str] = MAILBOXES) -> None:
        """`mailboxes`: which Maildir each address has; nobody is at any other address of these two domains."""
        self._program = find_postfix()
        super().__init__()
        owner = pwd.getpwnam("postfix")
        self.folder.chmod(0o755)
        self.etc = self.folder / "etc"
        for name in ("etc", "spool", "data", "mail"):
            (self.folder / name).mkdir()
        os.chown(self.folder / "data", owner.pw_uid, -1)
        os.chown(self.folder / "mail", owner.pw_uid, owner.pw_gid)
        own = {"folder": self.folder, "domain": DOMAIN, "uid": owner.pw_uid, "gid": owner.pw_gid}
        (self.etc / "main.cf").write_text(MAIN.format(**own))
        (self.etc / "mailboxes").write_text("".join(f"{one} {box}/\n" for one, box in mailboxes.items()))
        (self.etc / "master.cf").write_text(MASTER.format(port=f"{LOOPBACK}:{self.port}"))
        # It makes the folders of its queue, with the owners that it wants.
        check = [str(self._program), "-c", str(self.etc), "check"]
        subprocess.run(check, check=True, capture_output=True, timeout=20)

    @property
    def url(self) -> str:
        """Where mails are handed in."""
        return f"smtp://{LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        """Its master itself: `postfix start-fg` leaves a script between, which a signal would end alone."""
        return [str(self._program.parents[1] / "lib/postfix/sbin/master"), "-c", str(self.etc), "-s"]

    def answers(self) -> bool:
        """Whether it takes mails."""
        try:
            with smtplib.SMTP(LOOPBACK, self.port, timeout=2) as smtp:
                return smtp.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def maildir(self, mailbox: str) -> Path:
        """A mailbox that it delivers to."""
        return self.folder / "mail" / mailbox
