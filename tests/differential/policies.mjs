// policies.mjs - policies that mostly type-check in a world.
//
// An expression is {text, level}: what binds less than its place wants stands
// in parentheses, and sometimes what need not.
import { extensionText, extensions, isPlain, literal, longs, names, patterns, strings } from './values.mjs';
import { idOf, randomType, randomUid } from './world.mjs';

const IF = 0, OR = 1, AND = 2, REL = 3, ADD = 4, MUL = 5, UNARY = 6, MEMBER = 7;
const BOOL = { kind: 'Bool' }, LONG = { kind: 'Long' }, STRING = { kind: 'String' };
const ext = (name) => ({ kind: 'Extension', name });

export const uidText = (random, uid) => `${uid.type}::${literal(random, uid.id)}`;

/** Grows the conditions of one policy. */
class Conditions {
  constructor(random, world, env, wrong) {
    Object.assign(this, { random, world, env, wrong });
    this.budget = random.between(5, 60);
  }

  at(e, level) {
    const need = e.level < level || this.random.chance(4);
    return need ? `(${e.text})` : e.text;
  }

  binary(left, op, right, level, assoc = level) {
    return { text: `${this.at(left, assoc)} ${op} ${this.at(right, level + 1)}`, level };
  }

  /** An expression of the type, or few of another one. */
  of(type, depth) {
    const r = this.random;
    if (r.chance(this.wrong)) type = randomType(r, this.world, 1);
    this.budget--;
    if (this.budget <= 0) depth = 0;
    if (depth > 0 && r.chance(8)) {
      const [guard, then, other] = [this.of(BOOL, depth - 1), this.of(type, depth - 1), this.of(type, depth - 1)];
      return { text: `if ${this.at(guard, IF)} then ${this.at(then, IF)} else ${this.at(other, IF)}`, level: IF };
    }
    if (type.kind !== 'Bool' && r.chance(45)) {
      const path = this.path(type, depth);
      if (path) return path;
    }
    switch (type.kind) {
      case 'Bool': return this.bool(depth);
      case 'Long': return this.long(depth);
      case 'String': return { text: literal(r, r.pick(strings)), level: MEMBER };
      case 'Entity': return this.entity(type);
      case 'Set': return this.set(type, depth);
      case 'Record': return this.record(type, depth);
      default: return this.extension(type, depth);
    }
  }

  // What of the request has a type: [text, type] with what must be guarded.
  roots() {
    const { principal, resource, context, action } = this.env;
    const out = [['principal', { kind: 'Entity', name: principal }], ['resource', { kind: 'Entity', name: resource }], ['context', context]];
    if (this.random.chance(3)) out.push(['action', { kind: 'Entity', name: action }]);
    return out;
  }

  attributesOf(type) {
    if (type.kind === 'Record') return type.attributes;
    return this.world.types.find((t) => t.name === type.name)?.attributes ?? {};
  }

  access(text, name) {
    return isPlain(name) && this.random.chance(85) ? `${text}.${name}` : `${text}[${literal(this.random, name)}]`;
  }

  /** A path from the request that has the type, found by walking. */
  path(want, depth) {
    const r = this.random;
    for (let tries = 0; tries < 6; tries++) {
      let [text, type] = r.pick(this.roots());
      const guards = [];
      for (let step = 0; step < 4; step++) {
        if (same(type, want) && (step > 0 || want.kind === 'Entity')) return this.guarded(text, guards, want, depth);
        if (type.kind !== 'Entity' && type.kind !== 'Record') break;
        const entity = this.world.types.find((t) => t.name === type.name);
        if (type.kind === 'Entity' && entity?.tags && r.chance(25)) {
          const key = r.chance(70) ? literal(r, r.pick(names.slice(0, 4))) : this.at(this.of(STRING, 0), IF);
          guards.push(`${text}.hasTag(${key})`);
          text = `${text}.getTag(${key})`;
          type = entity.tags;
          continue;
        }
        const all = Object.entries(this.attributesOf(type));
        if (all.length === 0) break;
        const [name, a] = r.pick(all);
        if (!a.required) guards.push(`${text} has ${isPlain(name) && r.chance(80) ? name : literal(r, name)}`);
        text = this.access(text, name);
        type = a.type;
      }
    }
    return undefined;
  }

