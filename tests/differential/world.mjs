// world.mjs - a schema, and entities, contexts and requests that mostly are
// what it says.
//
// A type is {kind: 'Bool' | 'Long' | 'String' | 'Set' | 'Record' | 'Entity' |
// 'Extension', ...}; a record's attributes are {name: {type, required}}.
import { extensionText, extensions, ids, isPlain, literal, names, smallLongs, strings } from './values.mjs';

const kinds = ['Bool', 'Long', 'Long', 'String', 'String', 'Entity', 'Entity', 'Extension', 'Extension', 'Set', 'Record'];

export function randomType(random, world, depth = 2) {
  const kind = random.pick(depth > 0 ? kinds : kinds.slice(0, 9));
  if (kind === 'Set') return { kind, element: randomType(random, world, depth - 1) };
  if (kind === 'Record') return randomRecord(random, world, depth - 1, random.between(0, 3));
  if (kind === 'Entity') return { kind, name: random.pick(world.types).name };
  if (kind === 'Extension') return { kind, name: random.pick(Object.keys(extensions)) };
  return { kind };
}

export function randomRecord(random, world, depth, count) {
  const attributes = {};
  for (let i = 0; i < count; i++) {
    const name = random.pick(random.chance(85) ? names.slice(0, 6) : names);
    attributes[name] = { type: randomType(random, world, depth), required: random.chance(60) };
  }
  return { kind: 'Record', attributes };
}

// ---- Schema ----

/** Entity types and actions in one or two namespaces. */
export function randomWorld(random) {
  const spaces = random.chance(50) ? [''] : random.chance(50) ? ['NS'] : ['', 'N1::N2'];
  const world = { spaces, types: [], actions: [] };
  const basenames = ['User', 'Group', 'Doc', 'Folder', 'Color', 'permit'].slice(0, random.between(3, 6));
  for (const base of basenames) {
    const space = random.pick(spaces);
    world.types.push({ space, base, name: space ? `${space}::${base}` : base, parents: [], attributes: {} });
  }
  for (const type of world.types) {
    if (type.base === 'Color') {
      type.ids = ['a', 'b', 'red', 'é'].slice(0, random.between(1, 4));
      continue;
    }
    // Enums have no parents but may be some.
    type.parents = random.some(world.types, 35).map((t) => t.name);
    type.attributes = randomRecord(random, world, 2, random.between(0, 5)).attributes;
    if (random.chance(40)) type.tags = randomType(random, world, 1);
  }
  for (let i = 0, n = random.between(2, 5); i < n; i++) {
    const space = random.pick(spaces);
    const action = { space, id: ['read', 'write', 'all', 'x y', 'é'][i], type: space ? `${space}::Action` : 'Action', parents: [] };
    action.parents = random.some(world.actions, 30);
    if (random.chance(85)) {
      action.principals = [random.pick(world.types).name, ...random.some(world.types, 20).map((t) => t.name)];
      action.resources = [random.pick(world.types).name, ...random.some(world.types, 20).map((t) => t.name)];
      action.context = randomRecord(random, world, 2, random.between(0, 4));
    }
    world.actions.push(action);
  }
  if (!world.actions.some((a) => a.principals)) {
    Object.assign(world.actions[0], { principals: [world.types[0].name], resources: [world.types[0].name],
      context: { kind: 'Record', attributes: {} } });
  }
  return world;
}

function typeText(random, type) {
  if (type.kind === 'Set') return `Set<${typeText(random, type.element)}>`;
  if (type.kind === 'Record') return attributesText(random, type.attributes);
  if (type.kind === 'Entity') return type.name;
  const name = type.kind === 'Extension' ? type.name : type.kind;
  return random.chance(30) ? `__cedar::${name}` : name;
}

// Few are written where they need quotes, which is an error then.
const attributeName = (random, name) => (isPlain(name) ? random.chance(80) : /^\w+$/.test(name) && random.chance(2))
  ? name : literal(random, name);

function attributesText(random, attributes) {
  const list = Object.entries(attributes).map(([name, a]) => `${random.chance(5) ? '@doc("d") ' : ''}`
    + `${attributeName(random, name)}${a.required ? '' : '?'}: ${typeText(random, a.type)}`);
  return `{${list.join(', ')}${list.length > 0 && random.chance(20) ? ',' : ''}}`;
}

export function schemaText(random, world) {
  let out = '';
  for (const space of world.spaces) {
    let body = '';
    for (const t of world.types.filter((t) => t.space === space)) {
      if (t.ids) {
        body += `entity ${t.base} enum [${t.ids.map((id) => literal(random, id)).join(', ')}];\n`;
        continue;
      }
      const parents = t.parents.length === 1 && random.chance(50) ? ` in ${t.parents[0]}`
        : t.parents.length > 0 ? ` in [${t.parents.join(', ')}]` : '';
      const shape = Object.keys(t.attributes).length > 0 ? `${random.chance(50) ? ' =' : ''} ${attributesText(random, t.attributes)}` : '';
      body += `entity ${t.base}${parents}${shape}${t.tags ? ` tags ${typeText(random, t.tags)}` : ''};\n`;
    }
    for (const a of world.actions.filter((a) => a.space === space)) {
      const parents = a.parents.length > 0
        ? ` in [${a.parents.map((p) => (p.space === space ? '' : `${p.type}::`) + literal(random, p.id)).join(', ')}]` : '';
      const applies = a.principals ? ` appliesTo {principal: [${a.principals.join(', ')}], resource: [${a.resources.join(', ')}], `
        + `context: ${attributesText(random, a.context.attributes)}}` : '';
      body += `action ${literal(random, a.id)}${parents}${applies};\n`;
    }
    out += space ? `namespace ${space} {\n${body}}\n` : body;
  }
  return out;
}

