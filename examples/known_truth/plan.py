"""What is run: worlds by name and seed, each a job whose tables are kept when it is done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from examples.known_truth.chain import Effort, measure_world
from examples.known_truth.check import check
from examples.known_truth.collect import collect_selection, collect_world
from examples.known_truth.documents import Amounts
from examples.known_truth.selection import Pool, make_pool, mix_arms, select_and_train
from examples.known_truth.words import FIRST, HUB, SECOND
from examples.known_truth.world import WorldSettings, make_world

MAIN, SELECTION = "main", "selection"
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Scale:
    """How large the experiment is.

    Attributes:
        seeds: Each a world of its own: other clones, another draw of the arms, other weights.
        words: Of the vocabulary.
        worlds: Amounts by name; ``main`` is the one that every question but the share of the hub is asked in.
        effort: How much is trained and measured.
        pool: How documents are selected; None where none are.
        pool_amounts: Amounts of the world that is selected in.
        model: What differs from `MODEL`.
    """

    seeds: tuple[int, ...]
    words: int
    worlds: Mapping[str, Amounts]
    effort: Effort
    pool: Pool | None = field(default_factory=Pool)
    pool_amounts: Amounts = field(default_factory=Amounts)
    model: Mapping[str, Any] = field(default_factory=dict)


FULL = Scale(
    seeds=(201, 202, 203, 204),
    words=1200,
    worlds={
        MAIN: Amounts(alone={HUB: 4}),
        "hub-half": Amounts(alone={HUB: 2, FIRST: 1, SECOND: 1}),
        "hub-quarter": Amounts(alone={FIRST: 2, SECOND: 2}),
    },
    effort=Effort(),
)
"""What the page reports."""

QUICK = Scale(
    seeds=(1,),
    words=FULL.words,
    worlds={MAIN: FULL.worlds[MAIN]},
    effort=Effort(checkpoints=(1_200_000, 2_400_000), shot_sets=1, lens_tokens=20_000),
)
"""One seed, without the worlds of the hub's share: a world of fewer words learns no transfer in its fewer tokens."""


@dataclass(frozen=True)
class Job:
    """A world at a seed.

    Attributes:
        world: Its name in the scale, or ``selection``.
        seed: Its seed.
        scale: The scale.
        run: Folder of worlds and run folders.
        results: Folder of the tables that are kept.
    """

    world: str
    seed: int
    scale: Scale
    run: Path
    results: Path

    @property
    def kept(self) -> Path:
        """Where its tables are."""
        return self.results / f"{self.world}-{self.seed}"

    def settings(self) -> bytes:
        """Return what its tables follow from, beside the code."""
        named = {"world": self.world, "seed": self.seed, "words": self.scale.words, "model": dict(self.scale.model)}
        if self.world == SELECTION:
            of_world = {"amounts": asdict(self.scale.pool_amounts), "pool": self.scale.pool and asdict(self.scale.pool)}
        else:
            of_world = {"amounts": asdict(self.scale.worlds[self.world])}
        return orjson.dumps(named | of_world | {"effort": asdict(self.scale.effort)}, option=orjson.OPT_INDENT_2)

    def is_done(self) -> bool:
        """Tell whether its tables are there and follow from the same settings."""
        path = self.kept / SETTINGS
        return path.is_file() and path.read_bytes() == self.settings()

    def do(self) -> str:
        """Do it, but for what is there; return what to say of it."""
        if self.is_done():
            return f"{self.kept.name} is there"
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        tables = self._selection() if self.world == SELECTION else self._world()
        self._keep(tables)
        return f"{self.kept.name} is done"

    def _world(self) -> dict[str, pa.Table]:
        scale, folder = self.scale, self.run / f"{self.world}-{self.seed}"
        settings = WorldSettings(self.seed, scale.words, scale.worlds[self.world], scale.model)
        world = _made(folder / "world", lambda path: make_world(settings, path))
        whole = self.world == MAIN
        measure_world(world, folder / "run", scale.effort, self.seed, whole=whole).run()
        tables = collect_world(world, folder / "run", scale.effort, whole=whole)
        if whole:
            tables["check"] = pa.Table.from_pylist([check(world, folder / "run")])
        return tables

    def _selection(self) -> dict[str, pa.Table]:
        scale, folder = self.scale, self.run / f"{self.world}-{self.seed}"
        pool = scale.pool or Pool()
        settings = WorldSettings(self.seed, scale.words, scale.pool_amounts, scale.model)
        world = _made(folder / "world", lambda path: make_pool(settings, pool, path))
        chains = select_and_train(world, folder / "run", pool, scale.effort, self.seed)
        for chain in chains[:-1]:
            chain.run()
        mix_arms(world, folder / "run")
        chains[-1].run()
        return collect_selection(world, chains)

    def _keep(self, tables: Mapping[str, pa.Table]) -> None:
        """Write the tables; the settings come last, so that they stand for a whole result."""
        partial = self.kept.with_name(f"{self.kept.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, table in tables.items():
            pq.write_table(table, partial / f"{name}.parquet", compression="zstd")
        (partial / SETTINGS).write_bytes(self.settings())
        shutil.rmtree(self.kept, ignore_errors=True)
        partial.rename(self.kept)


def _made(folder: Path, make: Callable[[Path], Path]) -> Path:
    """Return a world, made where it is not there whole."""
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        make(partial).rename(folder)
    return folder


def jobs(scale: Scale, seeds: Sequence[int], run: Path, results: Path) -> list[Job]:
    """Return every job of a scale, seed by seed."""
    names = [*scale.worlds, *([SELECTION] if scale.pool else [])]
    return [Job(name, seed, scale, run.resolve(), results.resolve()) for seed in seeds for name in names]