  /** Optional attributes need their test, and mostly get it. */
  guarded(text, guards, want) {
    const path = { text, level: MEMBER };
    if (guards.length === 0 || this.random.chance(10)) return path;
    if (want.kind === 'Bool') return { text: [...guards, text].join(' && '), level: AND };
    this.pending = [...(this.pending ?? []), ...guards];
    return path;
  }

  /** A comparison with the guards that its operands asked for before it. */
  withGuards(make) {
    const kept = this.pending;
    this.pending = [];
    const e = make();
    const guards = [...new Set(this.pending)];
    this.pending = kept;
    if (guards.length === 0) return e;
    return { text: `${guards.join(' && ')} && ${this.at(e, REL)}`, level: AND };
  }

  bool(depth) {
    const r = this.random;
    if (depth <= 0 && r.chance(30)) return { text: r.pick(['true', 'false']), level: MEMBER };
    if (r.chance(12)) {
      const path = this.path(BOOL, depth);
      if (path) return path;
    }
    const d = depth - 1;
    if (depth > 0 && r.chance(45)) {
      const kind = r.below(5);
      if (kind < 2) return this.binary(this.of(BOOL, d), '&&', this.of(BOOL, d), AND);
      if (kind < 4) return this.binary(this.of(BOOL, d), '||', this.of(BOOL, d), OR);
      return { text: `${'!'.repeat(r.chance(90) ? 1 : r.between(2, 4))}${this.at(this.of(BOOL, d), MEMBER)}`, level: UNARY };
    }
    return this.withGuards(() => this.test(Math.max(d, 0)));
  }

  test(d) {
    const r = this.random;
    const any = () => this.of(randomType(r, this.world, 1), d);
    switch (r.below(16)) {
      case 0: case 1: {
        const type = randomType(r, this.world, 1);
        return this.binary(this.of(type, d), r.pick(['==', '!=']), this.of(type, d), REL, ADD);
      }
      case 2: case 3: {
        const type = r.pick([LONG, LONG, ext('datetime'), ext('duration')]);
        return this.binary(this.of(type, d), r.pick(['<', '<=', '>', '>=']), this.of(type, d), REL, ADD);
      }
      case 4: case 5: {
        const of = { kind: 'Entity', name: r.pick(this.world.types).name };
        const right = r.chance(60) ? this.of(of, d) : this.of({ kind: 'Set', element: of }, d);
        return this.binary(this.anEntity(d), 'in', right, REL, ADD);
      }
      case 6: {
        const e = r.chance(80) ? this.anEntity(d) : any();
        return { text: `${this.at(e, ADD)} like ${literal(r, 'a')}`.replace(/like .*/s, () => this.isText(d)), level: REL };
      }
      case 7: {
        const e = this.of(STRING, d);
        return { text: `${this.at(e, ADD)} like "${r.pick(patterns)}"`, level: REL };
      }
      case 8: return this.has(d);
      case 9: case 10: {
        const element = randomType(r, this.world, 0);
        const set = this.at(this.of({ kind: 'Set', element }, d), MEMBER);
        const method = r.pick(['contains', 'contains', 'containsAll', 'containsAny', 'isEmpty']);
        if (method === 'isEmpty') return { text: `${set}.isEmpty()`, level: MEMBER };
        const arg = this.of(method === 'contains' ? element : { kind: 'Set', element }, d);
        return { text: `${set}.${method}(${this.at(arg, IF)})`, level: MEMBER };
      }
      case 11: {
        const [a, b] = [this.of(ext('decimal'), d), this.of(ext('decimal'), d)];
        const method = r.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual']);
        return { text: `${this.at(a, MEMBER)}.${method}(${this.at(b, IF)})`, level: MEMBER };
      }
      case 12: {
        const a = this.at(this.of(ext('ipaddr'), d), MEMBER);
        const method = r.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast', 'isInRange', 'isInRange']);
        const arg = method === 'isInRange' ? this.at(this.of(ext('ipaddr'), d), IF) : '';
        return { text: `${a}.${method}(${arg})`, level: MEMBER };
      }
      case 13: {
        const key = r.chance(60) ? literal(r, r.pick(names.slice(0, 4))) : this.at(this.of(STRING, d), IF);
        return { text: `${this.at(this.anEntity(d), MEMBER)}.hasTag(${key})`, level: MEMBER };
      }
      default: {
        const type = r.pick([LONG, STRING, STRING, ext(r.pick(Object.keys(extensions)))]);
        return this.binary(this.of(type, d), '==', this.of(type, d), REL, ADD);
      }
    }
  }

