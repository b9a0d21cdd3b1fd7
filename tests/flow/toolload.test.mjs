// Calls of tools while the gateway, its helpers and its configuration change
// under them, and while many sessions come and go.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { begin, http, messages, open, post, stdio, tools } from './lib/mcp.mjs';
import { ToolServer, schema, text } from './lib/toolserver.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const FAULTY = path.join(import.meta.dirname, 'lib/faulty_stdio.mjs');
const everything = ['read', 'write', 'trigger', 'purchase', 'deploy', 'export', 'secret', 'regulated', 'admin'];
const agent = { kind: 'agent', models: [], risk: everything };
const permissive = 'permit (principal, action, resource);';
const providers = { main: { url: 'http://127.0.0.1:9/v1' } };
const models = { m: '{routes: [{provider: main, model: m}]}' };
const MARK = `writ-load-${process.pid}`;

/** Our stdio servers that live, by pid. */
const children = () => fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n)).filter((n) => {
  try { return fs.readFileSync(`/proc/${n}/cmdline`, 'latin1').split('\0').includes(MARK); } catch { return false; }
});

/** Tools that wait until the test says so. */
class Held {
  waiting = [];
  tool(result = 'done') { return { description: 'Waits', inputSchema: schema(), call: (_, x) => new Promise((go) => { this.waiting.push({ ...x, go: () => go(text(result)) }); x.res.on('close', () => { x.gone = true; }); }) }; }
  release() { for (const w of this.waiting.splice(0)) w.go(); }
}

let number = 0;
const request = (name, args = {}, meta) => ({ jsonrpc: '2.0', id: ++number, method: 'tools/call', params: { name, arguments: args, ...(meta && { _meta: meta }) } });
const said = (m) => m.result?.content?.[0]?.text ?? JSON.stringify(m);
const reason = (m) => m.result?._meta?.['writ/reason'];
const one = async (writ, to, name, args) => messages(await post(writ, request(name, args), to)).at(-1);
const settled = (writ) => writ.until(async () => { const s = await writ.status(); return s.calls.open === 0 && s.ledger.open_intents === 0; }, 10000, 'settled');
/** Intents of a tool, each with its outcome. */
async function recorded(writ, tool) {
  const entries = await writ.entries();
  const outcomes = new Map(entries.filter((e) => e.kind === 'outcome').map((e) => [e.intent, e]));
  return entries.filter((e) => e.kind === 'intent' && e.resource?.id === tool).map((intent) => ({ intent, outcome: outcomes.get(intent.index) }));
}

