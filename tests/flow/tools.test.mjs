// What the gateway promises about tools, as callers, servers and auditors see it.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { begin, connect, http, messages, post, tools } from './lib/mcp.mjs';
import { Pki } from './lib/pki.mjs';
import { Provider } from './lib/provider.mjs';
import { ToolServer, schema, standard, text } from './lib/toolserver.mjs';
import { Writ, KEYS, entity } from './lib/writ.mjs';

const everything = ['read', 'write', 'trigger', 'purchase', 'deploy', 'export', 'secret', 'regulated', 'admin'];
const alice = { kind: 'agent', models: [], risk: everything };
const bob = { kind: 'agent', models: [], risk: ['read'] };

const definitions = {
  ...standard,
  pay: {
    description: 'Pays', inputSchema: schema({ to: { type: 'string' }, amount: { type: 'number' }, count: { type: 'integer' } }, ['to', 'amount']),
    call: ({ to, amount }) => text(`paid ${amount} to ${to}`),
  },
  bulk_pay: {
    description: 'Pays many', inputSchema: schema({ items: { type: 'array', items: schema({ to: { type: 'string' } }, ['to']) } }, ['items']),
    call: ({ items }) => text(`paid ${items.length}`),
  },
  fail: { description: 'Fails', inputSchema: schema(), call: () => text('it did not work', { isError: true }) },
  ask_model: {
    description: 'Asks the model of its caller', inputSchema: schema(),
    call: async (_, { ask }) => text(JSON.stringify(await ask('sampling/createMessage', { messages: [{ role: 'user', content: { type: 'text', text: 'say yes' } }], maxTokens: 5 }))),
  },
  ask_person: {
    description: 'Asks its caller', inputSchema: schema(),
    call: async (_, { ask }) => text(JSON.stringify(await ask('elicitation/create', { message: 'Really?', requestedSchema: { type: 'object', properties: { sure: { type: 'boolean' } } } }))),
  },
  slow: {
    description: 'Tells how far it is', inputSchema: schema(),
    call: async (_, { notify, meta }) => {
      for (let i = 1; i <= 3; i++) notify('notifications/progress', { progressToken: meta?.progressToken, progress: i, total: 3, message: `step ${i}` });
      return text('done');
    },
  },
};

const policy = `
@id("list") permit (principal, action == Writ::Action::"tool:list", resource);
@id("read") permit (principal, action == Writ::Action::"tool:call/files/read_file", resource)
when { context.input.path like "/pub/*" };
@id("alice") permit (principal == ${entity('alice', alice)}, action in Writ::Action::"tool:call", resource);
@id("no-large") forbid (principal, action == Writ::Action::"tool:call/files/pay", resource)
when { context.input.amount.greaterThan(decimal("100.0")) };
@id("no-mallory") forbid (principal, action == Writ::Action::"tool:call/files/bulk_pay", resource)
when { context has element && context.element.to == "mallory" };
@id("ask") permit (principal, action in [Writ::Action::"sampling:create", Writ::Action::"elicitation:create"], resource == Writ::ToolServer::"asking");
`;

