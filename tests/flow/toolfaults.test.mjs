// Tool servers that die, hang, lie and flood, and callers that leave: what the
// gateway tells each side, what it records, and what it never does.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { begin, http, messages, open, post, stdio, tools } from './lib/mcp.mjs';
import { ToolServer, schema, text } from './lib/toolserver.mjs';
import { Writ } from './lib/writ.mjs';

const MIB = 1 << 20;
const FAULTY = path.join(import.meta.dirname, 'lib/faulty_stdio.mjs');
const alice = { kind: 'agent', models: [], risk: ['read', 'write', 'trigger', 'purchase', 'deploy', 'export', 'secret', 'regulated', 'admin'] };

/** Bytes of an answer by hand. */
const answer = (id, s = 'fine') => JSON.stringify({ jsonrpc: '2.0', id, result: text(s) });
const reply = (res, body, type = 'application/json', headers = {}) => res.writeHead(200, { ...(type && { 'content-type': type }), ...headers }).end(body);
const raw = (res, bytes) => res.socket.write(bytes);
const events = (res) => { res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(); return (s) => res.write(s); };
const notice = (size = 10) => `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: 'n'.repeat(size) } })}\n\n`;
/** Writes `times` pieces as fast as they are taken, until the other side is gone. */
async function pump(res, piece, times) {
  for (let i = 0; i < times && !res.closed && !res.destroyed; i++)
    if (!res.write(piece)) await new Promise((go) => { res.once('drain', go); res.once('close', go); });
}

