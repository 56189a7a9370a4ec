"""The commit message of a promotion."""

import yaml

from flows.promotion.message import promotion_message

FIRST = {"uri": "file:///a", "digest": "d1", "model": "m", "version": "1"}


def test_the_message_is_a_short_subject_and_trailers() -> None:
    message = promotion_message("local", {**FIRST, "model": "m" * 80}, {}, "run")
    subject, _, body = message.partition("\n\n")
    assert len(subject) <= 72
    trailers = yaml.safe_load(body.partition("\n\n")[2])
    assert trailers["Bundle-Digest"] == "d1"
    assert trailers["Previous-Digest"] == "none"
