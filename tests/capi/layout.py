"""Holds the structures of the header against crates/capi/abi.txt, which says how they are laid out on 64-bit machines.

    layout.py HEADER ABI           writes a C program that compiles only if all is as ABI says, and prints the number of structures
    layout.py HEADER ABI --write   writes a C program that prints what ABI should say
"""

import re
import sys

import functions

HEADING = """\
# How the structures that are passed by value, or filled for the caller, are laid out on 64-bit machines. They do not change while the soname
# stays: programs that were built against them go on to run. Of a structure: its size and alignment; of a member: its offset and size.
"""


def structures(header):
    """Each structure of the header with its members, in their order."""
    found = {}
    for match in re.finditer(r"\bstruct\s+(touchmark_\w+)\s*\{([^}]*)\}", functions.preprocessed(header, [])):
        found[match[1]] = [re.search(r"\(\s*\*\s*(\w+)\s*\)|(\w+)\s*$", one) for one in match[2].split(";") if one.strip()]
    if not found:
        sys.exit(f"layout.py: no structure in {header}")
    return {name: [one[1] or one[2] for one in members] for name, members in found.items()}


def facts(found):
    """What is to be known: the text in ABI, and the two C expressions."""
    for name, members in sorted(found.items()):
        yield name, f"sizeof(struct {name})", f"offsetof(struct {{ char c; struct {name} s; }}, s)"
        for member in members:
            yield f"{name}.{member}", f"offsetof(struct {name}, {member})", f"sizeof(((struct {name} *)0)->{member})"


def main():
    header, abi, *write = sys.argv[1:]
    found = structures(header)
    lines = ["#include <stddef.h>", "#include <stdio.h>", "#include <touchmark.h>"]
    if write:
        heading = HEADING.replace("\n", "\\n")
        lines += ["int main(void) {", f'    fputs("{heading}", stdout);']
        lines += [f'    printf("{text} %zu %zu\\n", {one}, {other});' for text, one, other in facts(found)] + ["    return 0;", "}"]
        print("\n".join(lines))
        return
    committed = [line.split() for line in open(abi) if line.strip() and not line.startswith("#")]
    stated = {name: numbers for name, *numbers in committed}
    known = {text for text, *_ in facts(found)}
    if known != stated.keys():
        sys.exit(f"error: of the structures in the header and in {abi}, only one has: {' '.join(sorted(known ^ stated.keys()))}")
    for text, one, other in facts(found):
        first, second = stated[text]
        label = text.replace(".", "__")
        lines.append(f"typedef char {label}__is_laid_out_as_in_abi_txt[({one}) == {first} && ({other}) == {second} ? 1 : -1];")
    lines.append(f'int main(void) {{ puts("layout: {len(found)} structures are as in abi.txt"); return 0; }}')
    print("\n".join(lines))


main()
