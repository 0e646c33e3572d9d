"""A model on the web is fetched once, and only if it is the one that was meant."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.model.registry import DOWNLOADS, fetch, load_model


@pytest.fixture
def url(web, save, tmp_path) -> str:
    """The address of a model, with its hash."""
    return web.publish(save(tmp_path / "released.safetensors", 0.25))


def left(models: Path) -> list[Path]:
    return list((models / DOWNLOADS).glob("*"))


def test_a_model_is_downloaded_once_and_there_without_a_network_later(url, web, models):
    assert load_model(url).card.threshold == 0.25
    web.go_off()
    assert load_model(url).card.threshold == 0.25
    assert web.asked == ["/released.safetensors"]
    assert len(left(models)) == 1


def test_a_damaged_download_is_fetched_again(url, models):
    load_model(url)
    (path,) = left(models)
    path.write_bytes(path.read_bytes()[:-4])
    assert load_model(url).card.threshold == 0.25


@pytest.mark.parametrize("fragment", ["", "#", "#sha256=", "#sha256=12ab", "#md5=" + "0" * 32])
def test_an_address_without_a_hash_is_reported_before_anything_is_asked(web, fragment):
    with pytest.raises(CryopickError, match="comes without its hash; add #sha256="):
        load_model(web.address("released.safetensors") + fragment)
    assert web.asked == []


def test_another_file_than_was_meant_is_refused_and_nothing_is_left(url, models):
    address = url.partition("#")[0]
    with pytest.raises(CryopickError, match=r"is not the file with the hash 00000000…"):
        load_model(f"{address}#sha256={'0' * 64}")
    assert left(models) == []


def test_a_missing_file_is_reported_and_nothing_is_left(web, models):
    with pytest.raises(CryopickError, match=r"download failed \(404 File not found\)"):
        load_model(f"{web.address('none.safetensors')}#sha256={'0' * 64}")
    assert left(models) == []


def test_a_missing_network_is_reported_and_nothing_is_left(url, web, models):
    web.go_off()
    with pytest.raises(CryopickError, match="download failed; check the network"):
        load_model(url)
    assert left(models) == []


@pytest.mark.parametrize("folder", ["/models_of_nobody", "/"])
def test_a_folder_that_cannot_be_written_to_is_reported(folder, url, unprivileged):
    with pytest.raises(CryopickError, match="cannot be written to"):
        fetch(url, Path(folder))


def test_a_file_on_the_web_that_is_no_model_is_reported(web):
    (web.folder / "picks.star").write_text("data_\n")
    digest = sha256(b"data_\n").hexdigest()
    with pytest.raises(CryopickError, match="is not a model file"):
        load_model(f"{web.address('picks.star')}#sha256={digest}")
