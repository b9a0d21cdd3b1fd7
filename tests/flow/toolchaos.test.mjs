// Callers who hang up, cancel, answer and leave, at tool servers that do
// whatever comes to them, while people suspend, end sessions and reload.
// Afterwards nothing is left, and nothing was done that is not in the ledger.
// CHAOS_SEED repeats the choices of a run, CHAOS_MS makes it longer.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { begin, http, open, post, stdio, tools } from './lib/mcp.mjs';
import { ToolServer, schema, text } from './lib/toolserver.mjs';
import { Writ } from './lib/writ.mjs';

const FAULTY = path.join(import.meta.dirname, 'lib/faulty_stdio.mjs');
const MARK = `writ-chaos-${process.pid}`;
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1e9), MS = Number(process.env.CHAOS_MS ?? 4000);
const PATIENCE_MS = 20000; // for what takes 600 ms at most, on a machine that is busy

let state = seed;
const below = (n) => {
  state = (state * 1103515245 + 12345) % 2147483648;
  return Math.floor(state / 65536) % n;
};
const pick = (list) => list[below(list.length)];

const answer = (id, s = 'fine') => JSON.stringify({ jsonrpc: '2.0', id, result: text(s) });
const events = (res) => { if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(); return (s) => res.write(s); };
const plain = ({ res, id }) => res.writeHead(200, { 'content-type': 'application/json' }).end(answer(id));
const asks = [
  ['sampling/createMessage', { messages: [{ role: 'user', content: { type: 'text', text: '?' } }], maxTokens: 5 }],
  ['elicitation/create', { message: '?', requestedSchema: { type: 'object', properties: {} } }],
];
/** What a server may do to a call. */
const acts = [
  plain, plain,
  () => {},
  ({ res }) => res.socket?.destroy(),
  ({ res }) => res.socket?.resetAndDestroy(),
  ({ res }) => res.writeHead(pick([400, 404, 500, 202, 307])).end(),
  ({ res, id }) => { events(res)(`data: ${answer(id).slice(0, 30)}`); setTimeout(() => res.socket?.destroy(), below(20)); },
  ({ res, id }) => { events(res)(`id: ${id}\nretry: ${below(50)}\ndata: \n\n`); setTimeout(() => res.end(), below(20)); },
  ({ res, id }) => { events(res)(`data: ${answer(id, 'x'.repeat(below(300000)))}\n\n`); res.end(); },
  ({ res, id }) => { events(res)(`data: ${answer(id, 'x'.repeat(3 << 20))}\n\n`); },
  ({ res }) => { events(res)('data: hello\n\n'); },
  ({ notify, meta, res, id }) => {
    let n = 0;
    const timer = setInterval(() => { notify('notifications/progress', { progressToken: meta?.progressToken ?? id, progress: ++n }); if (n > 20) { clearInterval(timer); res.end(`data: ${answer(id)}\n\n`); } }, 3);
    res.on('close', () => clearInterval(timer));
  },
  async ({ ask, res, id }) => { await ask(...pick(asks)); res.end(`data: ${answer(id)}\n\n`); },
  ({ server }) => server.sessions.clear(),
  (x) => {
    for (const s of x.server.streams.values())
      pick([() => s.write('data: x\n\n'), () => s.end(), () => s.destroy(), () => s.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })}\n\n`)])();
    plain(x);
  },
];
const pipeActs = ['answers', 'exits', 'kills itself', 'exits in mid-answer', 'closes its output', 'writes what is no message', 'answers too much', 'hangs', 'answers to nobody, and twice'];

const children = () => fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n)).filter((n) => {
  try { return fs.readFileSync(`/proc/${n}/cmdline`, 'latin1').split('\0').includes(MARK); } catch { return false; }
});

test('chaos of tools', async (t) => {
  t.diagnostic(`CHAOS_SEED=${seed}`);
  const act = { description: 'Acts', inputSchema: schema(), call: (_, x) => pick(acts)(x) };
  const server = await ToolServer.start({ act, act_and_write: act }), shared = await ToolServer.start({ act });
  const risk = 'risk: {"*": [read], act_and_write: [write]}, idle: 1s, result: 2MB, timeout: 300ms, max: 600ms';
  const sections = (place) => ['workers: 2', 'server: {drain: 1s}', tools(
    http('web', `${server.url}${place}`, `${risk}, sampling: true, elicitation: true`),
    http('shared', shared.url, `${risk}, shared: true`),
    stdio('pipe', [FAULTY, MARK], risk))].join('\n');
  const policy = 'permit (principal, action, resource);';
  const agent = { kind: 'agent', models: [], risk: ['read', 'write', 'trigger', 'purchase', 'deploy', 'export', 'secret', 'regulated', 'admin'] };
  const writ = await Writ.start({
    providers: { main: { url: 'http://127.0.0.1:9/v1' } }, models: { m: '{routes: [{provider: main, model: m}]}' },
    callers: { alice: agent, bob: agent }, more: sections(0), prepare: (w) => w.addPolicy('tools.cedar', policy),
  });
  let on = true, number = 0, answered = 0;

  /** Every answer ends. */
  const end = (s, body) => Promise.race([s.ended, sleep(PATIENCE_MS, undefined, { ref: false }).then(() => { throw new Error(`no end of ${JSON.stringify(body)}: ${s.text().slice(0, 300)}`); })]);
  /** Answers whatever is asked on a stream. */
  function attend(s, to) {
    const done = new Set();
    return setInterval(() => {
      for (const m of s.res ? s.messages() : []) {
        if (m.method === undefined || m.id === undefined || done.has(m.id)) continue;
        done.add(m.id);
        const result = m.method === asks[0][0] ? { model: 'm', role: 'assistant', content: { type: 'text', text: 'y' } } : { action: 'accept', content: {} };
        post(writ, { jsonrpc: '2.0', id: m.id, result }, to).catch(() => {});
      }
    }, 10);
  }
  async function call(to) {
    const name = to.server === 'pipe' ? 'fault' : to.server === 'web' ? pick(['act', 'act_and_write']) : 'act';
    const body = { jsonrpc: '2.0', id: ++number, method: 'tools/call', params: { name, arguments: to.server === 'pipe' ? { how: pick(pipeActs) } : {}, ...(below(2) && { _meta: { progressToken: number } }) } };
    const what = below(30);
    const s = await open(writ, body, { ...to, unanswered: true });
    if (what < 3) { await sleep(below(30)); s.destroy(); return; }
    if (what < 6) { await sleep(below(30)); await post(writ, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: body.id } }, to).catch(() => {}); }
    if (what === 6) { await sleep(below(30)); await post(writ, undefined, { ...to, method: 'DELETE' }).catch(() => {}); }
    if (what < 10) { s.res?.pause(); await sleep(below(50)); s.res?.resume(); }
    const attending = what < 20 ? attend(s, to) : undefined;
    await end(s, body).finally(() => clearInterval(attending));
    answered += s.status === 200 ? 1 : 0;
  }
  async function visit() {
    const to = { name: pick(['alice', 'bob']), server: pick(['web', 'web', 'web', 'shared', 'shared', 'pipe']), timeout: PATIENCE_MS };
    to.session = await begin(writ, { ...to, capabilities: pick([{}, { sampling: {}, elicitation: {} }]) }).catch(() => undefined);
    if (to.session === undefined) return; // suspended, or the server was not to be had
    const listening = below(3) === 0 ? await open(writ, undefined, to).catch(() => undefined) : undefined;
    await Promise.all(Array.from({ length: 1 + below(4) }, async () => { for (let i = below(4); i >= 0 && on; i--) await call(to); }));
    listening?.destroy();
    if (below(4) > 0) await post(writ, undefined, { ...to, method: 'DELETE' }).catch(() => {});
  }
  const changes = [
    async (i) => { await writ.configure({ more: sections(i % 3) }); await writ.addPolicy('tools.cedar', policy); writ.signal('SIGHUP'); },
    async () => { await writ.admin('POST', 'agents/acme/bob/suspend', { reason: 'x' }); await sleep(below(50)); await writ.admin('POST', 'agents/acme/bob/resume', { reason: 'x' }); },
    async () => { const { sessions } = JSON.parse((await writ.admin('GET', 'sessions')).body); if (sessions.length > 0) await writ.admin('POST', `sessions/${pick(sessions).id}/end`, { reason: 'x' }); },
  ];

  const gateway = await writ.pid('gateway');
  const running = Array.from({ length: 6 }, async () => { while (on) await visit(); });
  running.push((async () => { for (let i = 1; on; i++) { await sleep(200 + below(300)); await pick(changes)(i); } })());
  setTimeout(() => { on = false; }, MS);
  await Promise.all(running).finally(() => { on = false; });
  assert.ok(answered > 0);

  await writ.until(async () => { const s = await writ.status(); return s.calls.open === 0 && s.ledger.open_intents === 0; }, PATIENCE_MS, 'settled');
  await writ.until(() => children().length === 0, PATIENCE_MS, 'without children');
  await writ.until(() => server.streams.size + shared.streams.size === 0, PATIENCE_MS, 'without links');
  assert.equal(await writ.pid('gateway'), gateway);
  const entries = await writ.entries();
  const intents = entries.filter((e) => e.kind === 'intent'), outcomes = new Set(entries.filter((e) => e.kind === 'outcome').map((e) => e.intent));
  for (const [name, s] of [['web', server], ['shared', shared]]) {
    const known = intents.filter((e) => e.action === 'tool:call' && e.resource.id.startsWith(`${name}/`)).length;
    assert.ok(s.calls.length <= known, `${name} saw ${s.calls.length} calls, the ledger has ${known}`);
  }
  assert.deepEqual(intents.filter((e) => !outcomes.has(e.index)), []);
  await writ.finish();
  await server.stop();
  await shared.stop();
});
