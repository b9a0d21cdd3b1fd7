// Hundreds of calls at a time by callers who leave, stall and pipeline, to
// providers who stall, fail and break off, while the config is reloaded.  What
// happened is not foreseen; what must hold afterwards is: nothing is open,
// every intent has one outcome, nothing went out without an intent, every
// answer is in the ledger.  CHAOS_SEED repeats a run.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import http2 from 'node:http2';
import { randomness } from '../fault/load.mjs';
import { Provider, completion, pause, streamed } from './lib/provider.mjs';
import { Wire } from './lib/wire.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const seed = Number(process.env.CHAOS_SEED ?? (process.env.TESTS === 'all' ? Date.now() % 1000000 : 1));
const calls = process.env.TESTS === 'all' ? 20000 : 1500, width = 48;
const random = randomness(seed);
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];

const manners = {
  plain: (x) => (x.body.stream ? undefined : x.json(200, completion('m'))),
  slow: async (x) => { await pause(below(100)); x.json(200, completion('m')); },
  big: (x) => x.json(200, completion('m', 'x'.repeat(300000))),
  error: (x) => x.error(pick([400, 401, 404, 429, 500, 503]), 'e'),
  reset: (x) => x.reset(),
  stall: () => {},
  short: (x) => { x.res.writeHead(200, { 'content-type': 'application/json', 'content-length': 900 }); x.res.write('{'); setTimeout(() => x.reset(), below(40)); },
  garbage: (x) => { x.res.writeHead(200, { 'content-type': 'application/json' }); x.res.end('{"choi'); },
};
const streams = {
  whole: async (x) => { x.begin(); await x.send(streamed('m', true), below(3)); x.res.end(); },
  long: async (x) => { x.begin(); for (let i = 0; i < 200 && !x.closed; i++) await x.send([streamed('m', true)[1]], below(5)); await x.send(['data: [DONE]\n\n']); x.res.end(); },
  torrent: async (x) => { x.begin(); for (let i = 0; i < 300 && !x.closed; i++) await x.send([`data: {"choices":[],"pad":"${'x'.repeat(8000)}"}\n\n`]); await x.send(['data: [DONE]\n\n']); x.res.end(); },
  broken: async (x) => { x.begin(); await x.send(streamed('m', true).slice(0, below(8)), 1); x.reset(); },
  unended: async (x) => { x.begin(); await x.send(streamed('m', true).slice(0, 4)); x.res.end(); },
  silent: async (x) => { x.begin(); await x.send(streamed('m', true).slice(0, 2)); },
  refused: (x) => x.error(pick([429, 500]), 'e'),
};

