"""The groups of settings, each field documented where it stands; `orbwatch.settings` reads them from everywhere.

The docstring under a field is its help: on the command line, in the documentation, in error messages.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from orbwatch.errors import InputError

NOT_HASHED = "not hashed"
"""Marks a field that changes how a result is made or shown, but not its numbers."""


class Range(NamedTuple):
    """Legal values of a number, as annotated-types' Interval says it; importing that takes longer than all of this."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return handler(source) | {bound: limit for bound, limit in self._asdict().items() if limit is not None}


Radius = Annotated[float, Range(gt=0.0, le=1000.0)]
HalfSide = Annotated[float, Range(gt=0.0, le=5000.0)]
Probability = Annotated[float, Range(gt=0.0, lt=1.0)]


@dataclass(frozen=True)
class ScreenSettings:
    """What counts as a close approach."""

    threshold_km: Annotated[float, Range(gt=0.0, le=500.0)] = 5.0
    """Report approaches whose miss distance is below this, km."""
    hours: Annotated[float, Range(gt=0.0, le=720.0)] = 24.0
    """Length of the screened window, hours."""
    max_age_day: Annotated[float, Range(gt=0.0, le=3650.0)] = 30.0
    """Element sets older than this at the start of the window, days, are left out: their forecast says nothing."""
    box_rtn_km: tuple[HalfSide, HalfSide, HalfSide] | None = None
    """Half sides of a radial, along-track, cross-track box around the first object, km, instead of the sphere."""
    reach_km: Annotated[float, Range(ge=0.0, le=500.0)] = 0.0
    """`assess` looks this far, km, where that is beyond the threshold, and keeps of what lies between them all that may
    collide: approaches with a collision inside the 99 % ellipsoid of the relative position."""
    threads: Annotated[int, Range(ge=1, le=256), NOT_HASHED] = 2
    """Processor threads to compute with; results do not depend on it."""

    def __post_init__(self) -> None:
        if self.reach_km and self.box_rtn_km is not None:
            hint = "The box says by itself what is looked at"
            raise InputError("no reach beside a box", field="screen.reach_km", value=self.reach_km, hint=hint)


@dataclass(frozen=True)
class RiskSettings:
    """When an approach becomes an event, and how large an object is when nobody has said."""

    pc_alert: Probability = 1e-4
    """Probability of collision from which an event is an alert (exit code 3 of `assess`). 1e-4 is the usual maneuver
    threshold (NASA Conjunction Assessment Handbook, NASA/SP-20230002470, 2023)."""
    pc_watch: Probability = 1e-7
    """Probability of collision from which an event is watched; below it, it is only listed. 1e-7 is NASA CARA's yellow
    threshold."""
    critical_factor: Annotated[float, Range(ge=1.0, le=1e4), NOT_HASHED] = 10.0
    """Messages: critical from this many times risk.pc_alert."""
    close_km: Annotated[float, Range(gt=0.0, le=50.0), NOT_HASHED] = 0.2
    """Messages that give no probability: final misses below this, km, are close, and their chance is the risk."""
    close_watch: Annotated[Probability, NOT_HASHED] = 0.01
    """Chance of a close miss from which such a message is of medium risk."""
    close_alert: Annotated[Probability, NOT_HASHED] = 0.1
    """Chance of a close miss from which it is of high risk."""
    close_critical: Annotated[Probability, NOT_HASHED] = 0.5
    """Chance of a close miss from which it is critical."""
    hold_factor: Annotated[float, Range(ge=1.0, le=1000.0), NOT_HASHED] = 3.0
    """An event leaves a category only when its risk is below the category's threshold by this factor ..."""
    hold_messages: Annotated[int, Range(ge=1, le=20), NOT_HASHED] = 2
    """... in this many messages one after another, so that alerts do not flicker. It rises at once."""
    hbr_table: Path | None = None
    """Hard-body radii and masses of objects: a CSV file with the columns ObjectID, HBR, HBRSource, Mass (NASA CARA's
    format; plain, xz or gz). The settings risk.hbr_*_m serve the objects that it leaves out."""
    satcat: Path | None = None
    """Names and types of objects: a satellite catalogue in CSV with the columns NORAD_CAT_ID, OBJECT_NAME, OBJECT_TYPE
    (CelesTrak's satcat.csv; plain, xz or gz). TLE files carry neither."""
    hbr_payload_m: Radius = 5.0
    """Hard-body radius assumed for a payload, m."""
    hbr_rocket_body_m: Radius = 5.0
    """Hard-body radius assumed for a rocket body, m."""
    hbr_debris_m: Radius = 1.1
    """Hard-body radius assumed for a piece of debris, m."""
    hbr_unknown_m: Radius = 5.0
    """Hard-body radius assumed for an object of unknown type, m."""

    def __post_init__(self) -> None:
        if self.pc_watch > self.pc_alert:
            legal = f"at most risk.pc_alert = {self.pc_alert:g}"
            raise InputError("watched only above the alert", field="risk.pc_watch", value=self.pc_watch, legal=legal)
        if not self.close_watch <= self.close_alert <= self.close_critical:
            legal = f"from risk.close_watch = {self.close_watch:g} to risk.close_critical = {self.close_critical:g}"
            raise InputError("out of order", field="risk.close_alert", value=self.close_alert, legal=legal)