/** What costs the call, and nothing else: each has to be told as failed, once, at once. */
const fatal = {
  'dies before the head': ({ res }) => res.socket.destroy(),
  'resets before the head': ({ res }) => res.socket.resetAndDestroy(),
  'dies in the head': ({ res }) => res.socket.end('HTTP/1.1 200 OK\r\ncontent-ty'),
  'dies in mid-JSON': ({ res, id }) => { res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 }); res.write(answer(id)); res.socket.destroySoon(); },
  'dies in mid-stream': ({ res }) => { events(res)(notice()); res.socket.destroySoon(); },
  'dies in mid-event': ({ res, id }) => { events(res)(`data: ${answer(id).slice(0, 20)}`); res.socket.destroySoon(); },
  'ends the stream without an answer': ({ res }) => { events(res)(notice()); res.end(); },
  'answers what is no JSON': ({ res }) => reply(res, 'oops{'),
  'answers nothing': ({ res }) => reply(res, ''),
  'answers with another id': ({ res, id }) => reply(res, answer(id + 1)),
  'answers with its id as a string': ({ res, id }) => reply(res, answer(String(id))),
  'answers with no id': ({ res }) => reply(res, JSON.stringify({ jsonrpc: '2.0', result: text('no') })),
  'answers with both result and error': ({ res, id }) => reply(res, JSON.stringify({ jsonrpc: '2.0', id, result: text('no'), error: { code: 1, message: 'no' } })),
  'answers in a batch': ({ res, id }) => reply(res, `[${answer(id)}]`),
  'answers twice in one body': ({ res, id }) => reply(res, `${answer(id)}\n${answer(id)}`),
  'answers to somebody else on the stream': ({ res, id }) => { events(res)(`data: ${answer(id + 7)}\n\n`); },
  'streams what is no message': ({ res }) => { events(res)('data: hello\n\n'); },
  'streams a batch': ({ res, id }) => { events(res)(`data: [${answer(id)}]\n\n`); },
  'answers in invalid UTF-8': ({ res, id }) => reply(res, Buffer.from(answer(id, 'caf\xe9'), 'latin1')),
  'answers with a member twice': ({ res, id }) => reply(res, `{"jsonrpc":"2.0","id":${id},"result":{"content":[]},"result":{"content":[]}}`),
  'answers too deep': ({ res, id }) => reply(res, `{"jsonrpc":"2.0","id":${id},"result":{"a":${'['.repeat(50000)}${']'.repeat(50000)}}}`),
  'asks where an answer is due': ({ res }) => reply(res, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })),
  'answers as HTML': ({ res, id }) => reply(res, answer(id), 'text/html'),
  'answers as nothing in particular': ({ res, id }) => reply(res, answer(id), ''),
  'answers in a coding': ({ res, id }) => reply(res, answer(id), 'application/json', { 'content-encoding': 'gzip' }),
  'accepts, and says no more': ({ res }) => res.writeHead(202).end(),
  'sends us elsewhere': ({ res, server }) => res.writeHead(307, { location: `http://127.0.0.1:${server.port}/elsewhere` }).end(),
  'has an error of its own': ({ res, id }) => res.writeHead(500, { 'content-type': 'application/json' }).end(answer(id)),
  'floods with 1xx': async ({ res }) => { for (let i = 0; i < 2000 && !res.socket?.destroyed; i++) { raw(res, 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(50)); await new Promise(setImmediate); } res.socket?.destroy(); },
  'sends bad chunks': ({ res, id }) => raw(res, `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n${answer(id)}\r\n0\r\n\r\n`),
  'speaks something else': ({ res }) => { raw(res, '220 mail.example ESMTP\r\n'); },
};
/** What is odd, and still an answer. */
const odd = {
  'hints before': ({ res, id }) => { res.writeEarlyHints({ link: '</x>; rel=preload' }); reply(res, answer(id)); },
  'answers twice on the stream': ({ res, id }) => { events(res)(`data: ${answer(id)}\n\ndata: ${answer(id, 'no')}\n\n`); res.end(); },
  'says things that nobody knows': ({ res, id }) => { const say = events(res); say(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/what' })}\n\n`); say(`: comment\n\nevent: other\ndata: oops\n\nid: 1\nretry: 5\ndata:\n\n`); say(`event: message\r\ndata: ${answer(id)}\r\n\r\n`); res.end(); },
  'asks for what we never offered': ({ res, id }) => { const say = events(res); say(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 'q', method: 'roots/list' })}\n\n`); say(`data: ${answer(id)}\n\n`); res.end(); },
  'answers byte by byte': async ({ res, id }) => { const say = events(res); for (const c of `data: ${answer(id)}\n\n`) { say(c); await new Promise(setImmediate); } res.end(); },
  'has an event of one MiB': ({ res, id }) => { events(res)(`data: ${answer(id, 'x'.repeat(MIB))}\n\n`); res.end(); },
  'has an answer of just what may be': ({ res, id }) => reply(res, answer(id, 'x'.repeat(2 * MIB - answer(id, '').length))),
};
/** What is more than may be, in every form. */
const large = {
  'one event over the limit': ({ res, id }) => { events(res)(`data: ${answer(id, 'x'.repeat(2 * MIB + 100))}\n\n`); res.end(); },
  '100 MiB of JSON': async ({ res, id }) => { res.writeHead(200, { 'content-type': 'application/json' }); res.write(answer(id).slice(0, -4)); await pump(res, 'x'.repeat(MIB), 100); res.end(); },
  '100 MiB of JSON, as announced': async ({ res, id }) => { res.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 * MIB }); res.write(answer(id).slice(0, -4)); await pump(res, 'x'.repeat(MIB), 99); res.end(); },
  '100 MiB in one event': async ({ res }) => { events(res)('data: "'); await pump(res, 'x'.repeat(MIB), 100); res.end(); },
  '100 MiB in lines of one event': async ({ res }) => { events(res)('data: {\n'); await pump(res, 'data:      \n'.repeat(100000), 100); res.end(); },
};

describe('faults of tool servers', () => {
  let server, writ, gateway;
  const behaviours = { ...fatal, ...odd, ...large };
  const left = []; // calls whose stream was closed by the gateway
  const endless = {}; // how far `chatter` got

  before(async () => {
    server = await ToolServer.start({
      fault: { description: 'Does what it is told', inputSchema: schema({ how: { type: 'string' } }, ['how']), call: ({ how }, x) => { behaviours[how](x); } },
      fine: { description: 'Works', inputSchema: schema(), call: () => text('fine') },
      hang: { description: 'Hangs', inputSchema: schema({ streams: { type: 'boolean' } }), call: ({ streams }, x) => { x.res.on('close', () => left.push(x.id)); if (streams) x.notify('notifications/message', { level: 'error', data: 'at work' }); } },
      chatter: {
        description: 'Talks on and on', inputSchema: schema({ mib: { type: 'integer' } }),
        call: async ({ mib }, { res, id }) => { events(res); endless[id] = 0; for (let i = 0; i < mib * 16; i++) { await pump(res, notice(65000), 1); endless[id] = i; } res.end(`data: ${answer(id)}\n\n`); },
      },
      forever: {
        description: 'Is always at work', inputSchema: schema(),
        call: ({}, { notify, meta, res }) => { let n = 0; const t = setInterval(() => notify('notifications/progress', { progressToken: meta.progressToken, progress: ++n }), 50); res.on('close', () => clearInterval(t)); },
      },
    }, { capabilities: { tools: { listChanged: true }, logging: {} } });
    writ = await Writ.start({
      providers: { main: { url: 'http://127.0.0.1:9/v1' } },
      models: { m: '{routes: [{provider: main, model: m}]}' },
      callers: { alice },
      more: ['workers: 1', 'server: {write_idle: 30s}', tools(
        http('faulty', server.url, 'risk: {"*": [read]}, result: 2MB, timeout: 20s'),
        http('impatient', server.url, 'risk: {"*": [read]}, timeout: 400ms, max: 1s'),
        stdio('pipe', [FAULTY], 'risk: {"*": [read]}, result: 2MB, timeout: 20s'),
        stdio('short', [FAULTY], 'risk: {"*": [read]}, timeout: 400ms, max: 1s'))].join('\n'),
      // What sanitizers keep of freed memory is not to hide what is used.
      env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=8:malloc_context_size=4` },
      prepare: (w) => w.addPolicy('tools.cedar', 'permit (principal, action, resource);'),
    });
    gateway = await writ.pid('gateway');
  });
  after(async () => {
    assert.equal(await writ.pid('gateway'), gateway, 'the gateway never ended');
    await writ.finish();
    await server.stop();
  });

  let number = 0;
  const request = (name, args, meta) => ({ jsonrpc: '2.0', id: ++number, method: 'tools/call', params: { name, arguments: args, ...(meta && { _meta: meta }) } });
  const call = async (to, name, args, meta) => messages(await post(writ, request(name, args, meta), to)).at(-1);
  const session = async (name, options = {}) => ({ server: name, session: await begin(writ, { server: name, ...options }) });
  const settled = () => writ.until(async () => { const s = await writ.status(); return s.calls.open === 0 && s.ledger.open_intents === 0; }, 10000, 'settled');
  const last = async (tool) => {
    await settled();
    const entries = await writ.entries();
    const intent = entries.filter((e) => e.kind === 'intent' && e.resource?.id?.endsWith(`/${tool}`)).at(-1);
    return entries.find((e) => e.kind === 'outcome' && e.intent === intent.index);
  };
  const refused = (m, reason, what) => {
    assert.equal(m.result?.isError, true, `${what}: ${JSON.stringify(m).slice(0, 300)}`);
    assert.equal(m.result._meta['writ/reason'], reason, `${what}: ${m.result.content[0].text}`);
    assert.match(m.result.content[0].text, /^The gateway refused this call/);
    assert.ok(m.result.content[0].text.length < 4096);
  };
  const fine = (m, what) => assert.match(m.result?.content?.[0]?.text ?? JSON.stringify(m).slice(0, 300), /^(fine|x+)$/, what);
  /** Calls until a link that was lost is there again. */
  const works = (to, tool = 'fine', args = {}) => writ.until(async () => (await call(to, tool, args)).result?.content?.[0]?.text === 'fine', 5000, 'working again');
  const peak = { // of the gateway's memory, in MiB
    now: (what) => Number(new RegExp(`${what}:\\s+(\\d+)`).exec(fs.readFileSync(`/proc/${gateway}/status`, 'utf8'))[1]) / 1024,
    from() { fs.writeFileSync(`/proc/${gateway}/clear_refs`, '5'); return this.now('VmRSS'); },
    since(before) { return this.now('VmHWM') - before; },
  };

  test('what breaks an answer costs that call, is told as failed, and is not repeated', async () => {
    const to = await session('faulty');
    for (const how of Object.keys(fatal)) {
      await works(to);
      const before = server.calls.filter((c) => c.name === 'fault').length;
      refused(await call(to, 'fault', { how }), 'upstream_failed', how);
      assert.equal(server.calls.filter((c) => c.name === 'fault').length, before + 1, `${how}: sent once`);
    }
    await works(to);
    await settled();
    const entries = await writ.entries();
    const intents = entries.filter((e) => e.kind === 'intent' && e.resource?.id === 'faulty/fault');
    assert.equal(intents.length, Object.keys(fatal).length);
    for (const intent of intents) {
      const outcome = entries.find((e) => e.kind === 'outcome' && e.intent === intent.index);
      assert.deepEqual([outcome.status, outcome.error?.code], ['failed', 'upstream_failed'], JSON.stringify(outcome));
    }
    assert.ok(!server.requests.some((r) => r.url === '/elsewhere'), 'nobody is sent anywhere');
  });

  test('what is only odd is an answer', async () => {
    const to = await session('faulty');
    for (const how of Object.keys(odd)) fine(await call(to, 'fault', { how }), how);
  });

  test('what is too large is refused, in bounded memory', async () => {
    const to = await session('faulty');
    for (const how of Object.keys(large)) {
      await works(to);
      const before = peak.from();
      refused(await call(to, 'fault', { how }), 'upstream_failed', how);
      const grown = peak.since(before);
      assert.ok(grown < 64, `${how}: ${grown} MiB more`);
    }
    await works(to);
  });

  test('a server that hangs: the call times out, and the server is told', async () => {
    for (const args of [{}, { streams: true }]) {
      const to = await session('impatient');
      refused(await call(to, 'hang', args), 'upstream_timeout', 'hangs');
      const sent = server.requests.filter((r) => r.body?.params?.name === 'hang').at(-1).body.id;
      await writ.until(() => server.requests.some((r) => r.body?.method === 'notifications/cancelled' && r.body.params.requestId === sent), 5000, 'cancelled');
      await writ.until(() => left.includes(sent), 5000, 'let go');
      const outcome = await last('hang');
      assert.deepEqual([outcome.status, outcome.error.code], ['failed', 'upstream_timeout']);
      await works(to);
    }
  });

  test('progress keeps a call alive, but not for ever', async () => {
    const to = await session('impatient');
    const m = await call(to, 'forever', {}, { progressToken: 'p' });
    refused(m, 'upstream_timeout', 'forever');
    const outcome = await last('forever');
    assert.ok(outcome.duration_ms >= 900, JSON.stringify(outcome));
  });

  test('a forgotten session is begun again, once, and the call made once', async () => {
    const to = await session('faulty');
    await works(to);
    const count = () => [server.requests.filter((r) => r.body?.method === 'initialize').length, server.calls.length];
    let [begun, made] = count();
    server.sessions.clear();
    fine(await call(to, 'fine', {}));
    assert.deepEqual(count(), [begun + 1, made + 1]);

    [begun, made] = count();
    let asked = 0;
    server.options.before = (req, res, m) => { if (m?.method !== 'tools/call') return false; asked++; res.writeHead(404).end(); return true; };
    const m = await call(to, 'fine', {});
    server.options.before = undefined;
    assert.equal(m.result.isError, true);
    assert.equal(asked, 2, 'once more, and no more');
    assert.equal(server.calls.length, made);
    await works(to);

    // On its stream the call was begun: nobody knows how far it came.
    [begun, made] = count();
    behaviours.forgets = ({ res }) => { events(res)('id: 1\nretry: 1\ndata: \n\n'); server.sessions.clear(); res.end(); };
    refused(await call(to, 'fault', { how: 'forgets' }), 'not_found', 'forgotten in the middle');
    assert.equal(server.calls.length, made + 1, 'not repeated');
    await works(to);
  });

  test('a stream that breaks is taken up again where the server says', async () => {
    const to = await session('faulty');
    server.options.before = (req, res) => {
      if (req.method !== 'GET' || req.headers['last-event-id'] !== 'here') return false;
      events(res)(`id: there\ndata: ${answer(behaviours.resumes.id)}\n\n`);
      res.end();
      return true;
    };
    behaviours.resumes = ({ res, id }) => { behaviours.resumes.id = id; events(res)('id: here\nretry: 1\ndata: \n\n'); res.end(); };
    fine(await call(to, 'fault', { how: 'resumes' }));
    server.options.before = undefined;
  });

  test('a flood of notices for a slow reader: memory is bounded, the result comes', async () => {
    const to = await session('faulty');
    const before = peak.from();
    const s = await open(writ, request('chatter', { mib: 64 }), to);
    s.res.pause();
    // The server is made to wait: it has not got rid of its 64 MiB.
    let seen = -1;
    await writ.until(async () => { const now = Math.max(...Object.values(endless)); const still = now === seen && now > 0; seen = now; if (!still) await new Promise((r) => setTimeout(r, 100)); return still; }, 10000, 'held up');
    assert.ok(seen < 32 * 16, `${seen / 16} MiB were taken`);
    s.res.resume();
    await s.ended;
    fine(s.messages().at(-1));
    const grown = peak.since(before);
    assert.ok(grown < 64, `${grown} MiB more`);
  });

  test('a flood of notices for a slow listener: memory is bounded, calls go on', async () => {
    const to = await session('faulty');
    await works(to);
    const upstream = await writ.until(() => [...server.streams.values()].at(-1), 5000, 'listening there');
    const s = await open(writ, undefined, to);
    assert.equal(s.status, 200);
    s.res.pause();
    const before = peak.from();
    const flood = pump(upstream, notice(65000), 64 * 16);
    fine(await call(to, 'fine', {}));
    await flood; // what nobody takes is dropped
    fine(await call(to, 'fine', {}));
    const grown = peak.since(before);
    assert.ok(grown < 64, `${grown} MiB more`);
    s.res.resume();
    server.announce('notifications/tools/list_changed');
    await writ.until(() => s.messages().some((m) => m.method === 'notifications/tools/list_changed'), 5000, 'told');
    s.destroy();
  });

  test('a server that says nonsense where it was not asked loses the link, and no more', async () => {
    const to = await session('faulty');
    await works(to);
    const upstream = await writ.until(() => [...server.streams.values()].at(-1), 5000, 'listening there');
    upstream.write('data: hello\n\n');
    await writ.until(() => upstream.destroyed || upstream.closed, 5000, 'cut');
    await works(to);
  });

  test('a server that cannot be begun: the caller is told, and it is tried again later', async () => {
    const one = (m, result) => JSON.stringify({ jsonrpc: '2.0', id: m.id, result });
    const hello = (change) => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' }, ...change });
    const tool = { name: 'fine', inputSchema: { type: 'object' } };
    const cases = {
      'is not there': { initialize: (res) => res.socket.destroy() },
      'refuses': { initialize: (res) => res.writeHead(403).end() },
      'has an error': { initialize: (res, m) => reply(res, JSON.stringify({ jsonrpc: '2.0', id: m.id, error: { code: -1, message: 'no' } })) },
      'is none of ours': { initialize: (res, m) => reply(res, one(m, {})) },
      'speaks another revision': { initialize: (res, m) => reply(res, one(m, hello({ protocolVersion: '1999-01-01' }))) },
      'has a session id that is none': { initialize: (res, m) => reply(res, one(m, hello()), 'application/json', { 'mcp-session-id': 'two words' }) },
      'does not want to hear that it was begun': { 'notifications/initialized': (res) => res.writeHead(400).end() },
      'has no list': { 'tools/list': (res, m) => reply(res, one(m, { tools: 'many' })) },
      'lists a tool twice': { 'tools/list': (res, m) => reply(res, one(m, { tools: [tool, tool] })) },
      'lists without end': { 'tools/list': (res, m) => reply(res, one(m, { tools: [{ ...tool, name: `t${m.id}` }], nextCursor: 'more' })) },
      'lists more than may be': { 'tools/list': async (res, m) => { res.writeHead(200, { 'content-type': 'application/json' }); res.write(one(m, { tools: [tool] }).slice(0, -3)); await pump(res, 'x'.repeat(MIB), 100); res.end(); } },
      'hangs': { initialize: () => {}, server: 'impatient' },
      'hangs over its list': { 'tools/list': () => {}, server: 'impatient' },
    };
    const initialize = (name) => post(writ, { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } }, { server: name });
    for (const [what, { server: name = 'faulty', ...does }] of Object.entries(cases)) {
      let did = 0;
      server.options.before = (req, res, m) => { if (!does[m?.method]) return false; did++; does[m.method](res, m); return true; };
      const before = peak.from();
      const res = await initialize(name);
      server.options.before = undefined;
      assert.ok(did >= 1 && did <= 64, `${what}: ${did} times`);
      assert.ok([502, 504].includes(res.status), `${what}: ${res.status} ${res.body}`);
      const { error } = JSON.parse(res.body);
      assert.ok(['upstream_failed', 'upstream_connect', 'upstream_timeout'].includes(error?.data?.reason), `${what}: ${res.body}`);
      assert.equal(res.headers['mcp-session-id'], undefined, what);
      assert.ok(peak.since(before) < 64, what);
    }
    assert.equal((await initialize('faulty')).status, 200);
    await settled();
    await writ.until(() => server.sessions.size < 30, 10000, 'sessions that led nowhere are ended');
  });

  test('a caller that hangs up: the server is told, the outcome is interrupted', async () => {
    for (const args of [{}, { streams: true }]) {
      const to = await session('faulty');
      const sent = server.requests.length;
      const s = await open(writ, request('hang', args), { ...to, unanswered: !args.streams });
      const asked = await writ.until(() => server.requests.slice(sent).find((r) => r.body?.params?.name === 'hang'), 5000, 'asked');
      s.destroy();
      await writ.until(() => server.requests.some((r) => r.body?.method === 'notifications/cancelled' && r.body.params.requestId === asked.body.id), 2000, 'cancelled');
      await writ.until(() => left.includes(asked.body.id), 5000, 'let go');
      const outcome = await last('hang');
      assert.deepEqual([outcome.status, outcome.error.code], ['interrupted', 'client_closed'], JSON.stringify(outcome));
      await works(to);
    }
  });

  test('a caller that cancels: no answer, the server is told', async () => {
    const to = await session('faulty');
    const sent = server.requests.length;
    const body = request('hang', { streams: true });
    const s = await open(writ, body, to);
    const asked = await writ.until(() => server.requests.slice(sent).find((r) => r.body?.params?.name === 'hang'), 5000, 'asked');
    const told = await post(writ, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: body.id, reason: 'no need' } }, to);
    assert.equal(told.status, 202);
    await writ.until(() => server.requests.some((r) => r.body?.method === 'notifications/cancelled' && r.body.params.requestId === asked.body.id), 2000, 'cancelled');
    await s.ended;
    assert.deepEqual(s.messages().filter((m) => m.method === undefined), [], 'who cancels waits for no answer');
    const outcome = await last('hang');
    assert.equal(outcome.status, 'interrupted', JSON.stringify(outcome));
    await works(to);
  });

  test('a server over pipes that fails: each costs its call', async () => {
    const answers = { how: 'answers' };
    const cases = { 'exits': /exited with code 3(?!.*out of paper)/s, 'kills itself': /signal 9/, 'exits in mid-answer': /exited with code 0/, 'closes its output': /closed its output|signal 15|code 0/,
      'writes what is no message': /no message/, 'writes invalid UTF-8': /./, 'answers in a batch': /no message/, 'answers with both': /./, 'answers too much': /./ };
    const each = Object.entries(cases).map(async ([how, why]) => {
      const to = await session('pipe');
      fine(await call(to, 'fault', answers), how);
      const m = await call(to, 'fault', { how });
      refused(m, 'upstream_failed', how);
      assert.match(m.result.content[0].text, why, how);
      await works(to, 'fault', answers);
      await post(writ, undefined, { ...to, method: 'DELETE' });
    });
    await Promise.all(each);
    assert.match(writ.stderr, /"tool.closed".*out of paper/, 'what it said is for operators');
    const to = await session('pipe');
    fine(await call(to, 'fault', { how: 'answers to nobody, and twice' }));
    fine(await call(to, 'fault', answers));
  });

  test('a server over pipes that floods: memory is bounded, the result comes', async () => {
    const to = await session('pipe');
    const before = peak.from();
    for (const how of ['floods its stderr', 'floods with notices']) fine(await call(to, 'fault', { how }), how);
    const s = await open(writ, request('fault', { how: 'floods with notices' }), to);
    s.res.pause();
    await settled().catch(() => {}); // the answer waits in the stream, which the reader does not take
    s.res.resume();
    await s.ended;
    fine(s.messages().at(-1));
    const grown = peak.since(before);
    assert.ok(grown < 64, `${grown} MiB more`);
  });

  test('a server over pipes that hangs: the call times out, and the server is told', async () => {
    const to = await session('short');
    refused(await call(to, 'fault', { how: 'hangs' }), 'upstream_timeout', 'hangs');
    const seen = JSON.parse((await call(to, 'fault', { how: 'says what it saw' })).result.content[0].text);
    const ids = seen.filter((m) => m.method === 'tools/call').map((m) => m.id);
    assert.ok(seen.some((m) => m.method === 'notifications/cancelled' && m.requestId === ids[0]), JSON.stringify(seen));
  });

  test('a server over pipes that does not read: calls fail, memory is bounded', async () => {
    const to = await session('short');
    await works(to, 'fault', { how: 'answers' });
    const before = peak.from();
    const more = 'x'.repeat(MIB);
    refused(await call(to, 'fault', { how: 'reads no more' }), 'upstream_timeout', 'reads no more');
    const all = await Promise.all(Array.from({ length: 40 }, () => call(to, 'fault', { how: 'answers', more })));
    for (const m of all) {
      assert.equal(m.result?.isError, true, JSON.stringify(m).slice(0, 300));
      assert.ok(['upstream_timeout', 'upstream_failed', 'overloaded', 'upstream_connect'].includes(m.result._meta['writ/reason']), m.result.content[0].text);
    }
    const full = all.filter((m) => m.result._meta['writ/reason'] === 'overloaded').length;
    assert.ok(full >= 20, `${full} of 40 were refused at once`); // 16 MiB may wait
    const grown = peak.since(before);
    assert.ok(grown < 256, `${grown} MiB more`);
    await post(writ, undefined, { ...to, method: 'DELETE' });
  });

  test('what a server has started ends with its session', async () => {
    const to = await session('pipe');
    const mark = `writ-family-${process.pid}`;
    const family = () => fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n)).filter((n) => { try { return fs.readFileSync(`/proc/${n}/cmdline`, 'latin1').split('\0').some((a) => a === mark || a === `${mark}-child`); } catch { return false; } });
    fine(await call(to, 'fault', { how: 'leaves a family', mark }));
    await writ.until(() => family().length === 6, 10000, 'a family');
    await post(writ, undefined, { ...to, method: 'DELETE' });
    await writ.until(() => family().length === 0, 10000, 'gone');
  });
});
