"""How long the prediction log is kept."""

import re
from datetime import UTC, date, datetime, timedelta

import pyarrow.fs as fs

_DAY = re.compile(r"date=(\d{4}-\d{2}-\d{2})")


def delete_old_days(filesystem: fs.FileSystem, root: str, keep_days: int) -> list[str]:
    """Delete the ``date=…`` folders older than that many days, nothing for 0; the names of those that are gone.

    Today is the day in UTC. A store in trouble, or a replica that was faster, is asked again an hour later.
    """
    if not keep_days:
        return []
    last, gone = datetime.now(UTC).date() - timedelta(days=keep_days), []
    try:
        for entry in filesystem.get_file_info(fs.FileSelector(root, allow_not_found=True)):
            named = _DAY.fullmatch(entry.base_name)
            if named and date.fromisoformat(named[1]) < last:
                filesystem.delete_dir(entry.path)
                gone.append(entry.base_name)
    except (OSError, ValueError):
        return gone
    return gone
