import importlib
import math

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from pbpk.assay.readouts.spots import (
    FWHM,
    Detection,
    count_spots,
    detection_probability,
    false_spots,
    read_section,
    spot_height,
)
from pbpk.errors import AssayError, InputError

tifffile = pytest.importorskip("tifffile")
pytest.importorskip("skimage")

SIGMA = 3.0
PIXEL = 0.5  # um
SPOT = FWHM * SIGMA * PIXEL
SHAPE = (600, 600)
ROWS, COLUMNS = np.mgrid[: SHAPE[0], : SHAPE[1]]
FLAT = np.full(SHAPE, 20.0)
# a slope across the image and a broad glow, as of a vessel
UNEVEN = 20.0 + 80.0 * COLUMNS / 600 + 60.0 * np.exp(-((COLUMNS - 150) ** 2 + (ROWS - 400) ** 2) / (2 * 120.0**2))


def light(centres, height):
    """Gaussian spots of one height, drawn here and not by the code under test."""
    return sum(
        (height * np.exp(-0.5 * ((ROWS - y) ** 2 + (COLUMNS - x) ** 2) / SIGMA**2) for y, x in centres),
        np.zeros(SHAPE),
    )


def scene(seed, n, height, background):
    """Poisson image of `n` spots anywhere, some of them on top of each other, and their centres."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(10.0, 590.0, (n, 2))
    return rng.poisson(background + light(centres, height)).astype(float), centres


def recall_and_precision(centres, table):
    """Best one-to-one match within half a spot."""
    seen = table[["y_um", "x_um"]].to_numpy() / PIXEL
    apart = np.linalg.norm(centres[:, np.newaxis] - seen[np.newaxis], axis=2)
    reach = FWHM * SIGMA / 2.0
    pairs = linear_sum_assignment(np.minimum(apart, 10.0 * reach))
    hits = int((apart[pairs] <= reach).sum())
    return hits / len(centres), hits / max(len(seen), 1)


def over_scenes(n, height, background, scenes=3):
    both = []
    for seed in range(scenes):
        image, centres = scene(seed, n, height, background)
        both.append(recall_and_precision(centres, count_spots(image, PIXEL, SPOT)))
    return np.mean(both, axis=0)


def test_height_of_a_spot_without_noise():
    height = spot_height(30.0 + light([(300.0, 200.0)], 7.0), SIGMA)
    assert height[300, 200] == pytest.approx(7.0, rel=0.01)
    slope = spot_height(UNEVEN + light([(300.0, 500.0)], 7.0), SIGMA)
    assert slope[300, 500] == pytest.approx(7.0, rel=0.03)


def test_a_spot_has_its_place_height_and_noise():
    rng = np.random.default_rng(0)
    image = rng.poisson(FLAT + light([(100.0, 400.0)], 40.0)).astype(float)
    table = count_spots(image, PIXEL, SPOT)
    assert len(table) == 1
    spot = table.iloc[0]
    assert (spot["y_um"], spot["x_um"]) == pytest.approx((50.0, 200.0), abs=2 * PIXEL)
    assert spot["intensity"] == pytest.approx(40.0, rel=0.15)
    # white noise of SD s leaves the filter with s sqrt(2 / pi) / sigma
    noise = math.sqrt(20.0) * math.sqrt(2.0 / math.pi) / SIGMA
    assert spot["snr"] == pytest.approx(spot["intensity"] / noise, rel=0.15)


@pytest.mark.parametrize(
    ("height", "background", "least", "most"),
    [
        (40.0, FLAT, 0.98, 1.0),
        (12.0, FLAT, 0.97, 1.0),
        (8.0, FLAT, 0.5, 0.85),
        (4.0, FLAT, 0.0, 0.1),
        (40.0, UNEVEN, 0.98, 1.0),
        (20.0, UNEVEN, 0.9, 1.0),
        (12.0, UNEVEN, 0.15, 0.6),
    ],
)
def test_recall_falls_with_light_and_precision_does_not(height, background, least, most):
    recall, precision = over_scenes(60, height, background)
    assert least <= recall <= most
    assert precision >= 0.98 or recall < 0.1


@pytest.mark.parametrize(("apart", "found"), [(0.8, 0.5), (1.2, 1.0), (2.0, 1.0)])
def test_two_spots_are_two_from_a_width_and_a_fifth_apart(apart, found):
    rng = np.random.default_rng(2)
    middle = np.stack(np.meshgrid(np.arange(60, 560, 70), np.arange(60, 560, 70)), -1).reshape(-1, 2).astype(float)
    angle = rng.uniform(0.0, 2.0 * np.pi, len(middle))
    away = np.stack([np.cos(angle), np.sin(angle)], axis=1) * apart * FWHM * SIGMA / 2.0
    centres = np.concatenate([middle - away, middle + away])
    image = rng.poisson(FLAT + light(centres, 40.0)).astype(float)
    recall, precision = recall_and_precision(centres, count_spots(image, PIXEL, SPOT))
    assert recall == pytest.approx(found, abs=0.03)
    assert precision > 0.97


@pytest.mark.parametrize("photons", [0.0, 0.003, 0.01, 0.1, 1.0, 20.0, 1000.0])
def test_an_empty_image_gives_about_nothing(photons):
    images = [np.random.default_rng(seed).poisson(photons, (1000, 1000)).astype(float) for seed in range(4)]
    spots, area = false_spots(images, PIXEL, SPOT)
    assert spots <= 2
    assert area == pytest.approx(1.0)


def test_an_empty_uneven_image_and_a_half_dark_one():
    rng = np.random.default_rng(7)
    assert len(count_spots(rng.poisson(UNEVEN).astype(float), PIXEL, SPOT)) == 0
    half = rng.poisson(FLAT).astype(float)
    half[:, :300] = 0.0
    edge = count_spots(half, PIXEL, SPOT)
    assert (abs(edge["x_um"] - 300 * PIXEL) < 3 * SPOT).all(), "only the cut itself may look like something"


def test_single_photons_are_no_cells_but_many_are():
    rng = np.random.default_rng(8)
    centres = rng.uniform(20.0, 580.0, (20, 2))
    image = rng.poisson(0.01 + light(centres, 2.0)).astype(float)
    recall, precision = recall_and_precision(centres, count_spots(image, PIXEL, SPOT))
    assert recall >= 0.9
    assert precision >= 0.95


def test_threshold_and_order():
    image, _ = scene(0, 60, 20.0, FLAT)
    table = count_spots(image, PIXEL, SPOT, threshold=8.0)
    assert (table["snr"] >= 8.0).all()
    assert (np.diff(table["intensity"]) <= 0.0).all()


@pytest.mark.parametrize("height", [8.0, 12.0])
def test_planted_spots_are_found_as_often_as_real_ones(height):
    empty = np.random.default_rng(9).poisson(FLAT).astype(float)
    planted = detection_probability(empty, PIXEL, SPOT, height, photons_per_unit=1.0)
    recall, _ = over_scenes(30, height, FLAT, scenes=8)
    low, high = planted.interval
    assert low - 0.03 < recall < high + 0.03
    assert planted.planted == 200


def test_spots_that_are_there_are_not_counted_as_planted():
    image, _ = scene(3, 60, 200.0, FLAT)
    assert detection_probability(image, PIXEL, SPOT, 0.01).found <= 2
    assert detection_probability(image, PIXEL, SPOT, [60.0, 80.0], planted=50).found >= 48


def test_interval_of_what_was_found():
    none, all_of_them = Detection(0, 100), Detection(100, 100)
    assert none.interval[1] == pytest.approx(1.0 - all_of_them.interval[0])
    assert none.interval[1] < 0.04
    low, high = Detection(50, 100).interval
    assert low < Detection(50, 100).probability == 0.5 < high
    rng = np.random.default_rng(6)
    held = [a < 0.8 < b for a, b in (Detection(k, 100).interval for k in rng.binomial(100, 0.8, 500))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(
    ("image", "spot", "said"),
    [
        (np.zeros((3, 4, 5)), SPOT, "has two dimensions, this one 3"),
        (np.full((40, 40), np.nan), SPOT, "pixels that are not finite"),
        (np.zeros((40, 40)), 0.5, "a spot of 0.5 um covers fewer than 2 pixels of 0.5 um"),
    ],
)
def test_images_that_cannot_be_counted(image, spot, said):
    with pytest.raises(AssayError, match=said):
        count_spots(image, PIXEL, spot)


def test_no_room_to_plant():
    with pytest.raises(AssayError, match="no room for a planted spot"):
        detection_probability(np.zeros((12, 12)), PIXEL, SPOT, 5.0)


def test_pixels_of_an_ome_tiff(tmp_path):
    path = tmp_path / "section.ome.tif"
    pixels = {"axes": "YX", "PhysicalSizeX": 0.325, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 325.0,
              "PhysicalSizeYUnit": "nm"}  # fmt: skip
    tifffile.imwrite(path, np.arange(48, dtype=np.uint16).reshape(6, 8), ome=True, metadata=pixels)
    section = read_section(path)
    assert section.um_per_pixel == pytest.approx(0.325)
    np.testing.assert_array_equal(section.image, np.arange(48.0).reshape(6, 8))


@pytest.mark.parametrize(
    ("how", "um"),
    [
        ({"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}, 0.5),
        ({"resolution": (25400, 25400), "resolutionunit": "INCH"}, 1.0),
        ({"imagej": True, "resolution": (2.0, 2.0), "metadata": {"unit": "um"}}, 0.5),
        ({"imagej": True, "resolution": (2.0, 2.0), "metadata": {"unit": "\\u00B5m"}}, 0.5),
        ({}, None),
    ],
)
def test_pixels_of_a_plain_tiff(tmp_path, how, um):
    path = tmp_path / "section.tif"
    tifffile.imwrite(path, np.zeros((6, 8), np.uint16), **how)
    assert read_section(path).um_per_pixel == (um if um is None else pytest.approx(um, rel=1e-4))


def test_pages_and_files_that_are_no_section(tmp_path):
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, np.arange(96, dtype=np.uint16).reshape(2, 6, 8), photometric="minisblack")
    assert read_section(path, page=1).image[0, 0] == 48.0
    with pytest.raises(AssayError, match="there is no page 2; the file has 2"):
        read_section(path, page=2)
    with pytest.raises(AssayError, match="there is no such file"):
        read_section(tmp_path / "none.tif")
    (tmp_path / "text.tif").write_text("no image")
    with pytest.raises(AssayError, match="not readable as TIFF"):
        read_section(tmp_path / "text.tif")
    tifffile.imwrite(tmp_path / "colour.tif", np.zeros((6, 8, 3), np.uint8), photometric="rgb")
    with pytest.raises(AssayError, match="save one grey channel per page"):
        read_section(tmp_path / "colour.tif")
    tifffile.imwrite(tmp_path / "oblong.tif", np.zeros((6, 8), np.uint8), resolution=(100, 200), resolutionunit="INCH")
    with pytest.raises(AssayError, match="save the image with square pixels"):
        read_section(tmp_path / "oblong.tif")


def test_without_the_extra_a_sentence_tells_how_to_get_it(monkeypatch, tmp_path):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"skimage is not installed.*pip install 'pbpk\[sections\]'"):
        count_spots(np.zeros((40, 40)), PIXEL, SPOT)
    with pytest.raises(InputError, match="tifffile is not installed"):
        read_section(tmp_path / "section.tif")
