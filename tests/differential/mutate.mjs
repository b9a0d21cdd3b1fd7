// mutate.mjs - text with some tokens left out, doubled, moved or exchanged.

const token = /\s+|\/\/[^\n]*|"(?:\\[^]|[^"\\])*"|[A-Za-z_][A-Za-z_0-9]*|[0-9]+|::|==|!=|<=|>=|&&|\|\||[^]/gu;
const others = ['(', ')', '{', '}', '[', ']', ',', ';', ':', '::', '.', '==', '!=', '<', '<=', '>', '>=', '&&', '||', '!', '-', '+', '*', '/',
  '%', '=', '?', '@', '"', '"a"', '"\\x41"', '"\\u{e9}"', '"\\q"', '"\\*"', '"\\u{110000}"', '"\\x80"', '"a\\', '//c\n', '\r', '\u00a0',
  '\ufeff', '\u2028', '0', '1', '9223372036854775807', '9223372036854775808', '18446744073709551616', '00', 'in', 'is', 'has', 'like', 'if',
  'then', 'else', 'true', 'false', 'permit', 'when', 'principal', 'resource', 'action', 'context', '?principal', '?resource', '?a', 'ip',
  'decimal', '__cedar', 'User', 'a', 'isInRange', 'contains', 'getTag', 'offset', 'entity', 'type', 'namespace', 'tags', 'enum', 'appliesTo',
  'Set', 'Long', 'Bool', 'Boolean', 'Record', 'Extension', 'Entity', 'String', 'ipaddr', 'Action', 'é', '\0', "'", '#', '$'];

export function mutate(random, text) {
  const tokens = text.match(token) ?? [];
  for (let i = 0, n = random.pick([0, 1, 1, 1, 2, 3]); i < n; i++) {
    const at = random.below(tokens.length + 1);
    switch (random.below(6)) {
      case 0: tokens.splice(at, 1); break;
      case 1: tokens.splice(at, 0, random.pick(others)); break;
      case 2: tokens.splice(at, 1, random.pick(others)); break;
      case 3: tokens.splice(at, 0, tokens[at] ?? ''); break;
      case 4: tokens.splice(at, 1, tokens[random.below(tokens.length)] ?? ''); break;
      default: tokens.splice(at, 0, random.pick(others), ' ', random.pick(others));
    }
  }
  return tokens.join('');
}

export const valueJunk = [true, 0, -1, 9007199254740991, 1.5, '', 'a', '1.5', '2024-01-01', '1d', '10.0.0.1', [], {}, [1, 'a'], { type: 'User', id: 'a' },
  { __entity: { type: 'User', id: 'a' } }, { __entity: { type: 'User', id: 'a', x: 1 } }, { __entity: { type: 'User', id: 'a' }, x: 1 },
  { __entity: { type: 'User' } }, { __entity: { type: ' User', id: 'a' } }, { __entity: { type: 'if', id: 'a' } }, { __entity: 1 },
  { __extn: { fn: 'ip', arg: '10.0.0.1' } }, { __extn: { fn: 'ip', arg: 'x' } }, { __extn: { fn: 'nothing', arg: 'x' } }, { __extn: { fn: 'ip' } },
  { __extn: { fn: 'ip', arg: 1 } }, { __extn: { fn: 'ip', arg: '10.0.0.1' }, x: 1 }, { fn: 'decimal', arg: '1.0' }, { fn: 'decimal', args: ['1.0'] },
  { __extn: { fn: 'decimal', args: ['1.0'] } }, { __extn: { fn: 'duration', args: [] } }, { __extn: { fn: 'isIpv4', arg: { __extn: { fn: 'ip', arg: '::1' } } } },
  { __extn: { fn: 'toDate', args: [{ __extn: { fn: 'datetime', arg: '2024-01-01T01:00:00Z' } }] } }, { __expr: '1 + 1' }, { __expr: 1 }, { __expr: '1', x: 1 }, { __expr: '1', type: 'User', id: 'a' }, { __extn: { fn: 'decimal', arg: '1.0' }, __expr: '1' },
  { __extn: 1, fn: 'decimal', arg: '1.0' }, { __entity: 1, type: 'User', id: 'a' },
  { __entity: { type: 'User', id: 1 } }, { __entity: { type: 'Action', id: 'read' } }];

