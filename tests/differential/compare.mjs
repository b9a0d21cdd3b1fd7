// compare.mjs - makes cases from seeds, asks both engines, tells differences.
import { Random } from './random.mjs';
import { randomEntities, randomRequest, randomWorld, schemaText } from './world.mjs';
import { randomPolicy } from './policies.mjs';
import { mutate, mutateJson } from './mutate.mjs';
import { schemaAsJson, theirs } from './engines.mjs';

const REQUESTS = 10, TEXTS = 10;

const times = (n, make) => Array.from({ length: n }, make);

function randomPolicies(random, world, wrong) {
  // Of permits alone every one that is satisfied is told, of a mixture less.
  const effects = random.pick([100, 100, 65, 0]);
  return times(random.between(1, 8), () => randomPolicy(random, world, { wrong, permits: effects })).join('\n');
}

/** With a schema, or as far as it would have none. */
function fullCase(random, world, wrong, hasSchema) {
  const options = { schema: hasSchema, wrong: random.pick(hasSchema ? [0, 0, 0, 0, 1] : [0, 5, 20]) };
  return {
    schema: hasSchema ? schemaText(random, world) : null,
    ours_json: random.chance(20), // we get the schema as JSON
    policies: randomPolicies(random, world, wrong),
    entities: JSON.stringify(randomEntities(random, world, options)),
    requests: times(REQUESTS, () => randomRequest(random, world, options)),
  };
}

function entitiesCase(random, world) {
  const schema = random.chance(60) ? schemaText(random, world) : null;
  const entities = randomEntities(random, world, { schema: schema !== null, wrong: random.pick([0, 1, 3]) });
  return { schema, entities: JSON.stringify(mutateJson(random, entities)) };
}

/** What a seed asks: a world with its requests, or some texts of which it is
 * only asked whether they are right. */
export function makeCases(seed) {
  const random = new Random(seed);
  const kind = random.below(10);
  const world = randomWorld(random);
  const wrong = random.pick([0, 0, 1, 2, 5, 10]);
  switch (kind) {
    case 9: return times(TEXTS, () => ({ policies: mutate(random, randomPolicy(random, world, { wrong, permits: 50, slots: random.chance(10) })) }));
    case 8: return times(TEXTS, () => ({ schema: mutate(random, schemaText(random, world)) }));
    case 7: return times(TEXTS, () => entitiesCase(random, world));
    default: return [fullCase(random, world, wrong, kind < 5)];
  }
}

const has = (o, key) => Object.hasOwn(o, key);
const list = (ids) => JSON.stringify([...ids].sort());

/** What differs, a line each; `figures` counts what was compared. */
export function differences(ours, other, figures) {
  const out = [];
  const bad = ['bad_schema', 'bad_policies', ...(other.answers ? [] : ['bad_entities'])];
  for (const key of bad) {
    if (has(ours, key) !== has(other, key)) out.push(`${key}: ours ${ours[key] ?? 'takes it'}; theirs ${other[key] ?? 'takes it'}`);
  }
  if (!other.answers || !ours.answers) {
    figures.texts++;
    if (bad.some((key) => has(other, key))) figures.refused++;
    return out;
  }
  if (other.invalid) {
    figures.verdicts++;
    if (other.invalid.length > 0) figures.invalid++;
    ours.warned = ours.warned.filter((id) => !ours.invalid.includes(id));
    for (const key of ['invalid', 'warned']) {
      if (list(ours[key]) !== list(other[key])) out.push(`${key}: ours ${list(ours[key])}; theirs ${list(other[key])}: ${other.why.join('; ')}`);
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

/** What we are given: the same, but for a schema in its other form. */
function given(world) {
  if (!world.ours_json || world.schema === null) return world;
  return { ...world, schema: schemaAsJson(world.schema) ?? world.schema };
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