  isText(d) {
    const r = this.random;
    const name = r.chance(98) ? r.pick(this.world.types).name : 'Nobody';
    if (r.chance(70)) return `is ${name}`;
    return `is ${name} in ${this.at(this.of({ kind: 'Entity', name: r.pick(this.world.types).name }, d), ADD)}`;
  }

  has() {
    const r = this.random;
    let [text, type] = r.pick(this.roots());
    const path = [];
    for (let i = 0; i < 3; i++) {
      const all = Object.entries(this.attributesOf(type));
      const [name, a] = all.length > 0 && r.chance(85) ? r.pick(all) : [r.pick(names.slice(0, 6)), { type: LONG }];
      if (!isPlain(name)) {
        if (path.length === 0) return { text: `${text} has ${literal(r, name)}`, level: REL };
        break;
      }
      path.push(name);
      type = a.type;
      if (!r.chance(35)) break;
    }
    return { text: `${text} has ${path.join('.')}`, level: REL };
  }

  anEntity(d) {
    const r = this.random;
    if (r.chance(60)) return { text: r.pick(['principal', 'resource', 'principal', 'resource', 'action']), level: MEMBER };
    return this.of({ kind: 'Entity', name: r.pick(this.world.types).name }, d);
  }

  long(depth) {
    const r = this.random;
    const d = depth - 1;
    if (depth > 0 && r.chance(50)) {
      const op = r.pick(['+', '-', '*', 'neg', 'get']);
      if (op === 'neg') return { text: `${'-'.repeat(r.chance(90) ? 1 : r.between(2, 4))}${this.at(this.of(LONG, d), MEMBER)}`, level: UNARY };
      if (op === 'get') {
        if (r.chance(50)) return { text: `${this.at(this.of(ext('duration'), d), MEMBER)}.${r.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'])}()`, level: MEMBER };
        return this.of(LONG, 0);
      }
      const level = op === '*' ? MUL : ADD;
      return this.binary(this.of(LONG, d), op, this.of(LONG, d), level);
    }
    const text = r.pick(r.chance(70) ? longs.slice(0, 8) : longs);
    return { text, level: text[0] === '-' ? UNARY : MEMBER };
  }

  entity(type) {
    const r = this.random;
    const known = this.world.types.find((t) => t.name === type.name);
    const name = r.chance(99) ? type.name : 'Nobody';
    return { text: uidText(r, { type: name, id: idOf(r, known) }), level: MEMBER };
  }

  set(type, depth) {
    const n = this.random.chance(93) ? this.random.between(1, 3) : 0;
    const list = Array.from({ length: n }, () => this.at(this.of(type.element, depth - 1), IF));
    return { text: `[${list.join(', ')}${n > 0 && this.random.chance(5) ? ',' : ''}]`, level: MEMBER };
  }

