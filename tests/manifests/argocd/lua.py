"""A Lua as Argo CD gives it to health checks: version 5.1, base and table libraries, os.time, os.date, no more."""

from pathlib import Path
from typing import Any, NamedTuple

from lupa.lua51 import LuaRuntime

# gopher-lua loads `package`, base and table; Argo CD preloads an os of two functions. Strings have no methods there.
_SANDBOX = """
local time, date = os.time, os.date
package.preload.os = function() return { time = time, date = date } end
package.loaded.os = nil
for _, name in ipairs({ "os", "io", "string", "math", "debug", "coroutine", "python" }) do _G[name] = nil end
getmetatable("").__index = nil
"""
_CALL = "return function(script, object) obj = object; return assert(loadstring(script))() end"


class Health(NamedTuple):
    """What Argo CD shows."""

    status: str
    message: str


def health(script: Path, resource: dict[str, Any]) -> Health:
    """What the script says of the resource. Raises lupa.LuaError for a script that fails."""
    lua = LuaRuntime(register_eval=False, register_builtins=False)
    call = lua.execute(_CALL)
    lua.execute(_SANDBOX)
    found = call(script.read_text(), _table(lua, resource))
    return Health(str(found.status), str(found.message))


def _table(lua: LuaRuntime, value: Any) -> Any:
    """Nested tables, as they come of JSON; lists count from 1."""
    if isinstance(value, dict):
        return lua.table_from({key: _table(lua, item) for key, item in value.items()})
    if isinstance(value, list):
        return lua.table_from([_table(lua, item) for item in value])
    return value
