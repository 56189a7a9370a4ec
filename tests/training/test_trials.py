"""What ranks trials, what rules one out, and their records."""

from pathlib import Path

import pytest

from features.errors import InputError, VigiaError
from training.trials import Goal, Limit, Trial, best, breach, read_trials, worth, write_trial

RECALL = Goal("recall", "precision")


def trial(number: int, recall: float = 0.5, precision: float = 0.5, **more: str) -> Trial:
    return Trial(number, "forest", {"trees": 3}, {"recall": recall, "precision": precision}, **more)


def test_the_highest_figure_wins_then_what_breaks_ties_then_the_lowest_number() -> None:
    assert best([trial(0, 0.5, 0.9), trial(1, 0.6, 0.1)], RECALL).number == 1
    assert best([trial(0, 0.6, 0.1), trial(1, 0.6, 0.2)], RECALL).number == 1
    assert best([trial(2), trial(0), trial(1)], RECALL).number == 0


def test_failed_and_excluded_trials_never_win() -> None:
    assert best([trial(0, 0.9, error="x"), trial(1, 0.8, excluded="y"), trial(2, 0.1)], RECALL).number == 2


def test_without_a_usable_trial_it_says_why() -> None:
    with pytest.raises(VigiaError, match="all 2 trials failed; the first: boom"):
        best([trial(0, error="boom"), trial(1, error="bang")], RECALL)
    with pytest.raises(InputError, match=r"no trial may be chosen; trial 1 \(forest\): too slow"):
        best([trial(0, error="boom"), trial(1, excluded="too slow")], RECALL)


def test_one_episode_is_worth_more_than_any_precision() -> None:
    assert worth(trial(0, 0.501, 0.0), RECALL) > worth(trial(1, 0.5, 0.999), RECALL)  # type: ignore[operator]
    assert worth(trial(0, 0.5, 0.2), RECALL) > worth(trial(1, 0.5, 0.1), RECALL)  # type: ignore[operator]


def test_a_trial_beyond_its_limits_is_worth_less_than_any_within_and_less_the_further() -> None:
    goal = Goal("recall", limits=(Limit("bytes", 100.0, "search.max_bundle_bytes"),))
    found = [Trial(0, "f", {}, {"recall": 0.9, "bytes": size}, excluded="big") for size in (110.0, 300.0)]
    assert 0.0 > worth(found[0], goal) > worth(found[1], goal)  # type: ignore[operator]
    assert worth(trial(0, error="x"), goal) is None
    assert worth(Trial(0, "f", {}, {"loss_at_3": 0.1}, excluded="stopped"), goal) is None


def test_a_limit_is_inclusive_and_its_breach_names_figure_key_and_value() -> None:
    goal = Goal(limits=(Limit("bundle_bytes", 100.0, "search.max_bundle_bytes"),))
    assert breach({"bundle_bytes": 100.0}, goal) == ""
    assert breach({"bundle_bytes": 12345678.0}, goal) == "12345678 bundle bytes, above search.max_bundle_bytes = 100"
    assert "could not be measured" in breach({}, goal)


def test_records_read_back_to_the_bit_and_torn_ones_are_as_good_as_none(tmp_path: Path) -> None:
    written = Trial(3, "f", {"rate": 0.1 + 0.2, "trees": 7, "flag": True}, {"recall": 1 / 3}, {"fit_s": 1.0})
    write_trial(tmp_path, written)
    (tmp_path / "0004.json").write_text('{"number": 4, "fam')
    (tmp_path / "0005.json").write_text("")
    assert read_trials(tmp_path) == {3: written}
    assert isinstance(read_trials(tmp_path)[3].parameters["flag"], bool)
    assert read_trials(tmp_path / "absent") == {}


def test_timings_do_not_make_trials_different() -> None:
    assert Trial(0, "f", {}, {}, {"fit_s": 1.0}) == Trial(0, "f", {}, {}, {"fit_s": 2.0})