@dataclass(frozen=True)
class StoreSettings:
    """Where results are kept."""

    url: str | None = None
    """SQLAlchemy URL of the store, or the path of an SQLite file; without it, orbwatch.db in the data folder."""

    def resolved_url(self) -> str:
        """As a URL: the one given, that of the file given, or that of the file in the data folder."""
        place = self.url or str(data_folder() / "orbwatch.db")
        return place if "://" in place else f"sqlite:///{place}"


@dataclass(frozen=True)
class SourceSettings:
    """How public catalogues are fetched: politely, and never twice without need."""

    celestrak_group: str = "active"
    """CelesTrak group to fetch, e.g. active, stations, starlink."""
    celestrak_url: str = "https://celestrak.org"
    """Base address of CelesTrak."""
    spacetrack_url: str = "https://www.space-track.org"
    """Base address of Space-Track; the login comes from ORBWATCH_SPACETRACK_USER and ORBWATCH_SPACETRACK_PASSWORD."""
    min_interval_s: Annotated[float, Range(ge=7200.0, le=31_536_000.0)] = 7200.0
    """Seconds before the same address is asked again, after a failure too. CelesTrak's data change every two hours."""
    timeout_s: Annotated[float, Range(gt=0.0, le=600.0)] = 60.0
    """Seconds without an answer after which a request is given up."""
    celestrak_per_hour: Annotated[int, Range(ge=1, le=100)] = 20
    """Most requests to CelesTrak in any hour."""
    spacetrack_per_minute: Annotated[int, Range(ge=1, lt=30)] = 20
    """Most requests to Space-Track in any minute; its rules say fewer than 30."""
    spacetrack_per_hour: Annotated[int, Range(ge=1, lt=300)] = 200
    """Most requests to Space-Track in any hour; its rules say fewer than 300."""
    cache_dir: Path | None = None
    """Folder of fetched files; without it, `cache` in the data folder."""
    user_agent: str = "orbwatch (open-source space domain awareness)"
    """How requests introduce themselves."""

    def resolved_cache_dir(self) -> Path:
        """The cache folder, or the one in the data folder."""
        return self.cache_dir or data_folder() / "cache"


@dataclass(frozen=True)
class ReportSettings:
    """What the report shows."""

    top_events: Annotated[int, Range(ge=0, le=500)] = 25
    """Number of events shown with plots."""


@dataclass(frozen=True)
class DatasetSettings:
    """Simulated truth and sensors of a training set of tracks."""

    objects: Annotated[int, Range(ge=4, le=1_000_000)] = 1000
    """Simulated objects, shared out over the regimes LEO, MEO, GEO and HEO as 40, 20, 20 and 20 %."""
    hours: Annotated[float, Range(ge=0.9, le=240.0)] = 24.0
    """Length of each object's series, hours."""
    step: Annotated[float, Range(ge=1.0, le=600.0)] = 60.0
    """Seconds from one position to the next."""
    seed: Annotated[int, Range(ge=0, le=2**31 - 1)] = 1
    """Seed of everything drawn: orbits, burns, sensors, splits."""
    catalog: Path | None = None
    """Element sets to take the orbits from; without it, a simulated population."""
    degree: Annotated[int, Range(ge=2, le=70)] = 8
    """Degree and order of the EGM2008 field that moves the truth."""
    sigma_min_m: Annotated[float, Range(gt=0.0, le=100_000.0)] = 10.0
    """Least noise of a sensor, m, one standard deviation an axis; drawn log-uniformly for each object."""
    sigma_max_m: Annotated[float, Range(gt=0.0, le=100_000.0)] = 500.0
    """Most noise of a sensor, m, one standard deviation an axis."""
    burn_share: Annotated[float, Range(ge=0.0, le=1.0)] = 0.3
    """Share of objects that maneuver."""
    burn_interval_min: Annotated[float, Range(ge=1.0, le=100_000.0)] = 120.0
    """Mean minutes from one burn of such an object to the next."""
    burn_min_m_s: Annotated[float, Range(gt=0.0, le=10_000.0)] = 0.01
    """Least size of a burn, m/s; drawn log-uniformly, in a random direction, for up to five minutes."""
    burn_max_m_s: Annotated[float, Range(gt=0.0, le=10_000.0)] = 100.0
    """Most size of a burn, m/s."""
    dropout: Annotated[float, Range(ge=0.0, le=0.9)] = 0.02
    """Chance that a single position is missing."""
    workers: Annotated[int, Range(ge=1, le=256), NOT_HASHED] = 2
    """Processes that simulate; the bytes written do not depend on it."""

    def __post_init__(self) -> None:
        for low, high in (("sigma_min_m", "sigma_max_m"), ("burn_min_m_s", "burn_max_m_s")):
            if getattr(self, low) > getattr(self, high):
                legal = f"at most dataset.{high} = {getattr(self, high):g}"
                raise InputError("least above most", field=f"dataset.{low}", value=getattr(self, low), legal=legal)


