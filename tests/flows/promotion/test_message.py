"""The commit message of a promotion."""

from flows.promotion.message import Facts, promotion_message, read_trailers

FIRST = {"uri": "file:///a", "digest": "d1", "model": "m", "version": "1"}
OLD = {"uri": "file:///o", "digest": "d0", "model": "m", "version": "0"}


def test_the_message_is_a_short_subject_and_trailers() -> None:
    message = promotion_message("local", {**FIRST, "model": "m" * 80}, {}, Facts("run"))
    assert message.splitlines()[0] == "Promote version 1 to local"
    trailers = read_trailers(message)
    assert trailers["Bundle-Digest"] == "d1"
    assert trailers["Previous-Digest"] == "none"
    assert trailers["Run-Id"] == "run"


def test_a_subject_that_is_too_long_in_any_words_is_cut() -> None:
    subject = promotion_message("e" * 80, FIRST, {}).splitlines()[0]
    assert len(subject) == 72
    assert subject.endswith("…")


def test_the_body_says_what_is_replaced_and_why() -> None:
    reasons = ("quality: recall .81, was .74, on the same 41 episodes of the test window", "alerts: within the budget")
    message = promotion_message("local", FIRST, OLD, Facts(gate="pass", reasons=reasons))
    assert message.split("\n\n")[1:3] == [
        "Replaces m version 0.",
        "The gate: pass.\n"
        "- quality: recall .81, was .74, on the same 41 episodes of the test\n  window\n"
        "- alerts: within the budget",
    ]


def test_no_line_of_the_body_is_longer_than_72_characters() -> None:
    facts = Facts(gate="refuse", reasons=("word " * 40,), overridden=("word " * 40,), reason="word " * 40)
    body = promotion_message("local", FIRST, OLD, facts).split("\n\n")[1:-1]
    assert max(len(line) for paragraph in body for line in paragraph.splitlines()) <= 72


def test_a_reason_cannot_pass_for_a_trailer() -> None:
    facts = Facts(gate="refuse", reason="see\nBundle-Digest: other\n\nGate: pass", forced=True)
    trailers = read_trailers(promotion_message("local", FIRST, OLD, facts))
    assert (trailers["Bundle-Digest"], trailers["Gate"]) == ("d1", "refuse (overridden)")


def test_trailers_are_found_where_a_squash_has_moved_them() -> None:
    message = promotion_message("local", FIRST, OLD)
    squashed = "Promote (#7)\n\n* " + message.replace("\n", "\n  ") + "\n\nCo-authored-by: A <a@b>\n"
    assert read_trailers(squashed)["Bundle-Digest"] == "d1"
    assert read_trailers(message.replace("\n", "\r\n"))["Model-Version"] == "1"
