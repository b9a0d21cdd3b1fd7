#!/usr/bin/env python3
"""Runs crashsim.py with writes in the order in which a disk sees them.

Usage: ordered_crashsim.py CRASHSIM OPTION...

crashsim.py takes a write whose fsync failed for lost (or torn, or zeroed) for
ever, and lays it over the file after everything that is durable.  A program
that starts again and writes the same place anew, and syncs that, has made it
good: the earlier write cannot come back over the later one.  This drops such
earlier writes from what is pending, and changes nothing else.
"""
import sys

path = sys.argv[1]
text = open(path, encoding="utf-8").read()
old = "    soft = [x for x in pw if x[1][-1] != 'durable']\n"
new = """    soft = [x for x in pw if x[1][-1] != 'durable' and not made_good(x, k)]
"""
helper = '''
def made_good(pending, done):
    at, op = pending
    if op[0] != 'write' or op[2] is None:
        return False
    first, last = op[2], op[2] + len(op[3])
    for i, o in enumerate(ops[at + 1:done], at + 1):
        if o[0] != 'write' or o[1] != op[1] or o[2] is None:
            continue
        if o[2] > first or o[2] + len(o[3]) < last:
            continue
        synced = next((x[0] for x in ops[i:done]
                       if x[0] in ('fsync', 'fsyncfail') and x[1] == o[1]), None)
        if synced == 'fsync':
            return True
    return False
'''
if text.count(old) != 1 or text.count("def states(k):") != 1:
    sys.exit(f"{path}: not the crashsim.py that this was written for")
text = text.replace(old, new).replace("def states(k):", helper + "def states(k):")
sys.argv = sys.argv[1:]
exec(compile(text, path, "exec"))
