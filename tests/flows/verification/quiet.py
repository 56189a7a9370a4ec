"""Where a step tells what it is doing, without anybody watching."""

from contextlib import AbstractContextManager, nullcontext


class Quiet:
    """Implements flows.outcome.Progress and Stage; keeps what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def stage(self, title: str) -> AbstractContextManager["Quiet"]:
        self.said.append(title)
        return nullcontext(self)

    def say(self, text: str) -> None:
        self.said.append(text)

    def update(self, text: str) -> None:
        pass

    def result(self, text: str) -> None:
        self.said.append(text)