describe('tools', () => {
  let provider, server, writ;

  before(async () => {
    provider = await Provider.start();
    server = await ToolServer.start(definitions);
    const risk = 'risk: {"read_*": [read], fail: [read], "ask_*": [read], slow: [read], "*pay": [purchase]}';
    writ = await Writ.start({
      providers: { main: { url: provider.url } },
      models: { m: '{routes: [{provider: main, model: m}]}' },
      callers: { alice, bob },
      more: tools(
        http('files', server.url, `${risk}, each: {bulk_pay: $.items}, credential: [{env: TOOL_KEY}]`),
        http('asking', server.url, `${risk}, sampling: true, elicitation: true, credential: [{env: TOOL_KEY}]`),
        http('elsewhere', server.url, 'tenants: [other]')),
      env: { TOOL_KEY: 'tool-secret' },
      prepare: (w) => w.addPolicy('tools.cedar', policy),
    });
  });
  after(async () => {
    await writ.finish();
    await server.stop();
    await provider.stop();
  });

  const call = (name, args) => ({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, arguments: args } });

  test('rule_11_typed_arguments: a call is decided on what it says', async () => {
    const client = await connect(writ, { server: 'files' });
    const sent = server.calls.length;
    const paid = await client.callTool({ name: 'pay', arguments: { to: 'bob', amount: 99.5, count: 1 } });
    assert.match(paid.content[0].text, /paid 99.5 to bob/);
    const refused = await client.callTool({ name: 'pay', arguments: { to: 'bob', amount: 100.01 } });
    assert.equal(refused.isError, true);
    assert.match(refused.content[0].text, /denied/);
    assert.equal(refused._meta['writ/reason'], 'denied');
    assert.equal(server.calls.length, sent + 1);
    assert.deepEqual(server.calls.at(-1).arguments, { to: 'bob', amount: 99.5, count: 1 });
    const entry = (await writ.entries()).filter((e) => e.kind === 'refusal').at(-1);
    assert.deepEqual([entry.resource.id, entry.decision.policies], ['files/pay', ['no-large']]);
    await client.close();
  });

  test('rule_11_typed_arguments: what does not fit the schema is refused before', async () => {
    const session = await begin(writ, { server: 'files' });
    const sent = server.calls.length;
    for (const args of [{}, { to: 1, amount: 1 }, { to: 'a', amount: 1, more: true }, { to: 'a', amount: '1' }]) {
      const [m] = messages(await post(writ, call('pay', args), { server: 'files', session }));
      assert.equal(m.result?.isError, true, JSON.stringify(m));
      assert.match(m.result.content[0].text, /\/params\/arguments|amount|more|required/);
    }
    assert.equal(server.calls.length, sent);
  });

  test('rule_11_typed_arguments: one call for many is decided for each', async () => {
    const client = await connect(writ, { server: 'files' });
    const many = (...to) => client.callTool({ name: 'bulk_pay', arguments: { items: to.map((t) => ({ to: t })) } });
    assert.match((await many('a', 'b')).content[0].text, /paid 2/);
    assert.equal((await many('a', 'mallory', 'b')).isError, true);
    await client.close();
  });

  test('rule_13_unknown_is_dangerous: a tool that no rule names has every risk', async () => {
    const client = await connect(writ, { server: 'files', name: 'bob' });
    const { tools: listed } = await client.listTools();
    // bob may read; delete_file and write_file are named by no rule.
    assert.deepEqual(listed.map((t) => t.name), ['read_file']);
    assert.match((await client.callTool({ name: 'read_file', arguments: { path: '/pub/a' } })).content[0].text, /content of \/pub\/a/);
    assert.equal((await client.callTool({ name: 'read_file', arguments: { path: '/etc/shadow' } })).isError, true);
    assert.equal((await client.callTool({ name: 'delete_file', arguments: { path: '/pub/a' } })).isError, true);
    await client.close();
  });

  test('an intent is durable before a call, and names everything', async () => {
    const client = await connect(writ, { server: 'files' });
    const answer = await client.callTool({ name: 'write_file', arguments: { path: '/pub/x', text: 'secret words' } });
    assert.match(answer.content[0].text, /wrote/);
    const entries = await writ.entries();
    const intent = entries.filter((e) => e.kind === 'intent' && e.action === 'tool:call').at(-1);
    assert.equal(intent.resource.id, 'files/write_file');
    assert.equal(intent.destination.provider, 'files');
    assert.equal(intent.credential.broker ?? intent.credential, intent.credential.broker ?? 'tools/files/0');
    assert.ok(intent.input_hmac && intent.tool.digest);
    const outcome = entries.find((e) => e.kind === 'outcome' && e.intent === intent.index);
    assert.equal(outcome.error, undefined);
    assert.doesNotMatch(JSON.stringify(entries), /secret words|tool-secret/);
    assert.equal(server.requests.at(-1).headers.authorization, 'Bearer tool-secret');
    await client.close();
  });

  test('a tool that fails says so itself', async () => {
    const client = await connect(writ, { server: 'files' });
    const answer = await client.callTool({ name: 'fail', arguments: {} });
    assert.deepEqual([answer.isError, answer.content[0].text], [true, 'it did not work']);
    assert.equal(answer._meta, undefined);
    await client.close();
  });

  test('progress comes under the token of the caller', async () => {
    const client = await connect(writ, { server: 'files' });
    const seen = [];
    const answer = await client.callTool({ name: 'slow', arguments: {} }, undefined, { onprogress: (p) => seen.push(p.message) });
    assert.equal(answer.content[0].text, 'done');
    assert.deepEqual(seen, ['step 1', 'step 2', 'step 3']);
    const raw = server.requests.filter((r) => r.body?.params?.name === 'slow').at(-1).body;
    assert.notEqual(raw.id, 7);
    assert.equal(raw.params._meta.progressToken, raw.id, 'no id of a caller goes out');
    await client.close();
  });

  test('what a server asks its caller is an action of its own', async () => {
    const client = await connect(writ, { server: 'asking', capabilities: { sampling: {}, elicitation: {} } });
    const { CreateMessageRequestSchema, ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    client.setRequestHandler(CreateMessageRequestSchema, () => ({ model: 'mine', role: 'assistant', content: { type: 'text', text: 'yes' } }));
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { sure: true } }));
    const sampled = await client.callTool({ name: 'ask_model', arguments: {} });
    assert.match(sampled.content[0].text, /"yes"/);
    const asked = await client.callTool({ name: 'ask_person', arguments: {} });
    assert.match(asked.content[0].text, /accept/);
    const entries = await writ.entries();
    for (const action of ['sampling:create', 'elicitation:create']) {
      const child = entries.filter((e) => e.kind === 'intent' && e.action === action).at(-1);
      const parent = entries.find((e) => e.kind === 'intent' && e.id === child.parent);
      assert.equal(parent.action, 'tool:call');
    }
    await client.close();
  });

  test('what a server asks its caller is refused unless it is configured', async () => {
    const client = await connect(writ, { server: 'files', capabilities: { sampling: {}, elicitation: {} } });
    let asked = 0;
    const { CreateMessageRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    client.setRequestHandler(CreateMessageRequestSchema, () => { asked++; return { model: 'mine', role: 'assistant', content: { type: 'text', text: 'yes' } }; });
    const answer = await client.callTool({ name: 'ask_model', arguments: {} });
    assert.match(answer.content[0].text, /"error"/);
    assert.equal(asked, 0);
    await client.close();
  });

  test('a server of another tenant does not exist', async () => {
    const res = await post(writ, { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } }, { server: 'elsewhere' });
    assert.equal(res.status, 404);
    const client = await connect(writ);
    const { tools: listed } = await client.listTools();
    assert.deepEqual([...new Set(listed.map((t) => t.name.split('__')[0]))].sort(), ['asking', 'files']);
    await client.close();
  });

  test('batches are refused in every revision', async () => {
    for (const revision of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
      const session = await begin(writ, { server: 'files', revision });
      const res = await post(writ, [call('read_file', { path: '/pub/a' })], { server: 'files', session });
      assert.deepEqual([res.status, JSON.parse(res.body).error.code], [400, -32600]);
    }
  });

  test('a session belongs to whoever began it, and ends', async () => {
    const session = await begin(writ, { server: 'files' });
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    assert.equal((await post(writ, list, { server: 'files', session })).status, 200);
    assert.equal((await post(writ, list, { server: 'files', session, name: 'bob' })).status, 404);
    assert.equal((await post(writ, list, { session })).status, 404, 'another path');
    assert.equal((await post(writ, list, { server: 'files' })).status, 400, 'no session');
    assert.equal((await post(writ, undefined, { server: 'files', session, method: 'DELETE' })).status, 204);
    assert.equal((await post(writ, list, { server: 'files', session })).status, 404);
  });

  test('pages of other sites cannot talk to it', async () => {
    const session = await begin(writ, { server: 'files' });
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const status = async (headers) => (await post(writ, ping, { server: 'files', session, headers })).status;
    assert.equal(await status({ origin: 'https://evil.example' }), 403);
    assert.equal(await status({ host: '127.0.0.1.evil.example' }), 403);
    assert.equal(await status({ host: `localhost:${writ.port}`, origin: `http://localhost:${writ.port}` }), 200);
    assert.equal(await status({ authorization: `Bearer ${KEYS.alice}x` }), 401);
  });
});