const body = (stream, model = 'm') => JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'x'.repeat(below(4) === 0 ? below(60000) : 5) }] });
const raw = (text) => `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${KEYS.alice}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;

const answered = [];
function note(wire) {
  for (const a of wire.answers) if (a.status === 200 && a.headers['writ-decision-id']) answered.push(a.headers['writ-decision-id']);
}

const callers = {
  async waits(port) {
    const w = Wire.connect(port).write(raw(body(random() < 0.5)));
    await w.final(1, 8000);
    note(w);
    w.destroy();
  },
  async leaves(port) {
    const w = Wire.connect(port).write(raw(body(random() < 0.7)));
    await pause(below(60));
    if (random() < 0.5) w.socket.resetAndDestroy();
    else w.destroy();
  },
  async leavesEarly(port) {
    const text = raw(body(true));
    const w = Wire.connect(port).write(text.slice(0, below(text.length)));
    await pause(below(20));
    w.destroy();
  },
  async halfCloses(port) {
    const w = Wire.connect(port).write(raw(body(random() < 0.5)));
    w.socket.end();
    await w.ended(8000);
    w.destroy();
  },
  async pipelines(port) {
    const n = 2 + below(4);
    const w = Wire.connect(port).write(Array.from({ length: n }, () => raw(body(random() < 0.3))).join(''));
    await w.final(1 + below(n), 8000);
    note(w);
    w.destroy();
  },
  async readsSlowly(port) {
    const w = Wire.connect(port).write(raw(body(true)));
    await w.until(() => w.received.length > 0, 3000);
    w.socket.pause();
    await pause(below(200));
    w.socket.resume();
    await pause(below(200));
    w.destroy();
  },
  async manyStreams(port) {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    await Promise.all(Array.from({ length: 1 + below(10) }, () => new Promise((resolve) => {
      const s = session.request({ ':method': 'POST', ':path': '/v1/chat/completions', authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json' });
      s.on('response', (h) => { if (h[':status'] === 200) answered.push(h['writ-decision-id']); });
      s.on('error', () => {});
      s.on('close', resolve);
      s.resume();
      s.end(body(random() < 0.5));
      if (random() < 0.4) setTimeout(() => s.close(http2.constants.NGHTTP2_CANCEL), below(60));
      setTimeout(() => s.destroy(), 8000).unref();
    })));
    if (random() < 0.5) session.destroy();
    else session.close();
  },
};

test(`chaos, seed ${seed}: what must hold, holds`, { timeout: 600000 }, async () => {
  const provider = await Provider.start(), spare = await Provider.start();
  const handler = (x) => (x.body.stream ? pick(Object.values(streams)) : pick(Object.values(manners)))(x);
  for (const p of [provider, spare]) p.on('m', handler);
  const quick = 'timeouts: {head: 300ms, idle: 300ms}';
  const writ = await Writ.start({
    providers: { main: { url: provider.url, more: quick }, spare: { url: spare.url, more: quick } },
    models: { m: '{routes: [{provider: main, model: m}], fallback: [{provider: spare, model: m}]}' },
    callers: { alice: { models: ['m'] } },
    more: 'server: {head_timeout: 1s, body_idle: 1s, idle_timeout: 1s, write_idle: 1s}',
  });
  const pid = await writ.pid('gateway');
  const fds = () => readdirSync(`/proc/${pid}/fd`).length;
  const before = fds();

  let left = calls, on = true;
  const reloads = (async () => { while (on) { await pause(100 + below(300)); writ.signal('SIGHUP'); } })();
  await Promise.all(Array.from({ length: width }, async () => {
    while (left-- > 0) await pick(Object.values(callers))(writ.port);
  }));
  on = false;
  await reloads;

  await writ.until(async () => { const s = await writ.status(); return s.calls.open === 0 && s.ledger.open_intents === 0; }, 10000, 'settled');
  const entries = await writ.entries();
  const intents = new Map(entries.filter((e) => e.kind === 'intent').map((e) => [e.index, e]));
  const closed = new Map();
  for (const e of entries) if (e.kind === 'outcome') closed.set(e.intent, (closed.get(e.intent) ?? 0) + 1);
  const counts = {};
  for (const e of entries) if (e.kind === 'outcome') counts[e.status] = (counts[e.status] ?? 0) + 1;
  console.log(`  ${intents.size} intents, ${answered.length} answered, outcomes ${JSON.stringify(counts)}`);
  assert.deepEqual([...intents.keys()].filter((i) => closed.get(i) !== 1), [], 'every intent has one outcome');
  assert.deepEqual([...closed.keys()].filter((i) => !intents.has(i)), [], 'every outcome has an intent');
  const sent = provider.requests.length + spare.requests.length;
  assert.ok(sent <= intents.size, `${sent} went out, ${intents.size} intents`);
  const ids = new Set([...intents.values()].map((e) => e.id));
  assert.deepEqual(answered.filter((id) => !ids.has(id)), [], 'every answer is in the ledger');
  assert.ok(['ok', 'error', 'failed', 'interrupted'].every((s) => counts[s] > 0), JSON.stringify(counts));
  for (const p of [provider, spare]) p.server.closeAllConnections(); // those that were kept
  // A caller of HTTP/2 may keep its session open for eight seconds of its own.
  await writ.until(() => fds() <= before + 4, 20000, `descriptors back to ${before}`);
  assert.equal(await writ.pid('gateway'), pid);
  await writ.finish();
  for (const p of [provider, spare]) await p.stop();
});
