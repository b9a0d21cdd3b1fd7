// Requests that try to get around a decision (../shared/tests/reliability/authz).
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import path from 'node:path';
import { begin, http, tools } from './lib/mcp.mjs';
import { Provider } from './lib/provider.mjs';
import { shared } from './lib/shared.mjs';
import { ToolServer } from './lib/toolserver.mjs';
import { Wire } from './lib/wire.mjs';
import { Writ, KEYS, entity } from './lib/writ.mjs';

const folder = shared('reliability/authz');
const all = folder ? JSON.parse(await fs.readFile(path.join(folder, 'cases.json'))).cases : [];
const cases = all.filter((c) => !c.target.startsWith('/mcp'));
const calls = all.filter((c) => c.target.startsWith('/mcp'));

describe('who tries to get around a decision', { skip: folder === undefined }, () => {
  let provider, writ;

  before(async () => {
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { 'small-1': '{routes: [{provider: openai, model: real-small}]}', 'big-1': '{routes: [{provider: openai, model: real-big}]}' },
      callers: { alice: { kind: 'agent', models: ['small-1'] }, bob: { kind: 'agent', tenant: 'other', models: ['small-1'] } },
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  test('there are 23 of them', () => assert.equal(cases.length, 23));

  for (const c of cases) {
    test(`${c.id}: ${c.expect}`, async () => {
      const sent = provider.requests.length;
      const wire = Wire.connect(writ.port);
      const headers = { host: `127.0.0.1:${writ.port}`, authorization: `Bearer ${KEYS.alice}`, ...c.headers };
      if (c.method === 'POST') headers['content-length'] = Buffer.byteLength(c.body);
      wire.write(`${c.method} ${c.target} HTTP/1.1\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${c.body ?? ''}`);
      const [{ status }] = await wire.final();
      wire.destroy();
      // A query is refused where none is taken: parsers are allow-lists.
      if (c.id === 'path-q') assert.equal(status, 400);
      else if (c.expect === 'allow') assert.equal(status, 200);
      else assert.ok(status >= 400 && status < 500, `answered ${status}`);
      if (c.expect !== 'allow' || c.id === 'path-q') assert.equal(provider.requests.length, sent, 'nothing went out');
    });
  }

  test('what one tenant asked is not answered to another', async () => {
    const sent = provider.requests.length;
    for (const name of ['alice', 'bob']) await writ.client(name).chat.completions.create({ model: 'small-1', messages: [{ role: 'user', content: 'same' }] });
    assert.equal(provider.requests.length, sent + 2);
    const [a, b] = (await writ.entries()).filter((e) => e.kind === 'intent').slice(-2);
    assert.notEqual(a.session, b.session);
    assert.deepEqual([a.tenant, b.tenant], ['acme', 'other']);
    assert.notEqual(a.request.hmac, b.request.hmac, 'digests are under a key of the session');
  });
});

// The cases name the tools of one server, as its own path does.
describe('who tries to get around a decision about a tool', { skip: folder === undefined }, () => {
  const alice = { kind: 'agent', models: [], risk: ['read'] };
  const bob = { kind: 'agent', models: [], risk: ['read'] };
  let provider, server, writ, sessions;

  before(async () => {
    provider = await Provider.start();
    server = await ToolServer.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { 'small-1': '{routes: [{provider: openai, model: real-small}]}' },
      callers: { alice, bob },
      more: tools(http('files', server.url, 'risk: {"*": [read]}')),
      prepare: (w) => w.addPolicy('tools.cedar', `
permit (principal, action == Writ::Action::"tool:list", resource == Writ::ToolServer::"files");
permit (principal == ${entity('alice', alice)}, action == Writ::Action::"tool:call/files/read_file", resource)
when { context.input.path like "/data/pub/*" && !(context.input.path like "*..*") };
`),
    });
    sessions = { alice: await begin(writ, { server: 'files' }), bob: await begin(writ, { server: 'files', name: 'bob' }) };
  });
  after(async () => {
    await writ.finish();
    await server.stop();
    await provider.stop();
  });

  test('there are 41 of them', () => assert.equal(calls.length, 41));

  /** Fills in what a case cannot know. */
  const fill = (s) => s.replace('<session of agent-a>', sessions.alice).replace('<agent-a>', KEYS.alice).replace('<agent-b>', KEYS.bob);

  for (const c of calls) {
    test(`${c.id}: ${c.expect}`, async () => {
      const sent = server.calls.length;
      const wire = Wire.connect(writ.port);
      const given = Object.fromEntries(Object.entries(c.headers).map(([k, v]) => [k, fill(v)]));
      const headers = { host: `127.0.0.1:${writ.port}`, authorization: `Bearer ${KEYS.alice}`, 'mcp-session-id': sessions.alice, ...given, 'content-length': Buffer.byteLength(c.body) };
      const target = fill(c.target).replace('/mcp', '/mcp/files');
      wire.write(`${c.method} ${target} HTTP/1.1\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${c.body}`);
      const [{ status, body }] = await wire.final();
      wire.destroy();
      const answer = status === 200 ? JSON.parse(body) : undefined;
      const refused = status >= 400 || answer.error !== undefined || answer.result.isError === true;
      assert.equal(refused, c.expect !== 'allow', `answered ${status} ${body}`);
      assert.equal(server.calls.length, sent + (c.expect === 'allow' ? 1 : 0));
      // Before policy: it is the message that is refused.
      if (c.expect === 'reject') assert.ok(status >= 400 || answer.error?.code <= -32600, `answered ${status} ${body}`);
    });
  }

  test('no token of a caller reaches the server', () => {
    for (const r of server.requests) assert.doesNotMatch(JSON.stringify([r.headers, r.raw]), new RegExp(`${KEYS.alice}|${KEYS.bob}`));
  });
});
