// compare.mjs - makes cases from seeds, asks both engines, tells differences.
import { Random } from './random.mjs';
import { randomEntities, randomRequest, randomUid, randomWorld, schemaText } from './world.mjs';
import { randomFamily, randomPolicy } from './policies.mjs';
import { extensions, isPlain } from './values.mjs';
import { mutate, mutateJson, policyJunk, schemaJunk, valueJunk } from './mutate.mjs';
import { policiesAsJson, policyJson, schemaAsJson, theirs } from './engines.mjs';

const REQUESTS = 10, TEXTS = 10;

const times = (n, make) => Array.from({ length: n }, make);

function randomLinks(random, world, parts) {
  const links = [];
  parts.forEach((text, i) => {
    for (let n = random.between(0, 2); n > 0 && /\?/.test(text); n--) {
      const link = { template: `policy${i}`, id: `link${links.length}` };
      for (const slot of ['principal', 'resource']) {
        if (!text.includes(`?${slot}`)) continue;
        // Only we look whether an enum has what a link names.
        const type = random.pick(world.types);
        link[slot] = type.ids ? { type: type.name, id: random.pick(type.ids) } : randomUid(random, world, type.name);
      }
      if (link.principal || link.resource) links.push(link);
    }
  });
  return links;
}

function randomPolicies(random, world, wrong) {
  // Of permits alone every one that is satisfied is told, of a mixture less.
  const permits = random.pick([100, 100, 65, 0]);
  const linked = random.chance(20);
  const parts = times(random.between(1, linked ? 5 : 8), () => randomPolicy(random, world, { wrong, permits, slots: linked && random.chance(60) }));
  const out = { policies: parts.join('\n'), parts };
  if (linked) out.links = randomLinks(random, world, parts);
  if (random.chance(20)) out.tell_policies = true;
  return out;
}

/** So many that they are worth an index. */
function manyPolicies(random, world, wrong) {
  const options = { wrong, permits: random.pick([100, 65, 0]) };
  const parts = times(random.between(1, 3), () => randomFamily(random, world, options)).flat();
  parts.push(...times(random.between(0, 30), () => randomPolicy(random, world, options)));
  // A file has them in no order.
  for (let i = parts.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [parts[i], parts[j]] = [parts[j], parts[i]];
  }
  return { policies: parts.join('\n'), parts };
}

/** With a schema, or as far as it would have none. */
function fullCase(random, world, wrong, hasSchema, policies = randomPolicies) {
  const options = { schema: hasSchema, wrong: random.pick(hasSchema ? [0, 0, 0, 0, 1] : [0, 5, 20]) };
  return {
    schema: hasSchema ? schemaText(random, world) : null,
    ours_json: random.chance(20), // we get schema and policies as JSON
    ...policies(random, world, wrong),
    entities: JSON.stringify(randomEntities(random, world, options)),
    requests: times(REQUESTS, () => randomRequest(random, world, options)),
  };
}

// Members of what stands in a scope, by the operator of the whole.
const scopeKeys = { All: [], '==': ['entity', 'slot'], in: ['entity', 'slot', 'entities'], is: ['entity_type', 'in'] };
const scopePart = { entity: ['type', 'id', '__entity'], in: ['entity', 'slot'], __entity: ['type', 'id'], entities: ['type', 'id', '__entity'] };

function hasStrangers(part, known) {
  if (typeof part !== 'object' || part === null) return false;
  if (Array.isArray(part)) return part.some((one) => hasStrangers(one, known));
  return Object.entries(part).some(([key, v]) => !known.includes(key) || (scopePart[key] && hasStrangers(v, scopePart[key])));
}

const methods = ['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast', 'isInRange', 'lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual',
  'offset', 'durationSince', 'toDate', 'toTime', 'toDays', 'toHours', 'toMinutes', 'toSeconds', 'toMilliseconds'];
const functions = Object.values(extensions).map((x) => x.fn).concat('isIpv4', 'toDate', 'offset');

/** What only theirs takes, as docs/cedar.md says: members that there are not
 * in the scope of a policy or beside `has`; `has` with names that policy text
 * could not say; a method of nothing; a value made by a function that there
 * is not. */
function isTakenByThem(json) {
  if (typeof json !== 'object' || json === null) return false;
  return Object.entries(json).some(([key, v]) => {
    if (['principal', 'action', 'resource'].includes(key) && hasStrangers(v, ['op', ...(scopeKeys[v?.op] ?? [])])) return true;
    if (key === 'has' && v && (Object.keys(v).some((k) => k !== 'left' && k !== 'attr')
      || (Array.isArray(v.attr) && !v.attr.every((name) => typeof name === 'string' && isPlain(name))))) return true;
    if (methods.includes(key) && Array.isArray(v) && v.length === 0) return true;
    if (key === '__extn' && !functions.includes(v?.fn)) return true;
    return isTakenByThem(v);
  });
}

/** The same of a schema: an array for an object, its members in order. */
function isTakenByThemToo(json) {
  const spaces = Object.values(json);
  const declared = spaces.flatMap((space) => ['entityTypes', 'actions', 'commonTypes'].flatMap((key) => [space?.[key], ...Object.values(space?.[key] ?? {})]));
  return [...spaces, ...declared, ...declared.map((d) => d?.appliesTo)].some(Array.isArray);
}

/** JSON that is almost a policy's. */
function policyJsonCase(random, world) {
  const text = randomPolicy(random, world, { wrong: 1, permits: 50, slots: random.chance(10) });
  const json = policyJson(text);
  const changed = json && mutateJson(random, json, policyJunk);
  return !json || isTakenByThem(changed) ? { policies: text } : { policies: JSON.stringify(changed), as_json: true };
}