describe('tools while processes die', () => {
  const LOOPS = 6;
  const held = new Held();
  let server, writ;

  before(async () => {
    const works = Object.fromEntries(Array.from({ length: LOOPS }, (_, i) => [`work_${i}`, { description: 'Works', inputSchema: schema(), call: () => text('fine') }]));
    server = await ToolServer.start({ ...works, read_slowly: held.tool('what was read'), write_slowly: held.tool('what was written'), hang: { description: 'Hangs', inputSchema: schema(), call: (_, { notify }) => notify('notifications/message', { level: 'error', data: 'at work' }) } }, { capabilities: { tools: { listChanged: true }, logging: {} } });
    writ = await Writ.start({
      providers, models, callers: { alice: agent },
      more: ['workers: 2', 'server: {drain: 2s}', tools(
        http('web', server.url, 'risk: {"work_*": [read], work_0: [write], work_1: [write], work_2: [write], "read_*": [read], hang: [read]}'),
        stdio('pipe', [FAULTY, MARK]))].join('\n'),
      prepare: (w) => w.addPolicy('tools.cedar', permissive),
    });
    writ.restartsExpected = true;
  });
  after(async () => {
    await writ.finish();
    await server.stop();
  });

  const ledger = () => writ.pid('ledger');
  const back = async (name, before) => writ.until(async () => { const now = await writ.pid(name).catch(() => before); return now !== before && writ.healthy(); }, 15000, `${name} is back`);
  /** A call that the server is at work on. */
  async function begun(to, name) {
    const n = held.waiting.length;
    const answer = one(writ, to, name);
    await writ.until(() => held.waiting.length > n, 5000, 'at work');
    return { answer };
  }

  test('rule_25_before_and_after: without an intent on disk no call goes out', async () => {
    const to = { server: 'web', session: await begin(writ, { server: 'web' }) };
    assert.equal(said(await one(writ, to, 'work_0')), 'fine');
    const made = server.calls.length, pid = await ledger();
    process.kill(pid, 'SIGSTOP');
    const waits = one(writ, to, 'work_0');
    await writ.until(async () => (await writ.status()).calls.open > 0, 5000, 'waiting for the ledger');
    await sleep(200);
    assert.equal(server.calls.length, made, 'nothing goes out before');
    process.kill(pid, 'SIGKILL');
    assert.equal(reason(await waits), 'evidence_unavailable');
    assert.equal(server.calls.length, made, 'nor after');
    await back('ledger', pid);
    await writ.until(async () => said(await one(writ, to, 'work_0')) === 'fine', 10000, 'working again');
  });

  test('rule_25_before_and_after: what a tool has done is told when that is on disk', async () => {
    const to = { server: 'web', session: await begin(writ, { server: 'web' }) };
    const read = await begun(to, 'read_slowly'), write = await begun(to, 'write_slowly');
    const pid = await ledger();
    process.kill(pid, 'SIGSTOP');
    held.release();
    assert.equal(said(await read.answer), 'what was read', 'reading has changed nothing');
    const early = await Promise.race([write.answer, sleep(300).then(() => 'nothing yet')]);
    assert.equal(early, 'nothing yet');
    process.kill(pid, 'SIGKILL');
    const m = await write.answer;
    assert.equal(reason(m), 'evidence_unavailable');
    assert.doesNotMatch(JSON.stringify(m), /what was written/);
    await back('ledger', pid);
    await writ.until(async () => said(await one(writ, to, 'work_0')) === 'fine', 10000, 'working again');
  });

  test('a gateway that is killed under load: every call has its intent, sessions are begun anew', async () => {
    const loops = Array.from({ length: LOOPS }, (_, i) => ({ tool: `work_${i}`, reads: i > 2, made: 0, lost: 0, again: 0 }));
    let on = true;
    const run = async (l) => {
      let to = { server: 'web', session: await begin(writ, { server: 'web' }) };
      while (on) {
        const res = await post(writ, request(l.tool), { ...to, timeout: 20000 }).catch(() => null);
        if (res === null) { l.lost++; continue; }
        if (res.status === 404) {
          l.again++;
          to = { server: 'web', session: await begin(writ, { server: 'web' }).catch(() => 'none') };
        } else if (said(messages(res).at(-1)) === 'fine') {
          l.made++;
        }
      }
    };
    const pipe = { server: 'pipe', session: await begin(writ, { server: 'pipe' }) };
    assert.equal(said(await one(writ, pipe, 'fault', { how: 'answers' })), 'fine');
    const families = children();
    assert.ok(families.length > 0);
    const running = loops.map(run);
    for (let round = 0; round < 2; round++) {
      const from = loops.map((l) => l.made);
      await writ.until(() => loops.every((l, i) => l.made > from[i] + 3), 15000, 'under load');
      const pid = await writ.pid('gateway');
      process.kill(pid, 'SIGKILL');
      await back('gateway', pid);
    }
    const from = loops.map((l) => l.made);
    await writ.until(() => loops.every((l, i) => l.made > from[i] + 3), 15000, 'under load again');
    on = false;
    await Promise.all(running);
    for (const l of loops) assert.ok(l.again >= 1, `begun anew: ${JSON.stringify(l)}`);
    await writ.until(() => !children().some((pid) => families.includes(pid)), 10000, 'the dead gateway\'s children are gone');
    assert.equal((await post(writ, request('fault', { how: 'answers' }), pipe)).status, 404);
    await settled(writ);
    for (const l of loops) {
      const made = await recorded(writ, `web/${l.tool}`);
      const seen = server.calls.filter((c) => c.name === l.tool).length;
      assert.ok(seen <= made.length, `${l.tool}: the server saw ${seen}, the ledger has ${made.length}`);
      assert.ok(made.every((m) => m.outcome), 'no intent is left open');
      // An answer of a tool that only reads does not wait for its outcome, which a kill may cost.
      const told = made.filter((m) => m.outcome.status === 'ok' || (l.reads && m.outcome.status === 'unknown')).length;
      assert.ok(told >= l.made, `${l.tool}: callers got ${l.made} answers, the ledger has ${told}`);
    }
  });

  test('a runner that is killed: its servers end with it, calls are told, and the next ones work', async () => {
    const to = { server: 'pipe', session: await begin(writ, { server: 'pipe' }) };
    assert.equal(said(await one(writ, to, 'fault', { how: 'answers' })), 'fine');
    const families = children();
    const calls = Array.from({ length: 4 }, () => one(writ, to, 'fault', { how: 'hangs' }));
    await writ.until(async () => (await writ.status()).calls.open >= 4, 5000, 'at work');
    const pid = await writ.pid('runner');
    process.kill(pid, 'SIGKILL');
    for (const m of await Promise.all(calls)) assert.ok(['upstream_failed', 'upstream_connect'].includes(reason(m)), JSON.stringify(m));
    await writ.until(() => !children().some((c) => families.includes(c)), 10000, 'gone');
    await writ.until(async () => said(await one(writ, to, 'fault', { how: 'answers' })) === 'fine', 15000, 'working again');
    await settled(writ);
  });

  test('a stop with streams open: calls may finish, wherever their links are, until time is up', async () => {
    const sessions = await Promise.all(Array.from({ length: 6 }, async () => ({ server: 'web', session: await begin(writ, { server: 'web' }) })));
    const pipe = { server: 'pipe', session: await begin(writ, { server: 'pipe' }) };
    assert.equal(said(await one(writ, pipe, 'fault', { how: 'answers' })), 'fine');
    const listening = await Promise.all([...sessions, pipe].map((to) => open(writ, undefined, to)));
    for (const s of listening) assert.equal(s.status, 200);
    const calls = sessions.flatMap((to) => [one(writ, to, 'read_slowly'), one(writ, to, 'read_slowly')]);
    await writ.until(() => held.waiting.length === calls.length, 5000, 'at work');
    const streaming = await open(writ, request('hang'), sessions[0]);
    const start = performance.now(), stopped = writ.stop();
    await writ.until(() => /"event":"drain"/.test(writ.stderr), 5000, 'draining');
    while (held.waiting.length > 0) { // one after the other, so that one worker is idle first
      held.waiting.shift().go();
      await sleep(20);
    }
    for (const answer of calls) assert.equal(said(await answer), 'what was read');
    assert.equal(await stopped, 0);
    const took = performance.now() - start;
    assert.ok(took > 1800 && took < 7000, `${took} ms`);
    await Promise.all([...listening, streaming].map((s) => s.ended));
    assert.equal(reason(streaming.messages().at(-1)), 'shutting_down');
    await writ.until(() => children().length === 0, 5000, 'no child is left');
    const { outcome } = (await recorded(writ, 'web/hang')).at(-1);
    assert.equal(outcome?.status, 'interrupted', JSON.stringify(outcome));
  });
});

