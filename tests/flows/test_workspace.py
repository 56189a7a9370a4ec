"""The workspace: whole for everybody who comes to it at once."""

import threading
from pathlib import Path

from flows.workspace import Workspace


def test_processes_that_come_first_together_have_one_whole_token_that_others_cannot_read(tmp_path: Path) -> None:
    for attempt in range(20):
        workspace, seen = Workspace(tmp_path / str(attempt)), list[str]()
        together = threading.Barrier(8)

        def come(
            workspace: Workspace = workspace, seen: list[str] = seen, together: threading.Barrier = together
        ) -> None:
            together.wait()
            workspace.prepare()
            seen.append(workspace.token.read_text())

        threads = [threading.Thread(target=come) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8
        assert {len(token) for token in seen} == {64}
        assert len(set(seen)) == 1
        assert workspace.token.stat().st_mode & 0o777 == 0o600
        assert {entry.name for entry in workspace.root.iterdir()} == {".gitignore", "tmp", "ray-token"}