/** JSON that is almost a schema's. */
function schemaJsonCase(random, world) {
  const text = schemaText(random, world);
  const json = schemaAsJson(text);
  const changed = json && mutateJson(random, JSON.parse(json), schemaJunk);
  return !json || isTakenByThemToo(changed) ? { schema: text } : { schema: JSON.stringify(changed), as_json: true };
}

function entitiesCase(random, world) {
  const schema = random.chance(60) ? schemaText(random, world) : null;
  const entities = randomEntities(random, world, { schema: schema !== null, wrong: random.pick([0, 1, 3]) });
  return { schema, entities: JSON.stringify(mutateJson(random, entities, valueJunk)) };
}

/** What a seed asks: a world with its requests, or some texts of which it is
 * only asked whether they are right. */
export function makeCases(seed) {
  const random = new Random(seed);
  const kind = random.below(13);
  const world = randomWorld(random);
  const wrong = random.pick([0, 0, 1, 2, 5, 10]);
  switch (kind) {
    case 12: return [fullCase(random, world, wrong, random.chance(50), manyPolicies)];
    case 11: return times(TEXTS, () => schemaJsonCase(random, world));
    case 10: return times(TEXTS, () => policyJsonCase(random, world));
    case 9: return times(TEXTS, () => ({ policies: mutate(random, randomPolicy(random, world, { wrong, permits: 50, slots: random.chance(10) })) }));
    case 8: return times(TEXTS, () => ({ schema: mutate(random, schemaText(random, world)) }));
    case 7: return times(TEXTS, () => entitiesCase(random, world));
    default: return [fullCase(random, world, wrong, kind < 5)];
  }
}

/** JSON with its members in order. */
const canonical = (value) => JSON.stringify(value, (_, v) => (v && typeof v === 'object' && !Array.isArray(v)
  ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v));

const has = (o, key) => Object.hasOwn(o, key);
const list = (ids) => JSON.stringify([...ids].sort());

// Which of the policies is told about; of one with errors, these are what
// counts.
const told = (verdict, key) => list(verdict[key].filter((id) => key === 'invalid' || !verdict.invalid.includes(id)));

/** What differs, a line each; `figures` counts what was compared. */
export function differences(ours, other, figures) {
  const out = [];
  const bad = ['bad_schema', 'bad_policies', 'bad_json', 'bad_format', ...(other.answers ? [] : ['bad_entities'])];
  for (const key of bad) {
    if (has(ours, key) !== has(other, key)) out.push(`${key}: ours ${ours[key] ?? 'takes it'}; theirs ${other[key] ?? 'takes it'}`);
  }
  if (other.json !== undefined && canonical(ours.json) !== canonical(other.json)) {
    out.push(`json: ours ${canonical(ours.json)}; theirs ${canonical(other.json)}`);
  }
  if (!other.answers || !ours.answers) {
    figures.texts++;
    if (bad.some((key) => has(other, key))) figures.refused++;
    return out;
  }
  if (other.invalid) {
    figures.verdicts++;
    if (other.invalid.length > 0) figures.invalid++;
    if ((ours.invalid.length > 0) !== (other.invalid.length > 0)) out.push(`verdict: ours ${list(ours.invalid)}; theirs ${list(other.invalid)}`);
    for (const key of ['invalid', 'warned']) {
      const [a, b] = [told(ours, key), told(other, key)];
      if (a !== b) out.push(`${key}: ours ${a}; theirs ${b}: ${other.why.join('; ')}`);
    }
  }
  other.answers.forEach((b, i) => {
    const a = ours.answers[i] ?? { failed: ours.bad_entities };
    figures.requests++;
    if (has(b, 'failed')) figures.failed++;
    else if (b.decision === 'allow') figures.allowed++;
    if (b.errors?.length > 0) figures.erred++;
    if (has(a, 'failed') !== has(b, 'failed')) out.push(`request ${i}: ours ${a.failed ?? 'answers'}; theirs ${b.failed ?? 'answers'}`);
    else if (!has(a, 'failed')) {
      for (const key of ['decision', 'reason', 'errors']) {
        const [x, y] = key === 'decision' ? [a[key], b[key]] : [list(a[key]), list(b[key])];
        if (x !== y) out.push(`request ${i}: ${key}: ours ${x}; theirs ${y}: ${b.why.join('; ')}`);
      }
    }
  });
  return out;
}

export const noFigures = () => ({ requests: 0, verdicts: 0, texts: 0, allowed: 0, erred: 0, failed: 0, invalid: 0, refused: 0, different: 0 });

/** What we are given: the same, perhaps in its other form. */
function given(world) {
  if (!world.ours_json) return world;
  const out = { ...world };
  if (world.schema !== null) out.schema = schemaAsJson(world.schema) ?? world.schema;
  const policies = policiesAsJson(world);
  if (policies !== undefined) out.policies = JSON.stringify(policies);
  return out;
}

/** Compares seeds from `from` to before `to`; `tell({seed, world, lines})`. */
export async function compareSeeds(ours, from, to, tell) {
  const figures = noFigures();
  for (let at = from; at < to; at += 50) {
    const cases = times(Math.min(50, to - at), (_, i) => makeCases(at + i).map((world) => ({ seed: at + i, world }))).flat();
    const asked = ours.ask(cases.map((c) => given(c.world)));
    const others = cases.map((c) => theirs(c.world));
    const answers = await asked;
    cases.forEach(({ seed, world }, i) => {
      const lines = differences(answers[i], others[i], figures);
      if (lines.length > 0) figures.different++;
      if (lines.length > 0) tell({ seed, world, lines });
    });
  }
  return figures;
}