  record(type, depth) {
    const r = this.random;
    const list = [];
    for (const [name, a] of Object.entries(type.attributes)) {
      if (!a.required && r.chance(30)) continue;
      list.push(`${isPlain(name) && r.chance(80) ? name : literal(r, name)}: ${this.at(this.of(a.type, depth - 1), IF)}`);
    }
    return { text: `{${list.join(', ')}}`, level: MEMBER };
  }

  extension(type, depth) {
    const r = this.random;
    const d = depth - 1;
    if (depth > 0 && type.name === 'datetime' && r.chance(40)) {
      const at = this.at(this.of(type, d), MEMBER);
      if (r.chance(50)) return { text: `${at}.toDate()`, level: MEMBER };
      return { text: `${at}.offset(${this.at(this.of(ext('duration'), d), IF)})`, level: MEMBER };
    }
    if (depth > 0 && type.name === 'duration' && r.chance(40)) {
      const at = this.at(this.of(ext('datetime'), d), MEMBER);
      if (r.chance(50)) return { text: `${at}.toTime()`, level: MEMBER };
      return { text: `${at}.durationSince(${this.at(this.of(ext('datetime'), d), IF)})`, level: MEMBER };
    }
    const { fn } = extensions[type.name];
    if (r.chance(this.wrong)) return { text: `${fn}(${r.chance(50) ? '' : `${this.at(this.of(STRING, 0), IF)}, ${this.at(this.of(STRING, 0), IF)}`})`, level: MEMBER };
    if (r.chance(this.wrong)) return { text: `${fn}(${this.at(this.of(STRING, d), IF)})`, level: MEMBER };
    return { text: `${fn}(${literal(r, extensionText(r, type.name, this.wrong))})`, level: MEMBER };
  }
}

function same(a, b) {
  if (a.kind !== b.kind || a.name !== b.name) return false;
  if (a.kind === 'Set') return same(a.element, b.element);
  if (a.kind !== 'Record') return true;
  const [x, y] = [Object.keys(a.attributes), Object.keys(b.attributes)];
  return x.length === y.length && x.every((k) => b.attributes[k] && same(a.attributes[k].type, b.attributes[k].type));
}

function scope(random, world, variable, name, slots) {
  const uid = () => (slots && random.chance(60) ? `?${variable}` : uidText(random, randomUid(random, world, name)));
  const group = () => (slots && random.chance(60) ? `?${variable}`
    : uidText(random, randomUid(random, world, random.chance(50) ? name : random.pick(world.types).name)));
  switch (random.below(slots ? 4 : 12)) {
    case 0: case 4: case 5: return variable;
    case 1: return `${variable} == ${uid()}`;
    case 2: return `${variable} in ${group()}`;
    case 3: return `${variable} is ${name} in ${group()}`;
    default: return `${variable} is ${name}`;
  }
}

function actionScope(random, world, action) {
  const uid = (a) => uidText(random, { type: a.type, id: a.id });
  switch (random.below(8)) {
    case 0: return 'action';
    case 1: return `action in ${uid(random.pick(world.actions))}`;
    case 2: return `action in [${[action, ...random.some(world.actions, 30)].map(uid).join(', ')}]`;
    case 3: return random.chance(90) ? 'action' : `action == ${action.type}::"nothing"`;
    default: return `action == ${uid(action)}`;
  }
}

/** One policy's text.  `permits` percent are permits; with `slots` it may be
 * a template. */
export function randomPolicy(random, world, { wrong, permits, slots = false }) {
  const action = random.pick(world.actions.filter((a) => a.principals));
  const env = { action: action.type, principal: random.pick(action.principals), resource: random.pick(action.resources), context: action.context };
  const parts = [scope(random, world, 'principal', env.principal, slots), actionScope(random, world, action),
    scope(random, world, 'resource', env.resource, slots)];
  let out = random.chance(10) ? `@id(${literal(random, random.pick(strings))})\n` : '';
  out += `${random.chance(permits) ? 'permit' : 'forbid'}(${parts.join(', ')}${random.chance(5) ? ',' : ''})`;
  for (let i = 0, n = random.pick([0, 1, 1, 1, 1, 2]); i < n; i++) {
    const grow = new Conditions(random, world, env, wrong);
    const e = grow.bool(random.between(0, 4));
    const guards = [...new Set(grow.pending ?? [])];
    const text = guards.length > 0 && !random.chance(10) ? `${guards.join(' && ')} && (${e.text})` : e.text;
    out += `\n${random.chance(70) ? 'when' : 'unless'} { ${text} }`;
  }
  return `${out};`;
}

