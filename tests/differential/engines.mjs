// engines.mjs - two engines that are asked the same: ours, a program that
// reads worlds line by line, and @cedar-policy/cedar-wasm.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import readline from 'node:readline';

const require = createRequire(new URL('../flow/package.json', import.meta.url));
const wasm = require('@cedar-policy/cedar-wasm/nodejs');

export const version = wasm.getCedarVersion();

/** Ours: `ask(worlds)` resolves to their answers. */
export class Ours {
  constructor(program) {
    this.waiting = [];
    this.child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => this.child.on('close', (code, signal) => resolve(signal ?? code)));
    this.ended.then((code) => this.waiting.forEach((w) => w.reject(new Error(`${program} ended: ${code}`))));
    this.child.stdin.on('error', () => {});
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift().resolve(JSON.parse(line)));
  }

  ask(worlds) {
    const answers = worlds.map(() => new Promise((resolve, reject) => this.waiting.push({ resolve, reject })));
    this.child.stdin.write(worlds.map((w) => `${JSON.stringify(w)}\n`).join(''));
    return Promise.all(answers);
  }

  async close() {
    this.child.stdin.end();
    return this.ended;
  }
}

const first = (answer) => answer.errors[0]?.message ?? 'no reason';
const sorted = (list) => [...new Set(list)].sort();

function verdicts(world, out) {
  const v = wasm.validate({ schema: world.schema, policies: { staticPolicies: world.policies } });
  if (v.type !== 'success') throw new Error(`validate: ${first(v)}`);
  out.invalid = sorted(v.validationErrors.map((e) => e.policyId));
  // Warnings about looks (confusable identifiers) are not about types, and of
  // a policy with errors the errors are what counts.
  const warnings = v.validationWarnings.filter((e) => /policy is impossible|unable to find an applicable action/.test(e.error.message));
  out.warned = sorted(warnings.map((e) => e.policyId)).filter((id) => !out.invalid.includes(id));
  out.why = v.validationErrors.concat(v.validationWarnings).map((e) => `${e.policyId}: ${e.error.message}`);
}

function request(world, entities, r) {
  const a = wasm.statefulIsAuthorized({ ...r, entities, preparsedPolicySetId: 'p',
    ...(world.schema === null ? {} : { preparsedSchemaName: 's', validateRequest: true }) });
  if (a.type !== 'success') return { failed: first(a) };
  const { decision, diagnostics } = a.response;
  return { decision, reason: sorted(diagnostics.reason), errors: sorted(diagnostics.errors.map((e) => e.policyId)),
    why: diagnostics.errors.map((e) => `${e.policyId}: ${e.error.message}`) };
}

/** Theirs, in the same form. */
export function theirs(world) {
  const out = {};
  if (world.schema !== null && world.schema !== undefined) {
    const parsed = wasm.preparseSchema('s', world.schema);
    if (parsed.type !== 'success') out.bad_schema = first(parsed);
  }
  if (world.policies !== undefined) {
    // Templates are no static policies; whether they parse is asked elsewhere.
    const parsed = world.entities === undefined ? wasm.policySetTextToParts(world.policies)
      : wasm.preparsePolicySet('p', { staticPolicies: world.policies });
    if (parsed.type !== 'success') out.bad_policies = first(parsed);
  }
  if (out.bad_schema !== undefined || out.bad_policies !== undefined || world.entities === undefined) return out;
  const entities = JSON.parse(world.entities);
  if (world.requests === undefined) {
    const parsed = wasm.checkParseEntities({ entities, schema: world.schema });
    if (parsed.type !== 'success') out.bad_entities = first(parsed);
    return out;
  }
  if (world.schema !== null) verdicts(world, out);
  out.answers = world.requests.map((r) => request(world, entities, r));
  return out;
}

/** A schema's JSON form as text, if it has one. */
export function schemaAsJson(text) {
  const made = wasm.schemaToJson(text);
  return made.type === 'success' ? JSON.stringify(made.json) : undefined;
}