Share = Annotated[float, Range(ge=0.0, le=1.0)]


@dataclass(frozen=True)
class AskSettings:
    """Askings of a history of element sets, to train the catalogue's forecaster on."""

    train_share: Annotated[float, Range(gt=0.0, lt=1.0)] = 0.78
    """Share of the history's time that is trained on, truth included; what is later is for judging."""
    step_day: Annotated[float, Range(gt=0.0, le=100.0)] = 0.6
    """Days from one asking of an object to the next, on average."""
    step_low_day: Annotated[float, Range(gt=0.0, le=100.0)] = 2.0
    """The same for objects below 600 km, where constellations crowd."""
    stale: Share = 0.08
    """Share of the askings whose newest sets are hidden, up to 20 days of them: objects not seen for long."""
    short: Share = 0.08
    """Share of the askings that see but a few sets: objects without a past."""
    objects: Annotated[int, Range(ge=0)] = 0
    """Use this many objects only, drawn at random; 0: all."""
    seed: Annotated[int, Range(ge=0, le=2**31 - 1)] = 1
    """Seed of everything drawn: times, splits, what is hidden."""


@dataclass(frozen=True)
class LifeSettings:
    """Simulated lives of objects that maneuver, laid over real quiet histories."""

    objects: Annotated[int, Range(ge=24)] = 3000
    """Histories to make; one quiet object can live several lives."""
    geo_share: Share = 0.14
    """Share of them in geostationary orbits."""
    high_share: Share = 0.10
    """Share of them in medium and eccentric orbits; the others are in low ones."""
    lives: Annotated[int, Range(ge=1, le=60)] = 6
    """Most lives of one quiet object."""
    spacing_min_day: Annotated[float, Range(gt=0.0, le=30.0)] = 0.2
    """Closest spacing of the sets, days; histories are thinned to one drawn between this and the next."""
    spacing_max_day: Annotated[float, Range(gt=0.0, le=30.0)] = 2.0
    """Widest spacing of the sets, days; histories that are wider by themselves stay as they are."""
    windows: Annotated[int, Range(ge=0, le=1000)] = 6
    """Windows of 30 to 90 days of each history that get a pattern."""
    seed: Annotated[int, Range(ge=0, le=2**31 - 1)] = 1
    """Seed of everything drawn: objects, patterns, burns, splits."""

    def __post_init__(self) -> None:
        if self.geo_share + self.high_share > 1.0:
            what = "the shares of the regimes exceed the whole"
            raise InputError(what, field="life.high_share", value=self.high_share, legal=f"{1.0 - self.geo_share:g}")


@dataclass(frozen=True)
class BoostSettings:
    """How the trees that time objects along their orbits are grown."""

    regime_objects: Annotated[int, Range(ge=1)] = 4000
    """Most training objects of a regime; those of crowded orbits are drawn more rarely."""
    least_objects: Annotated[int, Range(ge=1)] = 20
    """Regimes with fewer training objects get no trees."""
    askings: Annotated[int, Range(ge=1)] = 60_000
    """Askings of a regime, evenly over its objects."""
    far_askings: Annotated[int, Range(ge=1)] = 80_000
    """The same in medium and geostationary orbits, where there are few objects, each with ways of its own."""
    horizons: Annotated[int, Range(ge=1, le=30)] = 5
    """Horizons of an asking that become rows, drawn at random."""
    trees: Annotated[int, Range(ge=1, le=2000)] = 160
    """Trees of each model."""
    far_trees: Annotated[int, Range(ge=1, le=2000)] = 250
    """The same in medium and geostationary orbits."""
    beside_trees: Annotated[int, Range(ge=1, le=2000)] = 100
    """The same for the distances beside the orbit."""
    leaves: Annotated[int, Range(ge=2, le=256)] = 24
    """Leaves of each tree."""
    least: Annotated[int, Range(ge=1)] = 150
    """Fewest rows in a leaf."""
    rate: Annotated[float, Range(gt=0.0, le=1.0)] = 0.07
    """Learning rate."""
    features: Annotated[float, Range(gt=0.0, le=1.0)] = 0.4
    """Share of the columns that each split may choose from."""