describe('tools over TLS', () => {
  let pki, provider, servers, writ;

  before(async () => {
    pki = await Pki.make();
    for (const name of ['ca', 'other']) pki.authority(name);
    pki.issue('server', { authority: 'ca' });
    provider = await Provider.start();
    const pair = pki.pair('server');
    servers = { one: await ToolServer.start(standard, { tls: pair }), two: await ToolServer.start(standard, { tls: pair, http2: true }), strange: await ToolServer.start(standard, { tls: pair }) };
    const row = (name, ca) => http(name, servers[name].url, `ca: ${JSON.stringify(pki.file(`${ca}.crt`))}, risk: {"*": [read]}`);
    writ = await Writ.start({
      providers: { main: { url: provider.url } },
      models: { m: '{routes: [{provider: main, model: m}]}' },
      callers: { alice },
      more: tools(row('one', 'ca'), row('two', 'ca'), row('strange', 'other')),
      prepare: (w) => w.addPolicy('tools.cedar', `permit (principal == ${entity('alice', alice)}, action, resource);`),
    });
  });
  after(async () => {
    await writ.finish();
    for (const s of Object.values(servers)) await s.stop();
    await provider.stop();
    await pki.remove();
  });

  for (const server of ['one', 'two']) {
    test(`HTTP/${server === 'one' ? 1 : 2}: lists and calls`, async () => {
      const client = await connect(writ, { server });
      assert.equal((await client.listTools()).tools.length, 3);
      const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => client.callTool({ name: 'read_file', arguments: { path: `/${i}` } })));
      answers.forEach((a, i) => assert.equal(a.content[0].text, `content of /${i}`));
      await client.close();
    });
  }

  test('a server that nobody vouches for gets nothing', async () => {
    await assert.rejects(connect(writ, { server: 'strange' }), /upstream_connect|reached/);
    assert.equal(servers.strange.requests.length, 0);
  });
});