const other = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Policies that ask one question, each for another answer: what an index can
 * find and a list need not go through. */
export function randomFamily(random, world, { wrong, permits }) {
  const action = random.pick(world.actions.filter((a) => a.principals));
  const env = { action: action.type, principal: random.pick(action.principals), resource: random.pick(action.resources), context: action.context };
  const head = random.chance(50) ? 'principal, action, resource' : [random.chance(50) ? 'principal' : `principal is ${env.principal}`,
    random.chance(50) ? 'action' : `action == ${uidText(random, { type: action.type, id: action.id })}`, random.chance(70) ? 'resource' : `resource is ${env.resource}`].join(', ');
  const entity = { kind: 'Entity', name: random.pick(world.types).name };
  const type = random.pick([LONG, LONG, STRING, STRING, BOOL, entity, entity, { kind: 'Set', element: random.pick([LONG, STRING, entity]) }, ext('decimal')]);
  const grow = new Conditions(random, world, env, wrong);
  let path = random.chance(15) ? { text: random.pick(['principal', 'resource', 'action', 'context.a', 'principal.b', 'resource["x y"]', 'principal.getTag("a")']) } : undefined;
  for (let i = 0; i < 5 && !path; i++) path = grow.path(type, 1);
  if (!path) path = { text: random.pick(['principal', 'context.a', 'resource.level']) };
  const guards = random.chance(85) ? [...new Set(grow.pending ?? [])] : [];
  if (random.chance(20)) guards.unshift(random.pick(['true', 'context has a', 'principal has b', 'resource in resource', 'principal has name', '1 < 2']));
  const literalOf = (t) => {
    grow.wrong = 0;
    const e = t.kind === 'Bool' ? { text: random.pick(['true', 'false']), level: MEMBER } : grow.of(t, -1);
    grow.wrong = wrong;
    return e;
  };
  const op = type.kind === 'Set' ? 'contains' : type.kind === 'Entity' ? random.pick(['==', 'in']) : type.kind === 'Long' ? random.pick(['==', '<', '<=', '>', '>='])
    : type.kind === 'String' ? random.pick(['==', 'like']) : '==';
  const compare = () => {
    const of = random.chance(3) ? randomType(random, world, 0) : type;
    if (op === 'like') return `${path.text} like "${random.pick(patterns)}"`;
    if (op === 'contains') return `${path.text}.contains(${literalOf(type.element).text})`;
    const e = grow.at(literalOf(of), MUL);
    if (op === 'in') return `${path.text} in ${random.chance(80) ? e : `[${e}]`}`;
    const sign = random.chance(5) ? '!=' : op;
    return random.chance(25) ? `${e} ${other[sign]} ${path.text}` : `${path.text} ${sign} ${e}`;
  };
  return Array.from({ length: random.between(8, 30) }, () => {
    const parts = [...guards, compare()];
    if (random.chance(15)) parts.push(compare());
    if (random.chance(35)) parts.push(grow.at(grow.bool(random.between(0, 2)), REL));
    if (random.chance(5)) parts.reverse();
    const cut = random.chance(20) ? random.between(0, parts.length) : parts.length;
    const clauses = [parts.slice(0, cut), parts.slice(cut)].filter((list) => list.length > 0)
      .map((list) => `${random.chance(95) ? 'when' : 'unless'} { ${list.join(' && ')} }`);
    return `${random.chance(permits) ? 'permit' : 'forbid'}(${head}) ${clauses.join(' ')};`;
  });
}
