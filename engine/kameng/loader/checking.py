"""What must hold between modules before anything is built; each check returns its faults and knows nothing of the others."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Protocol

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from kameng.contracts import contract_name
from kameng.errors import Fault, SettingsError
from kameng.graphql.composition_checks import check_schemas
from kameng.loader.discovery import Found
from kameng.settings import SECTIONS, Settings
from kameng.version import VERSION


class Named(Protocol):
    """Something that a module brings under a name of its own."""

    @property
    def name(self) -> str:
        """The name."""
        ...


def check_modules(
    found: Sequence[Found], settings: Settings, switched_off: frozenset[str] = frozenset()
) -> list[Fault]:
    """All faults of a set of modules, in a stable order.

    Args:
        found: the enabled modules.
        settings: the deployment's settings.
        switched_off: entry-point names that are installed but not enabled, to tell "missing" from "disabled".
    """
    return [
        *_names(found),
        *_engine(found),
        *_requirements(found, switched_off),
        *_settings(found, settings),
        *_tables(found),
        *_contracts(found),
        *_handlers(found),
        *check_schemas([(item.package, item.module) for item in found]),
    ]


def _names(found: Sequence[Found]) -> Iterable[Fault]:
    owners: dict[str, list[str]] = {}
    for item in found:
        owners.setdefault(item.module.name, []).append(item.package)
    for name, packages in owners.items():
        if len(packages) > 1:
            yield Fault(
                "duplicate_name",
                " and ".join(packages),
                f"These packages both bring a module named {name!r}.",
                "Keep one: put the other's entry point into [modules] disabled.",
            )


def _fits(version: str, wanted: str) -> bool:
    return SpecifierSet(wanted).contains(Version(version), prereleases=True)


def _range_fault(item: Found, wanted: str, error: Exception) -> Fault:
    return Fault(
        "bad_version",
        item.package,
        f"{wanted!r} cannot be read as a version or a range of versions: {error}.",
        "Write versions and ranges as PEP 440 has them, such as '>=1.2,<2'.",
    )


def _engine(found: Sequence[Found]) -> Iterable[Fault]:
    for item in found:
        try:
            if not _fits(VERSION, item.module.engine):
                yield Fault(
                    "engine_outside_range",
                    item.package,
                    f"Module {item.module.name} works with kameng {item.module.engine}; this is kameng {VERSION}.",
                    f"Install a version of {item.package.split()[0]} made for kameng {VERSION}, or the kameng it asks for.",
                )
        except (InvalidSpecifier, InvalidVersion) as error:
            yield _range_fault(item, item.module.engine, error)


def _requirements(found: Sequence[Found], switched_off: frozenset[str]) -> Iterable[Fault]:
    present = {item.module.name: item.module for item in found}
    for item in found:
        for name, wanted in item.module.requires.items():
            if name not in present:
                disabled = name in switched_off
                yield Fault(
                    "disabled_requirement" if disabled else "missing_requirement",
                    item.package,
                    f"Module {item.module.name} requires module {name!r}, which is "
                    + ("installed but not enabled." if disabled else "not installed."),
                    f"Enable {name!r} in [modules] of kameng.toml."
                    if disabled
                    else f"Install a package that brings {name!r}.",
                )
                continue
            try:
                if not _fits(present[name].version, wanted):
                    yield Fault(
                        "version_outside_range",
                        item.package,
                        f"Module {item.module.name} requires {name} {wanted}; {name} {present[name].version} is installed.",
                        f"Install a version of {name} within {wanted}, or another version of {item.package.split()[0]}.",
                    )
            except (InvalidSpecifier, InvalidVersion) as error:
                yield _range_fault(item, wanted, error)


def _settings(found: Sequence[Found], settings: Settings) -> Iterable[Fault]:
    known = {item.module.name for item in found if item.module.settings}
    for name in settings.unknown_sections(known):
        yield Fault(
            "unknown_settings",
            str(settings.source or "the environment"),
            f"No enabled module owns the section [{name}].",
            f"Sections are: {', '.join(sorted(known | dict(SECTIONS).keys()))}. Enable the module, or take the section out.",
        )
    for item in found:
        if item.module.settings:
            try:
                settings.section(item.module.name, item.module.settings)
            except SettingsError as error:
                yield Fault("unknown_settings", item.package, error.message, error.cure)


def _tables(found: Sequence[Found]) -> Iterable[Fault]:
    owners: dict[str, str] = {}
    for item in found:
        if item.module.piccolo_app is None:
            continue
        try:
            tables = import_module(item.module.piccolo_app).APP_CONFIG.table_classes
        except (
            Exception
        ) as error:  # whatever a broken package raises is that package's fault, and not the end
            yield Fault(
                "import_error",
                item.package,
                f"Its Piccolo app {item.module.piccolo_app} failed to import: {type(error).__name__}: {error}",
                "Mend or reinstall the package, or disable its module.",
            )
            continue
        for table in tables:
            name = table._meta.tablename
            if name in owners:
                yield Fault(
                    "duplicate_table",
                    f"{owners[name]} and {item.package}",
                    f"Both declare a table named {name!r}.",
                    "Rename one; a module's tables start with its own name.",
                )
            owners[name] = item.package


def _contracts(found: Sequence[Found]) -> Iterable[Fault]:
    providers: dict[type, list[str]] = {}
    for item in found:
        for provided in item.module.provides:
            providers.setdefault(provided.contract, []).append(item.package)
    for contract, packages in providers.items():
        if len(packages) > 1:
            yield Fault(
                "two_providers",
                " and ".join(packages),
                f"Both provide {contract_name(contract)}.",
                "Disable one of the two modules: a contract has one provider.",
            )
    for item in found:
        for contract in item.module.needs:
            if contract not in providers:
                yield Fault(
                    "missing_provider",
                    item.package,
                    f"Module {item.module.name} needs {contract_name(contract)}, which no enabled module provides.",
                    "Enable or install a module that provides it.",
                )


def _handlers(found: Sequence[Found]) -> Iterable[Fault]:
    published = {event for item in found for event in item.module.events}
    topics: dict[str, str] = {}
    for item in found:
        for event in item.module.events:
            if event.topic() in topics:
                yield Fault(
                    "duplicate_event",
                    f"{topics[event.topic()]} and {item.package}",
                    f"Both publish an event named {event.topic()!r}.",
                    "Rename one; an event's name starts with its module's.",
                )
            topics[event.topic()] = item.package
        brought: tuple[Sequence[Named], ...] = (
            item.module.handlers,
            item.module.observers,
            item.module.tasks,
            item.module.jobs,
        )
        names = [one.name for part in brought for one in part]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Fault(
                "duplicate_handler",
                item.package,
                f"Module {item.module.name} has two handlers or tasks named {name!r}.",
                "Give each a name of its own.",
            )
        for handler in item.module.handlers:
            if handler.event not in published:
                yield Fault(
                    "missing_event",
                    item.package,
                    f"Handler {handler.name} waits for {handler.event.topic()!r}, which no enabled module publishes.",
                    "Enable the module that publishes it, or disable this one.",
                )