@dataclass(frozen=True)
class DetectorSettings:
    """How the trees that find maneuvers are grown."""

    detector_models: Annotated[int, Range(ge=1, le=9)] = 2
    """Models that are averaged."""
    detector_trees: Annotated[int, Range(ge=1, le=2000)] = 150
    """Trees of each model."""
    detector_leaves: Annotated[int, Range(ge=2, le=256)] = 12
    """Leaves of each tree."""
    detector_least: Annotated[int, Range(ge=1)] = 15
    """Fewest gaps in a leaf."""
    detector_rate: Annotated[float, Range(gt=0.0, le=1.0)] = 0.08
    """Learning rate."""
    detector_features: Annotated[float, Range(gt=0.0, le=1.0)] = 0.3
    """Share of the columns that each split may choose from."""
    detector_shrink: Annotated[float, Range(ge=0.0)] = 5.0
    """L2 penalty on the leaves."""
    simulated_weight: Annotated[float, Range(ge=0.0)] = 0.7
    """What simulated gaps weigh in all, against the real ones."""
    quiet_weight: Annotated[float, Range(ge=0.0)] = 0.5
    """What gaps of objects that cannot maneuver weigh in all, against those of real satellites."""
    quiet_share: Annotated[float, Range(gt=0.0, le=0.25)] = 0.1
    """Share of the simulated gaps in which nothing happens that is learnt from, and four times that of the gaps of
    objects that cannot maneuver; they weigh as all of them."""


@dataclass(frozen=True)
class NetworkSettings:
    """Size of the trajectory transformer."""

    width: Annotated[int, Range(ge=8, le=512)] = 64
    """Numbers that represent one step."""
    heads: Annotated[int, Range(ge=1, le=32)] = 4
    """Attention heads; they divide the width."""
    layers: Annotated[int, Range(ge=1, le=12)] = 2
    """Encoder layers over the history."""
    feedforward: Annotated[int, Range(ge=8, le=2048)] = 128
    """Width of the layer between."""
    dropout: Annotated[float, Range(ge=0.0, lt=1.0)] = 0.1
    """Dropout before the heads, where Monte Carlo dropout needs it; none elsewhere, it costs half the speed."""
    uncertainty_features: bool = True
    """Use the four features of the uncertainty group (24 features); without them, 20."""

    def __post_init__(self) -> None:
        if self.width % self.heads:
            legal = f"a divisor of network.width = {self.width}"
            raise InputError("heads do not divide the width", field="network.heads", value=self.heads, legal=legal)


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained."""

    epochs: Annotated[int, Range(ge=1, le=10_000)] = 20
    """Passes over the training windows."""
    batch: Annotated[int, Range(ge=1, le=65_536)] = 512
    """Windows in one step."""
    windows: Annotated[int, Range(ge=0)] = 0
    """Train on this many windows only, drawn at random from the training objects; 0: all of them."""
    burn_repeat: Annotated[int, Range(ge=1, le=100)] = 4
    """Times that a window with a burn in its history counts: they are one in twenty, and hard."""
    bootstrap: bool = False
    """Draw the training objects with replacement, as for a member of an ensemble."""
    learning_rate: Annotated[float, Range(gt=0.0, le=1.0)] = 2e-3
    """Peak learning rate of AdamW; it warms up linearly and falls as a cosine."""
    warmup: Share = 0.03
    """Share of the steps that the warm-up takes."""
    weight_decay: Annotated[float, Range(ge=0.0, le=1.0)] = 0.01
    """Weight decay of AdamW; none on biases and norms."""
    clip: Annotated[float, Range(gt=0.0)] = 1.0
    """Greatest norm of the gradient."""
    ema: Annotated[float, Range(ge=0.0, lt=1.0)] = 0.999
    """Decay of the moving average of the weights that is evaluated and shipped; 0: none."""
    loss: Literal["nll", "beta-nll", "student", "crps", "energy", "huber"] = "beta-nll"
    """Loss of the position residual."""
    beta: Share = 0.5
    """Exponent of beta-NLL (Seitzer et al. 2022); used by beta-nll only."""
    physics: Annotated[float, Range(ge=0.0)] = 0.01
    """Weight of the physics-consistency loss."""
    horizons: Annotated[int, Range(ge=1, le=30)] = 8
    """Horizons drawn anew for each training batch, of the 30; validation uses all."""
    augment: Share = 0.3
    """Share of the training windows that are augmented."""
    augmentations: str = "noise,rotation,velocity,shift,dropout,mixup"
    """Augmentations in use, by name, separated by commas."""
    patience: Annotated[int, Range(ge=1)] = 10
    """Epochs without a better validation loss after which training stops."""
    checkpoint_steps: Annotated[int, Range(ge=1)] = 500
    """Steps from one resumable checkpoint to the next."""
    seed: Annotated[int, Range(ge=0, le=2**31 - 1)] = 1
    """Seed of the weights, the order of the windows and the augmentation."""
    device: Annotated[Literal["auto", "cpu", "cuda"], NOT_HASHED] = "auto"
    """Where to train; auto takes a GPU when there is one."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of the network; auto is bf16 on a GPU that has it and fp32 elsewhere."""
    devices: Annotated[int, Range(ge=1, le=64)] = 1
    """GPUs, or processes on a CPU; above 1 they share out each batch (DDP)."""
    threads: Annotated[int, Range(ge=1, le=256), NOT_HASHED] = 2
    """Processor threads."""


