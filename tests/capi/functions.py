"""Reads the C header and writes what the tests know of it, so that no function is forgotten.

    functions.py HEADER --table FILE [--define NAME]   a table of every function, its parameters and a way to call it, as C
    functions.py HEADER --names [--define NAME]        the names of the functions, one a line

The header is read as the C compiler sees it. A type of parameter that is not known here is an error.
"""

import argparse
import re
import subprocess
import sys

# By-value types and how they stand in `union value`.
SCALARS = {
    "touchmark_bytes": ("BYTES", "bytes"),
    "uint32_t": ("U32", "u32"),
    "touchmark_status": ("U32", "u32"),
    "uint64_t": ("U64", "u64"),
    "int64_t": ("I64", "i64"),
    "size_t": ("SIZE", "size"),
}
ARRAYS = {"touchmark_bytes": "BYTES_ARRAY", "touchmark_pair": "PAIR_ARRAY"}
RESULTS = {"touchmark_status": "STATUS", "touchmark_bytes": "BYTES", "uint32_t": "U32", "uint64_t": "U64", "int64_t": "I64", "size_t": "SIZE", "void": "NONE"}


def preprocessed(header, defines):
    command = ["cc", "-std=c99", "-E", "-P", "-x", "c", *[f"-D{name}" for name in defines], header]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.sub(r"\bstruct\s+(?=touchmark_\w+\b\s*[*\w])", "", text)


def split(parameters):
    """The parameters of a declaration, at the commas that are not in parentheses."""
    depth, one, out = 0, "", []
    for character in parameters:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            out.append(one)
            one = ""
        else:
            one += character
    out.append(one)
    return [" ".join(one.replace("*", " * ").split()) for one in out]


