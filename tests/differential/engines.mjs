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
  const v = wasm.validate({ schema: world.schema, policies: policySet(world) });
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

const isTemplate = (text) => /\?(principal|resource)/.test(text);

/** Policies and links as they want them: templates apart. */
function policySet(world) {
  if (!world.links) return { staticPolicies: world.policies };
  const set = { staticPolicies: {}, templates: {}, templateLinks: [] };
  world.parts.forEach((text, i) => { set[isTemplate(text) ? 'templates' : 'staticPolicies'][`policy${i}`] = text; });
  for (const { template, id, principal, resource } of world.links) {
    const values = {};
    if (principal) values['?principal'] = principal;
    if (resource) values['?resource'] = resource;
    set.templateLinks.push({ templateId: template, newId: id, values });
  }
  return set;
}

function policyAsJson(text) {
  const made = isTemplate(text) ? wasm.templateToJson(text) : wasm.policyToJson(text);
  if (made.type !== 'success') throw new Error(first(made));
  return made.json;
}

/** The policies' JSON form, or undefined: they do not parse. */
export function policiesAsJson(world) {
  // JavaScript has no integers of 64 bits.
  if (/[0-9]{16}/.test(world.policies) || wasm.policySetTextToParts(world.policies).type !== 'success') return undefined;
  const set = policySet({ ...world, links: world.links ?? [] });
  for (const kind of ['staticPolicies', 'templates']) {
    for (const [id, text] of Object.entries(set[kind])) set[kind][id] = policyAsJson(text);
  }
  return set;
}

/** One policy's JSON form, or undefined. */
export function policyJson(text) {
  if (/[0-9]{16}/.test(text)) return undefined;
  const made = isTemplate(text) ? wasm.templateToJson(text) : wasm.policyToJson(text);
  return made.type === 'success' ? made.json : undefined;
}

function parsePolicies(world) {
  if (world.as_json) {
    const json = JSON.parse(world.policies);
    const parsed = wasm.checkParsePolicySet({ staticPolicies: { policy0: json } });
    return parsed.type === 'success' ? parsed : wasm.checkParsePolicySet({ templates: { policy0: json } });
  }
  // Templates are no static policies; whether they parse is asked elsewhere.
  return world.entities === undefined ? wasm.policySetTextToParts(world.policies) : wasm.preparsePolicySet('p', policySet(world));
}

/** Theirs, in the same form. */
export function theirs(world) {
  const out = {};
  if (world.schema !== null && world.schema !== undefined) {
    const parsed = wasm.preparseSchema('s', world.as_json ? JSON.parse(world.schema) : world.schema);
    if (parsed.type !== 'success') out.bad_schema = first(parsed);
  }
  if (world.policies !== undefined) {
    const parsed = parsePolicies(world);
    if (parsed.type !== 'success') out.bad_policies = first(parsed);
  }
  if (world.tell_policies) out.json = policiesAsJson(world);
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
