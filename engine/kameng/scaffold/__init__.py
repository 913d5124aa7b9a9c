"""New modules: a complete package that can be installed, and passes its own tests, from its first minute."""

from kameng.scaffold.naming import InvalidModuleName, ModuleNames, ScaffoldError
from kameng.scaffold.writing import TargetExists, new_module

__all__ = ["InvalidModuleName", "ModuleNames", "ScaffoldError", "TargetExists", "new_module"]