@dataclass(frozen=True)
class ClassifierSettings:
    """The maneuver classifier: its size, and what its training weighs."""

    channels: Annotated[int, Range(ge=8, le=256)] = 48
    """Numbers that the convolutions make of each gap."""
    hidden: Annotated[int, Range(ge=8, le=128)] = 48
    """Numbers that the recurrent layer keeps in each direction; twice as many represent a gap."""
    attention: Annotated[int, Range(ge=1, le=16)] = 4
    """Attention heads; they divide twice the hidden numbers."""
    drop: Annotated[float, Range(ge=0.0, lt=1.0)] = 0.2
    """Dropout before the two heads, where Monte Carlo dropout needs it, and between the layers while training."""
    focus: Annotated[float, Range(ge=0.0, le=5.0)] = 1.0
    """Exponent of the focal loss: 0 is plain cross-entropy."""
    mix: Share = 0.3
    """Share of the training windows that are mixed with one of a like orbit, labels and evidence alike."""
    pattern_weight: Annotated[float, Range(ge=0.0, le=10.0)] = 0.3
    """Weight of the window's pattern beside the gaps' kinds."""

    def __post_init__(self) -> None:
        if 2 * self.hidden % self.attention:
            legal = f"a divisor of {2 * self.hidden}"
            raise InputError("heads do not divide", field="classifier.attention", value=self.attention, legal=legal)


@dataclass(frozen=True)
class PredictorSettings:
    """The collision predictor: its size, and what it is trained on."""

    width: Annotated[int, Range(ge=8, le=512)] = 104
    """Numbers in each hidden layer, for where."""
    timing_width: Annotated[int, Range(ge=8, le=512)] = 72
    """The same for when."""
    layers: Annotated[int, Range(ge=1, le=6)] = 3
    """Hidden layers; all but the first add to what they are given."""
    components: Annotated[int, Range(ge=1, le=8)] = 3
    """Gaussians that the answer is a mixture of."""
    least_lead_day: Annotated[float, Range(ge=0.0, le=7.0)] = 0.3
    """Predictions made later than this before TCA teach nothing."""


@dataclass(frozen=True)
class ScreenedSettings:
    """A history of element sets screened day by day: predicted approaches to train the collision predictor on."""

    days: Annotated[int, Range(ge=0)] = 0
    """Midnights to screen at, the last ones of the history; 0: all but its first ten."""
    objects: Annotated[int, Range(ge=0)] = 0
    """Use this many objects only, drawn at random; 0: all."""
    passive: bool = True
    """Only what cannot maneuver: debris and rocket bodies by name, payloads without an engine."""
    threads: Annotated[int, Range(ge=1, le=64)] = 2
    """Processor threads."""
    seed: Annotated[int, Range(ge=0, le=2**31 - 1)] = 1
    """Seed of the choice of objects."""


def data_folder() -> Path:
    """The folder of the store and the cache: ORBWATCH_HOME, or the platform's place for user data."""
    home = os.environ.get("ORBWATCH_HOME")
    if home:
        return Path(home).expanduser()
    import platformdirs

    return platformdirs.user_data_path("orbwatch", appauthor=False)