const var_ = { Var: 'principal' }, one = { Value: 1 };
export const policyJunk = [true, 1, 'a', '', [], {}, [one], var_, one, { Var: 'x' }, { Slot: '?principal' }, { Slot: '?x' }, { Value: 'a' }, { Value: 1.5 },
  { Value: [1, true, 'a'] }, { Value: { a: 1 } }, { Value: { __entity: { type: 'A', id: 'b' } } }, { Value: { __extn: { fn: 'ip', arg: '::1' } } },
  { Value: { __extn: { fn: 'ip', arg: 'x' } } }, { Value: { __extn: { fn: 'x', arg: 'x' } } }, { '!': { arg: one } }, { neg: { arg: one } }, { '-': { arg: one } }, { isEmpty: { arg: one } },
  { '==': { left: var_, right: one } }, { '==': { left: var_ } }, { '==': { left: var_, right: one, x: 1 } }, { '/': { left: var_, right: one } },
  { '.': { left: var_, attr: 'if' } }, { '.': { left: var_, attr: 1 } }, { has: { left: var_, attr: 'a' } }, { has: { left: var_, attr: ['a', 'b'] } },
  { has: { left: var_, attr: [] } }, { has: { left: var_, attr: ['a', ''] } }, { has: { left: var_, attr: ['if'] } }, { has: { left: var_, attr: ['x y', 'b'] } },
  { like: { left: var_, pattern: [] } }, { like: { left: var_, pattern: ['Wildcard', { Literal: 'a' }] } }, { like: { left: var_, pattern: 'a*' } },
  { like: { left: var_, pattern: ['x'] } }, { is: { left: var_, entity_type: 'A' } }, { is: { left: var_, entity_type: 'if' } }, { is: { left: var_, entity_type: 'A', in: one } },
  { 'if-then-else': { if: one, then: one, else: one } }, { 'if-then-else': { if: one, then: one } }, { Set: [] }, { Set: [one, var_] }, { Set: one }, { Record: {} },
  { Record: { a: one, if: one } }, { Record: [] }, { ip: [{ Value: '::1' }] }, { ip: [] }, { ip: one }, { isIpv4: [one] }, { contains: [one, one] }, { nothing: [one] },
  { getTag: { left: var_, right: one } }, { lessThan: [one, one] }, { lessThan: { left: one, right: one } }, { op: 'All' }, { op: '==', entity: { type: 'A', id: 'b' } },
  { op: 'in', entity: { __entity: { type: 'A', id: 'b' } } }, { op: 'in', slot: '?principal' }, { op: '==', slot: '?resource' }, { op: 'is', entity_type: 'A' },
  { op: 'is', entity_type: 'A', in: { entity: { type: 'A', id: 'b' } } }, { op: 'in', entities: [] }, { op: 'in', entities: [{ type: 'Action', id: 'b' }] },
  { op: 'in', entities: [{ type: 'A', id: 'b' }] }, { kind: 'when', body: one }, { kind: 'x', body: one }, { kind: 'unless' }, { unknown: one },
  { Value: 9007199254740991 }, { Value: {} }, { Value: [] }, { Value: { if: 1 } }, { ip: [one, one, one] }, { toDate: [] }, { offset: [one] }];

const long = { type: 'Long' };
export const schemaJunk = [true, 1, 'a', '', [], {}, ['User'], long, { type: 'Boolean' }, { type: 'Bool' }, { type: 'Set' }, { type: 'Set', element: long }, { type: 'Set', element: long, x: 1 },
  { type: 'Record', attributes: {} }, { type: 'Record', attributes: { a: long } }, { type: 'Record' }, { type: 'Record', attributes: {}, additionalAttributes: false },
  { type: 'Record', attributes: {}, additionalAttributes: true }, { type: 'Entity', name: 'User' }, { type: 'Entity', name: 'x y' }, { type: 'Entity' }, { type: 'Extension', name: 'ipaddr' },
  { type: 'Extension', name: 'x' }, { type: 'EntityOrCommon', name: 'Long' }, { type: 'EntityOrCommon', name: '__cedar::Long' }, { type: 'User' }, { type: '__cedar::String' },
  { type: 'Long', required: false }, { type: 'Long', required: 1 }, { type: 'Long', x: 1 }, { type: 'Long', x: {} }, { type: 'Record', attributes: { a: { type: 'Long', annotations: { a: '' } } } },
  { enum: [] }, { enum: ['a'] }, { enum: ['a', 'a'] }, { enum: ['a'], shape: {} }, { memberOfTypes: ['User'] }, { shape: long }, { tags: long }, { shape: { type: 'Record', attributes: {} }, x: 1 },
  { appliesTo: { principalTypes: ['User'], resourceTypes: ['User'] } }, { appliesTo: { principalTypes: [], resourceTypes: [] } }, { appliesTo: {} }, { memberOf: [{ id: 'read' }] },
  { memberOf: [{ id: 'read', type: 'Action' }] }, { memberOf: [{ id: 'nothing' }] }, { attributes: {} }, { attributes: { a: 1 } }, { entityTypes: {}, actions: {} }, { entityTypes: {} },
  { entityTypes: {}, actions: {}, commonTypes: {} }, { entityTypes: {}, actions: {}, x: 1 }, { type: 'String', element: long }, { type: 'if' }, { id: 'read' }, { id: 1 }];

/** The same value with something in it that is not. */
export function mutateJson(random, value, junk) {
  if (random.chance(15)) return value;
  const copy = structuredClone(value);
  let at = copy;
  for (let depth = 0; ; depth++) {
    const keys = Object.keys(at);
    if (keys.length === 0) break;
    const key = random.pick(keys);
    if (typeof at[key] === 'object' && at[key] !== null && random.chance(75) && depth < 8) {
      at = at[key];
      continue;
    }
    switch (random.below(5)) {
      case 0: delete at[key]; break;
      case 1: at[`${key}x`] = at[key]; break;
      case 2: at[key] = [at[key]]; break;
      default: at[key] = structuredClone(random.pick(junk));
    }
    break;
  }
  // A hole in an array is no JSON.
  return JSON.parse(JSON.stringify(copy), (_, v) => (Array.isArray(v) ? v.filter((e) => e !== null) : v));
}
