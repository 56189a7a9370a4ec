"""Whatever stands around the values: only they change, exactly as meant, once, and back again."""

import copy
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.promotion.edit import promote_text, read_leaves, serve_config, set_leaves
from flows.promotion.values import write_value
from tests.flows.promotion.manifests import KEYS, SLOTS, VALUES, WORDS, Manifest, manifests

WANTED = st.fixed_dictionaries(dict.fromkeys(SLOTS, VALUES))
BUNDLES = st.fixed_dictionaries(dict.fromkeys(KEYS, WORDS))
SETTINGS = settings(max_examples=60, deadline=None)


def parsed(text: str, without_config: bool = False) -> list[Any]:
    documents = list(yaml.safe_load_all(text))
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == "RayService" and without_config:
            del document["spec"]["serveConfigV2"]
    return documents


@SETTINGS
@given(manifests(), WANTED)
def test_only_the_characters_of_the_values_change(manifest: Manifest, wanted: dict[tuple[str, str], str]) -> None:
    after = set_leaves(manifest.text, wanted).text
    pattern = "([^\r\n]*)".join(re.escape(part) for part in manifest.parts)
    assert re.fullmatch(pattern, after)


@SETTINGS
@given(manifests(missing=True), WANTED)
def test_both_texts_parse_to_the_same_but_for_the_values(
    manifest: Manifest, wanted: dict[tuple[str, str], str]
) -> None:
    before, after = manifest.text, set_leaves(manifest.text, wanted).text
    assert parsed(before, without_config=True) == parsed(after, without_config=True)
    assert read_leaves(after) == wanted
    meant, found = copy.deepcopy(serve_config(before)), serve_config(after)
    deployment = next(one for one in meant["applications"][0]["deployments"] if one["name"] == "AnomalyDetector")
    config = deployment["user_config"] = deployment["user_config"] or {}
    for (section, key), value in wanted.items():
        config[section] = (config.get(section) or {}) | {key: value}
    assert found == meant


@SETTINGS
@given(manifests(missing=True), WANTED)
def test_what_was_there_is_still_there_in_order(manifest: Manifest, wanted: dict[tuple[str, str], str]) -> None:
    rest = iter(set_leaves(manifest.text, wanted).text)
    assert all(character in rest for part in manifest.parts for character in part)


@SETTINGS
@given(manifests(missing=True), WANTED)
def test_a_second_time_changes_nothing(manifest: Manifest, wanted: dict[tuple[str, str], str]) -> None:
    after = set_leaves(manifest.text, wanted).text
    assert set_leaves(after, wanted).changes == ()
    assert set_leaves(after, wanted).text == after


@SETTINGS
@given(manifests(), WANTED)
def test_the_old_values_bring_back_the_old_bytes(manifest: Manifest, wanted: dict[tuple[str, str], str]) -> None:
    same = {path: value for path, value in wanted.items() if in_style(value, manifest, path)}
    after = set_leaves(manifest.text, same).text
    assert set_leaves(after, manifest.values).text == manifest.text


def in_style(value: str, manifest: Manifest, path: tuple[str, str]) -> bool:
    """Whether the new value and the old one can stand in the same quotes."""
    new, old = (write_value(one, manifest.styles[path])[0] for one in (value, manifest.values[path]))
    return new == old or not {new, old} & {"'", '"'}


@SETTINGS
@given(manifests(values=WORDS), BUNDLES, BUNDLES)
def test_a_promotion_writes_the_old_bundle_as_previous(
    manifest: Manifest, first: dict[str, str], second: dict[str, str]
) -> None:
    for bundle in (first, second):
        old = read_leaves(manifest.text)
        edit = promote_text(manifest.text, bundle)
        new = read_leaves(edit.text)
        if old[("bundle", "digest")] == bundle["digest"]:
            assert edit.text == manifest.text
            continue
        assert {key: new[("bundle", key)] for key in KEYS} == bundle
        assert {key: new[("previous", key)] for key in KEYS} == {key: old[("bundle", key)] for key in KEYS}