describe('tools of many sessions, at two workers', () => {
  const held = new Held(), other = new Held();
  let server, second, writ, gateway;
  const ticking = new Set(); // calls of `tick` that run
  let ticks = 0; // of all of them

  const sections = (place) => ['workers: 2', tools(
    http('web', server.url, 'risk: {"*": [read]}, idle: 1s, sampling: true, elicitation: true'),
    http('moves', `${server.url}${place}`, 'risk: {"*": [read]}'),
    http('second', second.url, 'risk: {"*": [read]}, idle: 1s'),
    http('shared', second.url, 'risk: {"*": [read]}, idle: 1s, shared: true'),
    stdio('pipe', [FAULTY, MARK], 'risk: {"*": [read]}, idle: 1s'))].join('\n');

  before(async () => {
    server = await ToolServer.start({
      fine: { description: 'Works', inputSchema: schema({ n: { type: 'integer' } }), call: ({ n }) => text(`fine ${n}`) },
      wait: held.tool(),
      ask: { description: 'Asks', inputSchema: schema({ n: { type: 'integer' } }), call: async ({ n }, { ask }) => text(JSON.stringify(await ask(n % 2 ? 'elicitation/create' : 'sampling/createMessage', n % 2 ? { message: `${n}?`, requestedSchema: { type: 'object', properties: {} } } : { messages: [{ role: 'user', content: { type: 'text', text: `${n}?` } }], maxTokens: 5 }))) },
      tick: {
        description: 'Ticks', inputSchema: schema(),
        call: (_, { notify, meta, res, id }) => { ticking.add(id); const t = setInterval(() => notify('notifications/progress', { progressToken: meta.progressToken, progress: ++ticks }), 5); res.on('close', () => { clearInterval(t); ticking.delete(id); }); },
      },
    });
    second = await ToolServer.start({
      wait: other.tool(),
      count: { description: 'Counts', inputSchema: schema({ n: { type: 'integer' } }), call: ({ n }, { notify, meta, res }) => { let at = 0; const t = setInterval(() => notify('notifications/progress', { progressToken: meta.progressToken, progress: ++at, message: `of ${n}` }), 5); res.on('close', () => clearInterval(t)); } },
    });
    writ = await Writ.start({
      providers, models, callers: { alice: agent, bob: agent }, more: sections(''),
      env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=8:malloc_context_size=4` },
      prepare: (w) => w.addPolicy('tools.cedar', permissive),
    });
    gateway = await writ.pid('gateway');
  });
  after(async () => {
    assert.equal(await writ.pid('gateway'), gateway, 'the gateway never ended');
    await writ.finish();
    await server.stop();
    await second.stop();
  });

  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${gateway}/status`, 'utf8'))[1]) / 1024;
  const session = async (name, options = {}) => ({ server: name, session: await begin(writ, { server: name, ...options }), ...options });

  test('one session over many connections, whatever worker takes them', async () => {
    const to = await session('web');
    const answers = await Promise.all(Array.from({ length: 64 }, (_, n) => one(writ, to, 'fine', { n })));
    assert.deepEqual(answers.map(said), Array.from({ length: 64 }, (_, n) => `fine ${n}`));
    const used = new Set(server.requests.filter((r) => r.body?.params?.name === 'fine').map((r) => r.headers['mcp-session-id']));
    assert.equal(used.size, 1, 'one session there, too');
    await post(writ, undefined, { ...to, method: 'DELETE' });
  });

  test('what a server asks is answered from any connection', async () => {
    const to = await session('web', { capabilities: { sampling: {}, elicitation: {} } });
    await Promise.all(Array.from({ length: 16 }, async (_, n) => {
      const s = await open(writ, request('ask', { n }), to);
      const asked = await writ.until(() => s.messages().find((m) => m.method !== undefined), 10000, 'asked');
      const result = n % 2 ? { action: 'accept', content: { n } } : { model: 'mine', role: 'assistant', content: { type: 'text', text: `yes ${n}` } };
      const res = await post(writ, { jsonrpc: '2.0', id: asked.id, result }, to);
      assert.equal(res.status, 202, res.body);
      await s.ended;
      const got = JSON.parse(said(s.messages().at(-1)));
      assert.deepEqual(got.result, result);
    }));
    await post(writ, undefined, { ...to, method: 'DELETE' });
  });

  test('what a server asks ends with its call, however that ends', async () => {
    const to = await session('web', { capabilities: { sampling: {}, elicitation: {} } });
    const ends = {
      'the caller hangs up': (s) => s.destroy(),
      'the caller cancels': (s, body) => post(writ, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: body.id } }, to),
      'the server dies': (s, body, x) => x.res.socket.destroy(),
      'the server answers all the same': (s, body, x) => { x.res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: x.id, result: text('well') })}\n\n`); },
      'the server takes it back': (s, body, x) => { x.notify('notifications/cancelled', { requestId: asking.at(-1) }); x.res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: x.id, result: text('well') })}\n\n`); },
    };
    const asking = [];
    for (const [how, end] of Object.entries(ends)) {
      let there;
      server.tools.ask.call = (_, x) => { there = x; x.ask('sampling/createMessage', { messages: [{ role: 'user', content: { type: 'text', text: how } }], maxTokens: 5 }).catch(() => {}); asking.push([...server.pending.keys()].at(-1)); return new Promise(() => {}); };
      const body = request('ask', { n: 0 });
      const s = await open(writ, body, to);
      const asked = await writ.until(() => s.messages().find((m) => m.method === 'sampling/createMessage'), 5000, 'asked');
      await end(s, body, there);
      await s.ended;
      await settled(writ);
      const late = await post(writ, { jsonrpc: '2.0', id: asked.id, result: { model: 'mine', role: 'assistant', content: { type: 'text', text: 'late' } } }, to);
      assert.equal(late.status, 202, how);
    }
    assert.doesNotMatch(JSON.stringify(server.requests.map((r) => r.body?.result ?? null)), /"late"/, 'nothing of it goes on');
    const entries = await writ.entries();
    for (const intent of entries.filter((e) => e.kind === 'intent' && e.action === 'sampling:create'))
      assert.ok(entries.some((e) => e.kind === 'outcome' && e.intent === intent.index), JSON.stringify(intent));
    assert.match(said(await one(writ, to, 'fine', { n: 1 })), /fine 1/);
    await post(writ, undefined, { ...to, method: 'DELETE' });
  });

  test('one session with a server for all: each gets what is its own', async () => {
    const begun = () => second.requests.filter((r) => r.body?.method === 'initialize').length;
    const before = begun();
    const sessions = await Promise.all(Array.from({ length: 12 }, () => session('shared')));
    await Promise.all(sessions.map(async (to, i) => {
      const s = await open(writ, request('count', { n: i }, { progressToken: `t${i}` }), to);
      await writ.until(() => s.messages().length > 3, 5000, 'counting');
      if (i % 3 === 0) s.destroy(); // of no concern to the others
      else await writ.until(() => s.messages().length > 20, 10000, 'going on');
      for (const m of s.messages()) assert.deepEqual([m.params.progressToken, m.params.message], [`t${i}`, `of ${i}`]);
      s.destroy();
    }));
    assert.equal(begun() - before, 1);
    await settled(writ);
    for (const to of sessions) await post(writ, undefined, { ...to, method: 'DELETE' });
  });

  test('a call is cancelled from any connection', async () => {
    const to = await session('web');
    const calls = await Promise.all(Array.from({ length: 12 }, async () => {
      const body = request('tick', {}, { progressToken: `p${number}` });
      return { body, s: await open(writ, body, to) };
    }));
    for (const { body, s } of calls) {
      assert.equal((await post(writ, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: body.id } }, to)).status, 202);
      await s.ended;
    }
    await writ.until(() => server.requests.filter((r) => r.body?.method === 'notifications/cancelled').length >= 12, 5000, 'the server is told');
    await settled(writ);
    const made = await recorded(writ, 'web/tick');
    assert.equal(made.length, 12);
    assert.ok(made.every((m) => m.outcome.status === 'interrupted'));
    await post(writ, undefined, { ...to, method: 'DELETE' });
  });

  test('rule_21_revocation_wins_every_race: tools', async () => {
    const to = await session('web', { name: 'bob' });
    const calls = await Promise.all(Array.from({ length: 4 }, () => open(writ, request('tick', {}, { progressToken: `q${++number}` }), to)));
    const listening = await open(writ, undefined, to);
    assert.equal(listening.status, 200);
    await writ.until(() => calls.every((s) => s.messages().length > 3), 5000, 'ticking');
    const start = performance.now();
    const res = await writ.admin('POST', 'agents/acme/bob/suspend', { reason: 'a test' });
    assert.equal(res.status, 200, res.body);
    const sent = server.calls.length, returned = ticks;
    await Promise.all([...calls, listening].map((s) => s.ended));
    const took = performance.now() - start;
    assert.ok(took < 3000, `cut after ${took} ms`);
    for (const s of calls) assert.ok(s.messages().every((m) => m.method === undefined || m.params.progress <= returned), 'nothing arrives that was sent after the command returned');
    assert.equal((await post(writ, request('fine', { n: 1 }), to)).status, 401);
    await writ.until(() => ticking.size === 0, 5000, 'the server is told');
    assert.equal(server.calls.length, sent, 'nothing leaves after');
    await settled(writ);
    const cut = (await recorded(writ, 'web/tick')).slice(-4);
    assert.deepEqual(cut.map((m) => [m.outcome.status, m.outcome.error.code]), Array(4).fill(['interrupted', 'revoked']));
    assert.equal((await writ.admin('POST', 'agents/acme/bob/resume', { reason: 'a test' })).status, 200);
  });

  test('a reload while calls run: they end as they began, only what changed is opened anew', async () => {
    const first = await session('moves'), another = await session('second');
    const calls = [one(writ, first, 'wait'), one(writ, another, 'wait')];
    await writ.until(() => held.waiting.length === 1 && other.waiting.length === 1, 5000, 'at work');
    const opened = () => [server, second].map((s) => s.requests.filter((r) => r.body?.method === 'initialize').length);
    const before = opened(), old = server.requests.filter((r) => r.body?.params?.name === 'wait').at(-1).headers['mcp-session-id'];
    const reloads = (await writ.status()).config.reloads;
    await writ.configure({ more: sections('/moved') });
    await writ.addPolicy('tools.cedar', permissive);
    writ.signal('SIGHUP');
    await writ.until(async () => (await writ.status()).config.reloads > reloads, 10000, 'reloaded');
    await writ.until(async () => { // every worker has the new settings in its own time
      assert.equal(said(await one(writ, first, 'fine', { n: 1 })), 'fine 1');
      return opened()[0] === before[0] + 1;
    }, 5000, 'on a new link');
    const more = one(writ, another, 'wait');
    await writ.until(() => other.waiting.length === 2, 5000, 'at work');
    assert.equal(opened()[1], before[1], 'only the changed one');
    assert.ok(server.sessions.has(old), 'the old link is in use');
    held.release();
    other.release();
    assert.deepEqual((await Promise.all([...calls, more])).map(said), ['done', 'done', 'done']);
    await writ.until(() => !server.sessions.has(old), 5000, 'the old link is closed');
    for (const to of [first, another]) await post(writ, undefined, { ...to, method: 'DELETE' });
  });

  test('a thousand sessions leave nothing behind', async () => {
    let n = 0;
    const runner = await writ.pid('runner');
    const descriptors = () => { // but for connections that are kept for the next call
      for (const s of [server, second]) s.server.closeAllConnections();
      return [gateway, runner].map((pid) => fs.readdirSync(`/proc/${pid}/fd`).length);
    };
    await writ.until(() => children().length === 0, 15000, 'no child yet');
    await settled(writ);
    const first = descriptors();
    const visit = async (name, tool, args) => {
      const to = await session(name);
      const [listed] = messages(await post(writ, { jsonrpc: '2.0', id: 'l', method: 'tools/list' }, to));
      assert.ok(listed.result.tools.length > 0);
      const m = await one(writ, to, tool, args);
      assert.match(said(m), /^fine/);
      if (++n % 10 !== 0) assert.equal((await post(writ, undefined, { ...to, method: 'DELETE' })).status, 204);
    };
    const churn = (times) => {
      let left = times;
      return Promise.all(Array.from({ length: 8 }, async () => { while (left-- > 0) await visit('web', 'fine', { n: left }); }));
    };
    await churn(300);
    await Promise.all(Array.from({ length: 6 }, () => visit('pipe', 'fault', { how: 'answers' })));
    const before = rss();
    await churn(700);
    await Promise.all(Array.from({ length: 6 }, () => visit('pipe', 'fault', { how: 'answers' })));
    const grown = rss() - before;
    // Sanitizers keep what was freed, and shadows of it; what nobody owns they tell themselves.
    assert.ok(grown < 64, `${grown} MiB more`);
    await writ.until(() => server.sessions.size === 0, 15000, 'no session there').catch((e) => { throw new Error(`${server.sessions.size} sessions, ${server.streams.size} streams, ${server.requests.filter((r) => r.method === 'DELETE').length} ended`, { cause: e }); });
    await writ.until(() => children().length === 0, 15000, 'no child left');
    await settled(writ);
    await writ.until(() => descriptors().every((now, i) => now <= first[i] + 8), 15000, 'without descriptors that nobody needs')
      .catch((e) => { throw new Error(`${first} descriptors before, ${descriptors()} after`, { cause: e }); });
  });
});