class Header:
    def __init__(self, path, defines):
        text = preprocessed(path, defines)
        self.callbacks = set(re.findall(r"typedef\s+[\w ]+\(\s*\*\s*(touchmark_\w+)\s*\)", text))
        self.structs = set(re.findall(r"typedef\s+(?:struct\s*)?(?:touchmark_\w+\s*)?\{[^}]*\}\s*(touchmark_\w+)\s*;", text))
        self.structs |= set(re.findall(r"\bstruct\s+(touchmark_\w+)\s*\{", text)) | set(re.findall(r"(?<=[;}\n])\s*(touchmark_\w+)\s*\{", text))
        self.functions = []
        # Bodies and types of functions would look like declarations.
        flat = re.sub(r"\{[^}]*\}", "", text)
        for match in re.finditer(r"(?:^|;)\s*(?:extern\s+)?((?:const\s+)?\w+)\s+(touchmark_\w+)\s*\(((?:[^();]|\([^()]*\))*)\)\s*(?=;)", flat):
            if match[1] == "typedef":
                continue
            parameters = [] if match[3].strip() in ("void", "") else [self.parameter(match[2], one) for one in split(match[3])]
            for index, one in enumerate(parameters[1:], 1):
                if one["kind"] == "SIZE" and parameters[index - 1]["kind"].endswith("_ARRAY"):
                    one["kind"] = "COUNT"
            if match[2].endswith("_free"):
                parameters[0]["kind"] = "FREED"
            if match[1] not in RESULTS:
                sys.exit(f"functions.py: {match[2]} returns {match[1]}, which is not known here")
            # What it returns is a status, and not that of the call.
            result = "uint32_t" if match[2] == "touchmark_error_status" else match[1]
            self.functions.append({"name": match[2], "result": result, "parameters": parameters})
        if not self.functions:
            sys.exit(f"functions.py: no function in {path}")
        self.types = sorted({one["type"] for function in self.functions for one in function["parameters"] if one["type"]})
        self.mutable = {one["type"] for function in self.functions for one in function["parameters"] if one["kind"] == "CHANGED"}

    def parameter(self, function, text):
        const = r"(?P<first>const )?(?P<type>\w+)"
        match = re.fullmatch(const + r"(?P<stars>(?: \*(?: const)?)*)(?P<name> \w+)?", text)
        if match is None:
            sys.exit(f"functions.py: a parameter of {function} is not understood: {text}")
        kind, base, stars = None, match["type"], match["stars"].count("*")
        # A name may have been left out, and then the type may have taken its place.
        written = f"{match['first'] or ''}{base}{match['stars']}"
        if stars == 0 and base in SCALARS:
            return {"kind": SCALARS[base][0], "type": None, "cast": f".{SCALARS[base][1]}", "written": written}
        if stars == 0 and base in self.callbacks:
            return {"kind": "FUNCTION", "type": None, "cast": f"({base})", "written": base}
        if stars == 1 and base == "void":
            kind = "USERDATA"
        elif stars == 1 and base in ARRAYS and match["first"]:
            kind = ARRAYS[base]
        elif stars == 1 and base in self.structs:
            kind = "CALLBACKS" if match["first"] else "FILLED"
        elif stars == 1 and base.startswith("touchmark_"):
            return {"kind": "READ" if match["first"] else "CHANGED", "type": base, "written": written}
        elif stars == 2 and base == "touchmark_error":
            kind = "ERROR"
        elif stars == 2 and match["first"] and base.startswith("touchmark_"):
            return {"kind": "HANDLE_ARRAY", "type": base, "written": written}
        elif stars == 2 and base.startswith("touchmark_"):
            return {"kind": "OUT", "type": base, "written": written}
        if kind is None:
            sys.exit(f"functions.py: the tests do not know what to give {function} for `{text}`")
        return {"kind": kind, "type": None, "written": written, "struct": base}

    def table(self):
        lines = ["/* Written by functions.py. */", '#include "engine.h"', ""]
        for name in self.types:
            if name != "touchmark_sink":
                lines.append(f"void *make_{name}(unsigned variety);")
            if name != "touchmark_sink":
                lines.append(f"static void free_{name}(void *handle) {{ {name}_free(({name} *)handle); }}")
        lines += ["", "const struct type types[] = {"]
        for name in self.types:
            make = "NULL" if name == "touchmark_sink" else f"make_{name}"
            free = "NULL" if name == "touchmark_sink" else f"free_{name}"
            lines.append(f'    {{"{name}", {make}, {free}, {int(name in self.mutable)}}},')
        lines += ["};", f"const size_t type_count = {len(self.types)};", ""]
        for number, function in enumerate(self.functions):
            lines += self.trampoline(number, function)
        lines += ["", "const struct function functions[] = {"]
        for number, function in enumerate(self.functions):
            count = len(function["parameters"])
            lines.append(f'    {{"{function["name"]}", call_{number}, RESULT_{RESULTS[function["result"]]}, {count}, {f"parameters_{number}" if count else "NULL"}}},')
        lines += ["};", f"const size_t function_count = {len(self.functions)};", ""]
        return "\n".join(lines)

    def trampoline(self, number, function):
        given, described = [], []
        for index, one in enumerate(function["parameters"]):
            kind = one["kind"]
            if "cast" in one:
                given.append(f"({one['written']})v[{index}].function" if kind == "FUNCTION" else f"v[{index}]{one['cast']}")
            else:
                given.append(f"({one['written']})v[{index}].pointer")
            size = f"sizeof({one['struct']})" if kind == "FILLED" else "0"
            kind_of = self.types.index(one["type"]) if one["type"] else -1
            described.append(f"{{KIND_{kind}, {kind_of}, {size}}}")
        call = f"{function['name']}({', '.join(given)})"
        result = {"touchmark_status": "u32", "touchmark_bytes": "bytes", "uint32_t": "u32", "uint64_t": "u64", "int64_t": "i64", "size_t": "size"}
        body = f"r->{result[function['result']]} = {call};" if function["result"] != "void" else f"(void)r; {call};"
        lines = [f"static void call_{number}(const union value *v, union value *r) {{ {'' if given else '(void)v; '}{body} }}"]
        if described:
            lines.append(f"static const struct parameter parameters_{number}[] = {{{', '.join(described)}}};")
        return lines


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("header")
    arguments.add_argument("--table")
    arguments.add_argument("--names", action="store_true")
    arguments.add_argument("--define", action="append", default=[])
    given = arguments.parse_args()
    header = Header(given.header, given.define)
    if given.names:
        print("\n".join(sorted(one["name"] for one in header.functions)))
    if given.table:
        with open(given.table, "w") as out:
            out.write(header.table())


if __name__ == "__main__":
    main()
