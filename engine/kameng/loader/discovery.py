"""Finding modules by their entry points, without letting one broken package hide another."""

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from stevedore.named import NamedExtensionManager

from kameng.errors import Fault
from kameng.module import ENTRY_POINT_GROUP, Module
from kameng.settings import ModulesSettings


@dataclass(frozen=True, slots=True)
class Found:
    """A module and where it came from.

    Attributes:
        module: the declaration.
        package: the distribution that brings it, with its version, for messages.
    """

    module: Module
    package: str


def discover(selection: ModulesSettings) -> tuple[list[Found], list[Fault], frozenset[str]]:
    """Load the selected modules.

    Returns:
        what was found, the faults of what could not be loaded, and the entry-point names that are installed but not enabled.
    """
    installed: dict[str, list[str]] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        # stevedore's own points come from a cache that has lost their distribution, so it is looked up here.
        package = f"{point.dist.name} {point.dist.version}" if point.dist else point.module
        installed.setdefault(point.name, []).append(package)
    wanted = set(installed) if selection.enabled is None else set(selection.enabled)
    wanted -= set(selection.disabled)
    faults = [_not_installed(name) for name in sorted(wanted - set(installed))]
    faults += [
        _named_twice(name, owners)
        for name, owners in sorted(installed.items())
        if name in wanted and len(owners) > 1
    ]
    found: list[Found] = []

    def failed(_manager: object, point: object, error: BaseException) -> None:
        name = getattr(point, "name", "")
        faults.append(_import_failed(installed.get(name, [name])[0], error))

    manager: NamedExtensionManager[object] = NamedExtensionManager(
        ENTRY_POINT_GROUP,
        names=sorted(wanted & set(installed)),
        on_load_failure_callback=failed,
        warn_on_missing_entrypoint=False,
    )
    for extension in manager:
        package = installed[extension.name][0]
        plugin: Any = extension.plugin
        if isinstance(plugin, Module):
            found.append(Found(plugin, package))
        else:
            faults.append(_no_module(package, extension.entry_point_target))
    return found, faults, frozenset(set(installed) - wanted)


def _not_installed(name: str) -> Fault:
    return Fault(
        "missing_module",
        name,
        f"kameng.toml enables the module {name!r}, which is not installed.",
        f"Install the package that brings it, or take {name!r} out of [modules] enabled.",
    )


def _named_twice(name: str, owners: list[str]) -> Fault:
    return Fault(
        "duplicate_name",
        " and ".join(owners),
        f"These packages both name an entry point {name!r} in {ENTRY_POINT_GROUP}.",
        "Uninstall one of them.",
    )


def _import_failed(package: str, error: BaseException) -> Fault:
    return Fault(
        "import_error",
        package,
        f"Importing it failed: {type(error).__name__}: {error}",
        "Mend or reinstall the package, or disable its module in [modules] of kameng.toml.",
    )


def _no_module(package: str, target: str) -> Fault:
    return Fault(
        "import_error",
        package,
        f"Its entry point {target} is no kameng.Module.",
        "Let the entry point lead to the package's Module declaration.",
    )
