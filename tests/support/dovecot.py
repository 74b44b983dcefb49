"""A real Dovecot, for reading a Maildir over IMAP with TLS: brought as the Postfix is, in a folder of the test's."""

from __future__ import annotations

import os
import pwd
import secrets
import ssl
import subprocess
from functools import cache
from imaplib import IMAP4_SSL
from pathlib import Path

from tests.support.postfix import LOOPBACK, found
from tests.support.servers import Server

CONF = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/mail.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
mail_location = maildir:{maildir}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@cache
def find_dovecot() -> Path:
    """The dovecot to run; raises CannotBeHadError where there is none."""
    return found("dovecot-imapd", Path("/usr/sbin/dovecot"))


class DovecotServer(Server):
    """One Dovecot over one Maildir, with a certificate of its own."""

    name = "dovecot"

    def __init__(self, maildir: Path) -> None:
        self._program = find_dovecot()
        super().__init__()
        self.folder.chmod(0o755)
        self.password = secrets.token_urlsafe(12)
        self.certificate = self.folder / "cert.pem"
        owner = pwd.getpwnam("postfix")
        names = ["-subj", f"/CN={LOOPBACK}", "-addext", f"subjectAltName=IP:{LOOPBACK}"]
        keys = ["-out", str(self.certificate), "-keyout", str(self.folder / "key.pem")]
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        subprocess.run(
            ["openssl", "req", "-x509", *curve, *names, *keys], check=True, capture_output=True, timeout=20
        )
        for name in ("", "new", "cur", "tmp"):
            (maildir / name).mkdir(exist_ok=True, parents=True)
            os.chown(maildir / name, owner.pw_uid, owner.pw_gid)
        own = {"folder": self.folder, "port": self.port, "password": self.password, "maildir": maildir}
        users = {"user": "dovenull", "group": "dovenull", "uid": owner.pw_uid, "gid": owner.pw_gid}
        (self.folder / "dovecot.conf").write_text(CONF.format(**own, **users))

    @property
    def url(self) -> str:
        """Where it is read."""
        return f"imaps://{LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        """In the foreground."""
        return [str(self._program), "-F", "-c", str(self.folder / "dovecot.conf")]

    def answers(self) -> bool:
        """Whether it lets us in."""
        trust = ssl.create_default_context(cafile=self.certificate)
        try:
            with IMAP4_SSL(LOOPBACK, self.port, ssl_context=trust, timeout=2) as imap:
                return imap.login("office", self.password)[0] == "OK"
        except (OSError, IMAP4_SSL.error):
            return False
