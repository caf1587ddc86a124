"""Labelled spots in a time-gated image of a tissue section: where they are, how many are missed, how many are false.

A Laplacian of Gaussian of the spot's size does not see a background that is flat or slopes; its median absolute
deviation, tile by tile, is the noise, which few spots do not move. A spot is a local maximum far above that noise.
Where most pixels are dark single photons are the noise, and the tail of their number is longer than a Gaussian's.
"""

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, stats

from pbpk.assay.light.trace import Array
from pbpk.errors import AssayError, InputError

THRESHOLD = 6.0  # times the noise: about one false spot in 10^7 pixels of Poisson light (measured by the tests)
FWHM = math.sqrt(8.0 * math.log(2.0))  # full width at half maximum of a Gaussian, in its SDs
MAD = 1.4826  # SD of a normal number over its median absolute deviation
TILE = 12.0  # side of a tile in spots: wide enough that a clump does not pass for noise
SMALLEST = 2.0  # pixels across a spot, below which noise looks like one
APART = 6.0  # spots between planted ones, so that none changes another's background
LEVEL = 0.95

UM = {"µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "\\u00B5m": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4}
UM_PER_TIFF_UNIT = {2: 25400.0, 3: 10000.0}  # inch and centimetre; 1 says that there is no unit


@dataclass(frozen=True)
class Section:
    """One image, (y, x) as it is in the file, and the side of its pixels [um] where the file says it."""

    image: Array
    um_per_pixel: float | None


@dataclass(frozen=True)
class Detection:
    """How many planted spots were found, and what that says: Beta posterior under Jeffreys' prior."""

    found: int
    planted: int

    @property
    def probability(self) -> float:
        """Mean of the posterior."""
        return (self.found + 0.5) / (self.planted + 1.0)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the posterior."""
        posterior = stats.beta(self.found + 0.5, self.planted - self.found + 0.5)
        return float(posterior.ppf(0.5 - LEVEL / 2)), float(posterior.ppf(0.5 + LEVEL / 2))


def read_section(path: str | Path, page: int = 0) -> Section:
    """Read one page of a TIFF or OME-TIFF.

    Raises
    ------
    InputError
        if the extra `sections` is not installed, or the file is not such an image
    """
    tifffile = _needed("tifffile")
    path = Path(path)
    if not path.is_file():
        raise AssayError(f"{path}: there is no such file.")
    try:
        with tifffile.TiffFile(path) as file:
            if not 0 <= page < len(file.pages):
                raise AssayError(f"{path}: there is no page {page}; the file has {len(file.pages)}, from 0 on.")
            image = np.squeeze(np.asarray(file.pages[page].asarray(), float))
            sides = _ome_sides(file.ome_metadata) or _tag_sides(file.pages[page].tags, file.imagej_metadata or {})
    except tifffile.TiffFileError as problem:
        raise AssayError(f"{path}: not readable as TIFF: {problem}.") from None
    if image.ndim != 2:
        raise AssayError(f"{path}: page {page} has the shape {image.shape}; save one grey channel per page.")
    if sides and abs(sides[0] / sides[1] - 1.0) > 0.01:
        raise AssayError(f"{path}: pixels are {sides[0]:g} by {sides[1]:g} um; save the image with square pixels.")
    return Section(image, sides[0] if sides else None)


def count_spots(image: ArrayLike, um_per_pixel: float, spot_um: float, *, threshold: float = THRESHOLD) -> pd.DataFrame:
    """Spots of one size in an image (y, x), brightest first.

    spot_um : full width at half maximum of a spot [um]; threshold : least height over noise

    Returns x_um, y_um from the first pixel's centre [um], intensity: height of a Gaussian spot above its surroundings
    [unit of the image], snr: the same over its noise.

    Raises
    ------
    AssayError
        if the image is not two-dimensional and finite, or its pixels are too coarse for the spots
    InputError
        if the extra `sections` is not installed
    """
    picture, sigma = _picture(image), _sigma(um_per_pixel, spot_um)
    height = spot_height(picture, sigma)
    noise = _noise(picture, height, sigma, threshold)
    snr = np.divide(height, noise, out=np.zeros_like(height), where=noise > 0.0)
    peaks = _needed("skimage.feature").peak_local_max(
        snr, min_distance=max(round(sigma), 1), threshold_abs=threshold, exclude_border=False
    )
    y, x = peaks[:, 0], peaks[:, 1]
    table = pd.DataFrame({
        "x_um": x * um_per_pixel, "y_um": y * um_per_pixel, "intensity": height[y, x], "snr": snr[y, x]
    })  # fmt: skip
    return table.sort_values("intensity", ascending=False, kind="stable").reset_index(drop=True)


def detection_probability(
    image: ArrayLike,
    um_per_pixel: float,
    spot_um: float,
    intensity: ArrayLike,
    *,
    planted: int = 200,
    seed: int = 0,
    threshold: float = THRESHOLD,
    photons_per_unit: float | None = None,
) -> Detection:
    """Share found of spots planted in an image (y, x), away from spots that are there already.

    intensity : (spot) heights to draw from, as `count_spots` gives them of labelled cells
    photons_per_unit : photons that one unit of the image stands for, to give planted light its own noise; none if None

    Raises
    ------
    AssayError
        as `count_spots`, or if the image has no room for a spot
    """
    picture, sigma = _picture(image), _sigma(um_per_pixel, spot_um)
    rng = np.random.default_rng(seed)
    heights = rng.choice(np.atleast_1d(np.asarray(intensity, float)), planted)
    before = count_spots(picture, um_per_pixel, spot_um, threshold=threshold)
    taken = before[["y_um", "x_um"]].to_numpy(float) / um_per_pixel
    found = done = 0
    while done < planted:
        places = _places(picture.shape, taken, sigma, planted - done, rng)
        light = _planted(picture.shape, places, heights[done : done + len(places)], sigma)
        if photons_per_unit is not None:
            light = rng.poisson(light * photons_per_unit) / photons_per_unit
        after = count_spots(picture + light, um_per_pixel, spot_um, threshold=threshold)
        seen = after[["y_um", "x_um"]].to_numpy(float) / um_per_pixel
        apart = np.linalg.norm(places[:, np.newaxis] - seen[np.newaxis], axis=2)
        found += int((apart.min(axis=1, initial=np.inf) <= FWHM * sigma / 2.0).sum())
        done += len(places)
    return Detection(found, planted)


def false_spots(
    images: Sequence[ArrayLike], um_per_pixel: float, spot_um: float, *, threshold: float = THRESHOLD
) -> tuple[int, float]:
    """Spots in sections without label, and the area looked at [mm2]: what `unlabelled` of study.toml asks for."""
    spots, area = 0, 0.0
    for image in images:
        spots += len(count_spots(image, um_per_pixel, spot_um, threshold=threshold))
        area += np.asarray(image).size * (um_per_pixel / 1000.0) ** 2
    return spots, area


def spot_height(image: Array, sigma: float) -> Array:
    """Height above its surroundings of the Gaussian spot centred at each pixel, (y, x).

    sigma : SD of the spot [pixel]; the filter is scaled so that a spot of height 1 gives 1 at its centre
    """
    return np.asarray(-2.0 * sigma**2 * ndimage.gaussian_laplace(image, sigma, mode="reflect", truncate=6.0))


def _noise(image: Array, height: Array, sigma: float, threshold: float) -> Array:
    """SD of the filtered image away from spots, (y, x): of tiles, and between their centres by interpolation."""
    above = image - image.min()
    photon = float(above[above > 0.0].min()) if above.any() else 0.0
    side = TILE * FWHM * sigma
    edges = [np.linspace(0, n, max(int(n / side), 1) + 1).astype(int) for n in height.shape]
    tiles = np.array([
        [
            _tile_noise(above[top:bottom, left:right], height[top:bottom, left:right], sigma, threshold, photon)
            for left, right in zip(edges[1], edges[1][1:], strict=False)
        ]
        for top, bottom in zip(edges[0], edges[0][1:], strict=False)
    ])  # fmt: skip
    # a tile without any light has no noise of its own, and one faint photon would stand out
    tiles = np.maximum(tiles, 0.5 * float(np.median(tiles)))
    where = [(np.arange(n) + 0.5) / n * len(tile) - 0.5 for n, tile in zip(height.shape, (tiles, tiles.T), strict=True)]
    return np.asarray(ndimage.map_coordinates(tiles, np.meshgrid(*where, indexing="ij"), order=1, mode="nearest"))


def _tile_noise(above: Array, height: Array, sigma: float, threshold: float, photon: float) -> float:
    """SD of one tile, and where most pixels are dark what stands for it in Bernstein's bound on sums of photons."""
    spread = MAD * _deviation(height)
    if np.median(above) > 0.0:
        return spread
    # neighbours differ by noise alone, however the background slopes
    steps = np.concatenate([np.diff(above, axis=axis).ravel() for axis in (0, 1)])
    pixel = float(np.mean(steps**2)) / 2.0 if len(steps) else 0.0
    one = 2.0 / (math.pi * sigma**2)  # what the filter makes of one unit in one pixel; its square sums to the same
    jump = threshold / 6.0 * one * photon
    return max(spread, jump + math.sqrt(jump**2 + one * pixel))


def _deviation(part: Array) -> float:
    """Median absolute deviation."""
    return float(np.median(np.abs(part - np.median(part))))


def _places(shape: tuple[int, ...], taken: Array, sigma: float, most: int, rng: np.random.Generator) -> Array:
    """Centres for planted spots (spot, 2) [pixel], apart from each other and from what is there."""
    step, margin = APART * FWHM * sigma, FWHM * sigma
    axes = [np.arange(rng.uniform(margin, margin + step), n - margin, step) for n in shape]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    grid = rng.permutation(grid)
    if len(taken) and len(grid):
        apart = np.linalg.norm(grid[:, np.newaxis] - taken[np.newaxis], axis=2).min(axis=1)
        grid = grid[apart > 2.0 * FWHM * sigma]
    if not len(grid):
        raise AssayError("the image has no room for a planted spot; give a larger one, or one with fewer spots.")
    return np.asarray(grid[:most])


def _planted(shape: tuple[int, ...], places: Array, heights: Array, sigma: float) -> Array:
    """Light of Gaussian spots, (y, x)."""
    light, reach = np.zeros(shape), math.ceil(5.0 * sigma)
    for (y, x), height in zip(places, heights, strict=True):
        rows = np.arange(max(int(y) - reach, 0), min(int(y) + reach + 1, shape[0]))
        columns = np.arange(max(int(x) - reach, 0), min(int(x) + reach + 1, shape[1]))
        across = np.exp(-0.5 * ((rows[:, np.newaxis] - y) ** 2 + (columns - x) ** 2) / sigma**2)
        light[np.ix_(rows, columns)] += height * across
    return light


def _picture(image: ArrayLike) -> NDArray[np.float64]:
    picture = np.asarray(image, float)
    if picture.ndim != 2 or not picture.size:
        raise AssayError(f"an image of a section has two dimensions, this one {picture.ndim}; give one grey channel.")
    if not np.isfinite(picture).all():
        raise AssayError("the image has pixels that are not finite; fill or cut them away before spots are counted.")
    return picture


def _sigma(um_per_pixel: float, spot_um: float) -> float:
    """SD of a spot [pixel]."""
    if not um_per_pixel > 0.0 or not spot_um / um_per_pixel >= SMALLEST:
        raise AssayError(f"a spot of {spot_um:g} um covers fewer than {SMALLEST:g} pixels of {um_per_pixel:g} um; give "
                         "an image at a higher magnification.")  # fmt: skip
    return spot_um / um_per_pixel / FWHM


def _ome_sides(xml: str | None) -> tuple[float, float] | None:
    """Sides of a pixel (x, y) [um] in the OME description."""
    pixels = ElementTree.fromstring(xml).find(".//{*}Pixels") if xml else None
    if pixels is None or "PhysicalSizeX" not in pixels.attrib or "PhysicalSizeY" not in pixels.attrib:
        return None
    units = [UM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm")) for axis in "XY"]
    if units[0] is None or units[1] is None:
        return None
    return float(pixels.attrib["PhysicalSizeX"]) * units[0], float(pixels.attrib["PhysicalSizeY"]) * units[1]


def _tag_sides(tags: Any, imagej: dict[str, Any]) -> tuple[float, float] | None:
    """Sides of a pixel (x, y) [um] from the resolution tags, whose unit ImageJ writes elsewhere."""
    unit = UM.get(str(imagej.get("unit", ""))) or UM_PER_TIFF_UNIT.get(int(tags.valueof("ResolutionUnit", default=1)))
    ratios = [tags.valueof(name, default=(0, 1)) for name in ("XResolution", "YResolution")]
    if unit is None or not all(top and bottom for top, bottom in ratios):
        return None
    x, y = (unit * bottom / top for top, bottom in ratios)
    return x, y


def _needed(module: str) -> Any:
    """A module of the extra `sections`."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(f"{module.split('.')[0]} is not installed, which counts spots in images of sections; run "
                         "pip install 'pbpk[sections]'.") from None  # fmt: skip