// ---- Values as JSON ----

export const idOf = (random, type) => (type?.ids && random.chance(95) ? random.pick(type.ids) : random.pick(ids.slice(0, random.chance(80) ? 4 : ids.length)));

export function randomUid(random, world, name) {
  return { type: name, id: idOf(random, world.types.find((t) => t.name === name)) };
}

const wrap = (random, schema, key, inner) => (schema && random.chance(30) ? inner : { [key]: inner });

/** `options.wrong` percent are of another type; `options.schema`: short forms
 * are understood. */
export function randomValue(random, world, type, options) {
  if (random.chance(options.wrong)) type = randomType(random, world, 1);
  switch (type.kind) {
    case 'Bool': return random.chance(50);
    case 'Long': return random.pick(smallLongs);
    case 'String': return random.pick(strings);
    case 'Entity': return wrap(random, options.schema, '__entity', randomUid(random, world, type.name));
    case 'Set': return Array.from({ length: random.between(0, 4) }, () => randomValue(random, world, type.element, options));
    case 'Record': return randomRecordValue(random, world, type.attributes, options);
    default: {
      const arg = extensionText(random, type.name, options.wrong / 4);
      if (options.schema && random.chance(30)) return arg;
      if (type.name === 'datetime' && random.chance(5)) {
        return { __extn: { fn: 'offset', args: [{ __extn: { fn: 'datetime', arg } }, { __extn: { fn: 'duration', arg: '1d' } }] } };
      }
      return wrap(random, options.schema, '__extn', { fn: extensions[type.name].fn, arg });
    }
  }
}

export function randomRecordValue(random, world, attributes, options) {
  const out = Object.create(null);
  for (const [name, a] of Object.entries(attributes)) {
    const left = a.required ? options.wrong : 50;
    if (!random.chance(left)) out[name] = randomValue(random, world, a.type, options);
  }
  if (random.chance(options.wrong / 2)) out[random.pick(names)] = randomValue(random, world, { kind: 'Long' }, options);
  return out;
}

/** Entities whose parents come later in the list: no cycles, but for few. */
export function randomEntities(random, world, options) {
  const uids = new Map();
  for (let i = 0, n = random.between(0, 10); i < n; i++) {
    const type = random.pick(world.types);
    const uid = randomUid(random, world, type.name);
    uids.set(JSON.stringify(uid), { uid, type });
  }
  const all = [...uids.values()];
  const list = all.map(({ uid, type }, i) => {
    const later = random.chance(1) ? all : all.slice(i + 1);
    const may = later.filter((e) => type.parents.includes(e.type.name) || random.chance(options.wrong / 4));
    const parents = random.some(may, 50).map((e) => e.uid);
    if (type.parents.length > 0 && random.chance(15)) parents.push(randomUid(random, world, random.pick(type.parents)));
    const entity = { uid: random.chance(10) ? { __entity: uid } : uid,
      attrs: type.ids ? {} : randomRecordValue(random, world, type.attributes, options),
      parents: parents.filter((p) => JSON.stringify(p) !== JSON.stringify(uid)) };
    if (type.tags) {
      entity.tags = Object.create(null);
      for (const name of random.some(names.slice(0, 4), 50)) entity.tags[name] = randomValue(random, world, type.tags, options);
    }
    return entity;
  });
  if (list.length > 0 && random.chance(2)) list.push(random.pick(list));
  // Without a schema nobody else says how actions are grouped.
  if (!options.schema) {
    for (const a of world.actions) {
      if (random.chance(80)) list.push({ uid: { type: a.type, id: a.id }, attrs: {}, parents: a.parents.map((p) => ({ type: p.type, id: p.id })) });
    }
  }
  return list;
}

export function randomRequest(random, world, options) {
  const usable = world.actions.filter((a) => a.principals);
  const action = random.chance(98) ? random.pick(usable) : random.pick(world.actions);
  const any = () => random.pick(world.types).name;
  const principal = action.principals && !random.chance(options.wrong / 4) ? random.pick(action.principals) : any();
  const resource = action.resources && !random.chance(options.wrong / 4) ? random.pick(action.resources) : any();
  return { principal: randomUid(random, world, principal), action: { type: action.type, id: action.id },
    resource: randomUid(random, world, resource),
    context: randomRecordValue(random, world, action.context?.attributes ?? {}, options) };
}
