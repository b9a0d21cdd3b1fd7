// writ.mjs - starts the real program on a configuration of the test's own.
//
// The program is $WRIT_BIN.  Everything it writes goes into a temporary
// folder that is removed when the test has passed.
import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';

// A file that takes too long is told to end by the runner.
process.once('SIGTERM', () => process.exit(143));

export const BIN = process.env.WRIT_BIN ?? path.resolve(import.meta.dirname, '../../../build/dev/writ');
export const KEYS = { alice: 'writ-test-alice-0123456789abcdef', bob: 'writ-test-bob-0123456789abcdef00' };

/**
 * A port that was free a moment ago, below those that the kernel gives to
 * outgoing connections: one of these could take it while a node restarts.
 */
export async function freePort() {
  for (;;) {
    const port = 10000 + Math.floor(Math.random() * 20000);
    const server = net.createServer().listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(() => true, () => false);
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Runs a command of the program; resolves to {code, out, err}. */
export function run(args, { input = '', env = {}, cwd } = {}) {
  return new Promise((resolve) => {
    const child = execFile(BIN, args, { env: { ...process.env, ...env }, cwd, maxBuffer: 64 << 20 }, (error, out, err) => {
      resolve({ code: error ? (error.code ?? 1) : 0, out, err });
    });
    child.stdin.on('error', () => {}); // it need not read to its end
    child.stdin.end(input);
  });
}

/** The usual configuration; `listen` is more listeners, `more` is YAML appended at the top level. */
export function config({ port, providers, models, listen = '', more = '' }) {
  return [
    'node: gw-test',
    `listen: [{address: "127.0.0.1:${port}"}${listen && `, ${listen}`}]`,
    'data: ./data',
    'tenants: {acme: {regions: [eu]}, other: {regions: [eu]}}',
    'providers:', ...Object.entries(providers).map(([name, p]) =>
      `  ${name}: {dialect: openai, url: "${p.url}", region: eu, credential: [{env: PROVIDER_KEY}]${p.more ? `, ${p.more}` : ''}}`),
    'models:', ...Object.entries(models).map(([name, m]) => `  ${name}: ${m}`),
    'policies: {dir: policies}',
    more, '',
  ].join('\n');
}

/** The entity that a caller is, as policies name it. */
export function entity(name, { kind = 'application', tenant = 'acme' }) {
  if (kind === 'agent') return `Writ::Agent::"${tenant}/${name}"`;
  return `Writ::${kind === 'human' ? 'User' : kind === 'workload' ? 'Workload' : 'Application'}::"keys|${name}"`;
}

/** A policy for each caller that may use anything: exactly its models. */
export function policies(callers) {
  return Object.entries(callers).filter(([, c]) => c.models.length > 0).map(([name, c]) =>
    `@id("${name}")\npermit (principal == ${entity(name, c)},\n        action in [Writ::Action::"model:invoke", Writ::Action::"model:embed"],\n        resource)\n` +
    `when { [${c.models.map((m) => `Writ::Model::"${m}"`).join(', ')}].contains(resource) };\n`).join('\n');
}

export class Writ {
  stderr = '';

  /**
   * Starts a node: `providers` name -> {url}, `models` alias -> YAML of its
   * routes, `callers` name -> {models}, who are registered once it serves.
   * `prepare` may change the folder first.
   */
  static async start({ providers, models, callers, listen, more, env = {}, prepare = () => {} }) {
    const w = new Writ();
    w.dir = await fs.mkdtemp(path.join(os.tmpdir(), 'writ-flow-'));
    w.file = path.join(w.dir, 'writ.yaml');
    w.env = { PROVIDER_KEY: 'sk-provider-secret', ...env };
    w.options = { providers, models, callers, listen, more };
    w.port = await freePort();
    await w.configure({});
    await prepare(w);
    await w.launch();
    for (const tenant of new Set(['acme', ...Object.values(callers).map((c) => c.tenant ?? 'acme')]))
      await w.register(`owner-${tenant}`, { kind: 'human', tenant, key: `writ-test-owner-${tenant}-0123456789` });
    for (const [name, c] of Object.entries(callers)) await w.register(name, c);
    return w;
  }

  /** Writes the config anew, with changes. */
  async configure(changes) {
    Object.assign(this.options, changes);
    await fs.mkdir(path.join(this.dir, 'policies'), { recursive: true });
    await fs.writeFile(path.join(this.dir, 'policies', 'callers.cedar'), policies(this.options.callers));
    await fs.writeFile(this.file, config({ port: this.port, ...this.options }));
  }

  /** One more file of policies; for `prepare`, or before a reload. */
  addPolicy(name, text) { return fs.writeFile(path.join(this.dir, 'policies', name), text); }

  /** Registers somebody by a key that the test knows. */
  async register(name, { kind = 'application', tenant = 'acme', key = KEYS[name], models: _, ...more }) {
    const res = await this.admin('POST', 'agents', { name, kind, tenant, purposes: ['testing'], expires: '30d',
      ...(more.issuer ? {} : { key_hash: await this.keyHash(key) }), ...(kind === 'human' ? {} : { owner: `owner-${tenant}` }), ...(kind === 'agent' ? { mode: 'autonomous' } : {}), ...more });
    if (res.status !== 201) throw new Error(`register ${name}: ${res.status} ${res.body}`);
    return JSON.parse(res.body);
  }

  /** A request to the admin API over the control socket. */
  admin(method, what, body) {
    return request({ socketPath: path.join(this.dir, 'data', 'control.sock'), path: `/admin/v1/${what}`, method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
  }

  async keyHash(key) {
    const { code, out, err } = await run(['key', 'hash', '--data', path.join(this.dir, 'data')], { input: key });
    if (code !== 0) throw new Error(`key hash: ${err}`);
    return out.trim();
  }

  async launch() {
    this.child = spawn(BIN, ['serve', '--config', this.file], { cwd: this.dir, env: { ...process.env, ...this.env }, stdio: ['ignore', 'inherit', 'pipe'] });
    this.child.stderr.setEncoding('utf8');
    this.child.stderr.on('data', (s) => { this.stderr += s; });
    // A test that fails must not leave a node behind: its processes follow it.
    const { child } = this;
    process.on('exit', () => child.kill('SIGKILL'));
    this.exited = once(this.child, 'exit').then(([code, signal]) => { this.ended = true; return { code, signal }; });
    await this.until(() => this.healthy() , 20000, 'serving');
  }

  async healthy() {
    if (this.ended) throw new Error(`the program ended:\n${this.stderr}`);
    return (await request({ port: this.port, path: '/healthz', timeout: 5000 }).catch(() => null))?.status === 200;
  }

  /** Polls until `what()` is true. */
  async until(what, ms = 10000, name = 'condition') {
    const end = Date.now() + ms;
    for (;;) {
      const value = await what();
      if (value) return value;
      if (Date.now() > end) throw new Error(`not ${name} within ${ms} ms:\n${this.stderr}`);
      await sleep(20);
    }
  }

  get url() { return `http://127.0.0.1:${this.port}/v1`; }

  /** The official SDK, as a caller would use it. */
  client(name = 'alice', options = {}) {
    return new OpenAI({ apiKey: this.options.callers[name]?.key ?? KEYS[name] ?? name, baseURL: this.url, maxRetries: 0, ...options });
  }

  async status() {
    const res = await this.admin('GET', 'status');
    return JSON.parse(res.body);
  }

  async pid(process) { return (await this.status()).processes.find((p) => p.process === process).pid; }

  signal(name) { this.child.kill(name); }

  /** Stops as an operator would; the exit code must be 0. */
  async stop() {
    if (!this.ended) this.signal('SIGTERM');
    const { code } = await this.exited;
    return code;
  }

  /** All evidence, oldest first. */
  async entries() {
    const { code, out, err } = await run(['ledger', 'show', '--json', '--last', '1000000', '--data', path.join(this.dir, 'data')]);
    if (code !== 0) throw new Error(`ledger show: ${err}`);
    return out.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)).map(({ index, entry }) => ({ index, ...entry }));
  }

  async verify() { return run(['ledger', 'verify', path.join(this.dir, 'data', 'ledger')]); }

  /** Stops, checks that nothing crashed and that the log verifies, removes the
   * folder.  A test that kills processes sets `restartsExpected`. */
  async finish() {
    const died = !this.restartsExpected && /"child\.ended"/.test(this.stderr);
    const code = await this.stop();
    if (died) throw new Error(`a process ended:\n${this.stderr}`);
    if (code !== 0) throw new Error(`exit code ${code}:\n${this.stderr}`);
    const v = await this.verify();
    if (v.code !== 0) throw new Error(`verify: ${v.out}${v.err}`);
    await fs.rm(this.dir, { recursive: true, force: true });
  }
}

/** One plain HTTP request, without a pool; resolves to {status, headers, body}; rejects after `timeout` ms of silence. */
export function request({ port, socketPath, path: target, method = 'GET', headers = {}, body, timeout = 0 }) {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: '127.0.0.1', port, socketPath, path: target, method, headers, agent: false }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (s) => { text += s; });
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body: text }));
      res.on('error', reject);
    });
    req.on('error', reject);
    req.setTimeout(timeout, () => req.destroy(new Error(`no answer in ${timeout} ms`)));
    req.end(body);
  });
}
