"""The cases: a folder each with policies.cedar, entities.json, requests.json.

The shapes are sets in which one policy speaks of each request; the
applications are gdrive, github and tinytodo, from ../shared/tests.
"""
import json
import random
import tarfile

REQUESTS = 500
GROUP_OF = 10       # users of one group


def uid(kind, name):
    return {"type": kind, "id": name}


def scope_eq(i):
    return (f'permit(principal == User::"u{i}", action == Action::"a{i % 7}", '
            f'resource == Doc::"d{i}") when {{ context.input.amount < 500 && '
            f'context.input.kind like "re*" }};\n')


def in_group(i):
    return (f'permit(principal in Group::"g{i}", action == Action::"a{i % 7}", resource) '
            f'when {{ context.input.amount < 500 && context.input.kind like "re*" }};\n')


def condition_only(i):
    return (f'permit(principal, action, resource) when {{ principal.dept == "d{i}" && '
            f'context.input.amount < 500 }};\n')


def tags(i):
    return (f'permit(principal is OAuthUser, action, resource) when {{ '
            f'principal.hasTag("role") && principal.getTag("role") == "r{i}" && '
            f'context.input.amount < 500 }};\n')


def order(i):
    return f'permit(principal, action, resource) when {{ context.input.amount > {1000 + i} }};\n'


def not_indexed(i):
    return (f'permit(principal, action, resource) when {{ context.input.amount + {i} > 1000000 }};'
            '\n')


SHAPES = {
    "scope-eq": scope_eq, "in-group": in_group, "condition": condition_only,
    "tags": tags, "order": order, "not-indexed": not_indexed,
}


def shape_entities(shape, wanted):
    """Who asks, and what they belong to: the same number for every size."""
    out = []
    for i in wanted:
        if shape == "tags":
            out.append({"uid": uid("OAuthUser", f"u{i}"), "attrs": {}, "parents": [],
                        "tags": {"role": f"r{i}", "scope": "read write"}})
        else:
            out.append({"uid": uid("User", f"u{i}"), "attrs": {"dept": f"d{i}", "level": i % 5},
                        "parents": [uid("Group", f"g{i}"), uid("Group", "everybody")]})
            out.append({"uid": uid("Group", f"g{i}"), "attrs": {},
                        "parents": [uid("Group", "all")]})
    names = ["everybody", "all"] if shape != "tags" else []
    out += [{"uid": uid("Group", n), "attrs": {}, "parents": []} for n in names]
    return out


def shape_case(shape, count):
    draw = random.Random(f"{shape} {count}")
    asked = sorted(draw.sample(range(count), min(count, 100)))
    requests = []
    for _ in range(REQUESTS):
        i = draw.choice(asked)
        requests.append({
            "principal": uid("OAuthUser" if shape == "tags" else "User", f"u{i}"),
            "action": uid("Action", f"a{i % 7}"), "resource": uid("Doc", f"d{i}"),
            "context": {"input": {"amount": draw.choice([100, 499, 700]), "kind": "refund"}}})
    policies = "".join(map(SHAPES[shape], range(count)))
    return policies, shape_entities(shape, asked), requests


def application_case(archive, name, size):
    with tarfile.open(archive) as tar:
        data = json.load(tar.extractfile(f"bench-data/data_{name}_{size}.json"))
    requests = [{"principal": p, "action": a, "resource": r, "context": {}}
                for p, a, r in data["requests"]]
    return data["policies"], data["entities"], requests


def write(folder, case):
    policies, entities, requests = case
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policies.cedar").write_text(policies)
    (folder / "entities.json").write_text(json.dumps(entities))
    (folder / "requests.json").write_text(json.dumps(requests))
