"""Episodes are counted by series, and those that quarantine took count as missed."""

from dataclasses import replace

import numpy as np

from evaluation.episodes import Episodes, LostRows, count_episodes, list_episodes
from features.rows import Rows


def rows_of(labels: list[list[int]], times: bool = True) -> Rows:
    """One series a list, one row a minute."""
    n = [len(part) for part in labels]
    codes = np.repeat(np.arange(len(labels)), n)
    minutes = np.concatenate([np.arange(k) for k in n]) * 60_000_000
    flat = np.array([label for part in labels for label in part], np.int8)
    names = tuple(f"s{i}" for i in range(len(labels)))
    return Rows(("x",), np.zeros((len(flat), 1)), codes, names, minutes if times else None, flat)


def lost(*rows: tuple[str, int, bool]) -> LostRows:
    series, minutes, told = zip(*rows, strict=True)
    return LostRows(np.array(series, object), np.array(minutes) * 60_000_000, np.array(told))


def flags(rows: Rows, *at: int) -> np.ndarray:
    found = np.zeros(len(rows), bool)
    found[list(at)] = True
    return found


def test_an_episode_is_a_run_of_one_series_and_one_alert_row_detects_it() -> None:
    rows = rows_of([[0, 1, 1, 0, 1], [1, 1, -1, 1, 0]])
    assert count_episodes(rows, flags(rows, 2, 3)) == Episodes(labelled=4, detected=1, quarantined=0, reported=0)


def test_recall_is_the_share_detected_and_unknown_without_episodes() -> None:
    assert Episodes(4, 1, 0, 0).recall == 0.25
    quiet = rows_of([[0, 0]])
    found = count_episodes(quiet, flags(quiet))
    assert found is not None
    assert found.recall is None


def test_an_episode_wholly_in_quarantine_is_missed_and_counted_apart() -> None:
    rows = rows_of([[0, 0, 0, 0]])
    found = count_episodes(rows, flags(rows, 0), lost(("s0", 10, False), ("s0", 11, False)))
    assert found == Episodes(labelled=1, detected=0, quarantined=1, reported=0)


def test_a_sensor_health_rule_reports_a_lost_episode_in_a_column_of_its_own() -> None:
    rows = rows_of([[0, 0]])
    found = count_episodes(rows, flags(rows), lost(("s0", 10, False), ("s0", 11, True)))
    assert found == Episodes(labelled=1, detected=0, quarantined=1, reported=1)


def test_rows_lost_from_an_episode_do_not_hide_an_alert_in_the_rest() -> None:
    rows = rows_of([[0, 1, 1, 0]])
    found = count_episodes(
        rows, flags(rows, 2), LostRows(np.array(["s0"], object), np.array([61_000_000]), np.array([1 > 0]))
    )
    assert found == Episodes(labelled=1, detected=1, quarantined=0, reported=0)


def test_a_series_that_only_quarantine_knows_is_an_episode_too() -> None:
    rows = rows_of([[0, 0]])
    found = count_episodes(rows, flags(rows), lost(("other", 1, False)))
    assert found == Episodes(1, 0, 1, 0)


def test_without_time_or_labels_there_are_no_episodes() -> None:
    rows = rows_of([[0, 1]], times=False)
    assert count_episodes(rows, flags(rows)) is None


def test_the_delay_runs_from_the_first_row_of_the_episode_to_its_first_alert_row() -> None:
    rows = rows_of([[0, 1, 1, 1, 0, 1], [1, 1, 0, 0, 0, 0]])
    found = list_episodes(rows, flags(rows, 0, 3, 5, 8))
    assert found is not None
    assert found.delays_us.tolist() == [2 * 60_000_000, 0, -1]
    assert found.detected.tolist() == [True, True, False]


def test_an_episode_begins_with_its_quarantined_rows() -> None:
    rows = rows_of([[1, 1, 0]])
    found = list_episodes(
        rows, flags(rows, 0), LostRows(np.array(["s0"], object), np.array([-60_000_000]), np.zeros(1) > 0)
    )
    assert found is not None
    assert (found.starts_us.tolist(), found.delays_us.tolist()) == ([-60_000_000], [60_000_000])


def test_an_episode_belongs_to_the_group_of_its_series_and_a_series_without_rows_to_its_own() -> None:
    rows = replace(rows_of([[1, 0], [0, 1]]), groups=np.array([0, 0, 0, 0]), group_names=("machine",))
    found = list_episodes(rows, flags(rows), lost(("other", 0, False)))
    assert found is not None
    assert found.units.tolist() == [0, 0, 3]


def test_an_episode_names_its_series_and_its_last_row_quarantined_ones_included() -> None:
    rows = rows_of([[0, 1, 1, 0], [0, 1, 0, 0]])
    found = list_episodes(rows, flags(rows), lost(("other", 7, False), ("s1", 4, False)))
    assert found is not None
    assert [found.series_names[code] for code in found.series] == ["s0", "s1", "s1", "other"]
    assert (found.ends_us / 60_000_000).tolist() == [2, 1, 4, 7]
