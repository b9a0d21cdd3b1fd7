// load.mjs - what the fault tests of the whole program share: a seed, a load
// that remembers what it was answered, and the check against the evidence.
import { spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';
import { BIN, KEYS } from '../flow/lib/writ.mjs';

process.setMaxListeners(0); // every node started adds one, for its own end

export const seed = Number(process.env.FAULT_SEED ?? 1);
export const all = process.env.TESTS === 'all';
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
export function randomness(from = seed) {
  let a = from >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One call; resolves to {status, id, code}, status 0 when the connection broke. */
export function call(writ, { model = 'm', stream = false, agent, key = KEYS.alice } = {}) {
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hello' }] });
  return new Promise((resolve) => {
    const req = http.request({
      host: '127.0.0.1', port: writ.port, path: '/v1/chat/completions', method: 'POST', agent,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': body.length },
    }, (res) => {
      let text = '';
      res.on('data', (d) => { text += d; });
      res.on('error', () => {});
      res.on('close', () => {
        const whole = res.complete;
        let code;
        try { code = JSON.parse(text).error?.code; } catch { /* a stream, or broken off */ }
        resolve({ status: res.statusCode, whole, code, id: res.headers['writ-decision-id'], text });
      });
    });
    req.on('error', () => resolve({ status: 0 }));
    req.setTimeout(30000, () => req.destroy());
    req.end(body);
  });
}

/** Calls on and on, `width` at a time, `gap` ms apart; every fourth is a stream. */
export class Load {
  answered = [];
  statuses = {};
  on = true;

  constructor(writ, width = 8, gap = 0) {
    this.gap = gap;
    this.agent = new http.Agent({ keepAlive: true });
    this.done = Promise.all(Array.from({ length: width }, (_, i) => this.#run(writ, i % 4 === 3)));
  }

  async #run(writ, stream) {
    while (this.on) {
      const r = await call(writ, { stream, agent: this.agent });
      const name = r.code ? `${r.status} ${r.code}` : r.status;
      this.statuses[name] = (this.statuses[name] ?? 0) + 1;
      // An answer whose head has come is an answer: its intent was durable.
      if (r.status === 200) this.answered.push(r.id);
      const gap = r.status === 200 ? this.gap : 10;
      if (gap > 0) await pause(gap);
    }
  }

  get ok() { return this.answered.length; }

  async stop() {
    this.on = false;
    await this.done;
    this.agent.destroy();
  }
}

const SHOWN_MAX = 1000000; // what `ledger show` gives at most

/** The last intents, one after the other: there may be more than fit. */
async function* intentsOf(writ) {
  const child = spawn(BIN, ['ledger', 'show', '--json', '--kind', 'intent', '--last', String(SHOWN_MAX), '--data', path.join(writ.dir, 'data')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('close', resolve); });
  for await (const line of readline.createInterface({ input: child.stdout })) yield JSON.parse(line).entry;
  if ((await ended) !== 0) throw new Error('ledger show failed');
}

/** What is missing in the evidence, in words. */
export async function missing(writ, { answered, requests }) {
  const found = [], intents = new Set();
  let n = 0;
  for await (const e of intentsOf(writ)) {
    intents.add(e.id);
    n++;
  }
  if (n === SHOWN_MAX) answered = answered.slice(-SHOWN_MAX / 2);
  const lost = answered.filter((id) => !intents.has(id));
  if (lost.length > 0) found.push(`${lost.length} of ${answered.length} answered calls have no intent: ${lost.slice(0, 3)}`);
  if (requests > n && n < SHOWN_MAX) found.push(`the provider saw ${requests} requests, the ledger has ${n} intents`);
  const v = await writ.verify();
  if (v.code !== 0) found.push(`verify: ${v.out}${v.err}`);
  return found;
}

/** Counts, and prints a line each; the last one is what tests/fault/run reads. */
export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;

  case(name, problems) {
    if (problems.length === 0) this.passed++;
    else this.failed++;
    console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}${problems.map((p) => `\n     ${p}`).join('')}`);
  }

  skip(name, why) {
    this.skipped++;
    console.log(`*** LEFT OUT: ${name}: ${why} ***`);
  }

  end() {
    console.log(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
    process.exit(this.failed === 0 ? 0 : 1);
  }
}
