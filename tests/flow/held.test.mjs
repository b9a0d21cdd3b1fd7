// Tool calls that wait for a person.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { begin, http, messages, post, tools } from './lib/mcp.mjs';
import { command, list, ok, person, ticket } from './lib/people.mjs';
import { Provider } from './lib/provider.mjs';
import { ToolServer, schema, text } from './lib/toolserver.mjs';
import { Writ, entity } from './lib/writ.mjs';

const alice = { kind: 'agent', models: [], risk: ['read', 'purchase'] };
const policy = `
@id("all") permit (principal == ${entity('alice', alice)}, action, resource);
@id("large") @approval("finance")
forbid (principal, action == Writ::Action::"tool:call/bank/pay", resource) when { context.input.amount > 100 };
`;

describe('held calls of tools', () => {
  let provider, server, writ, session;

  before(async () => {
    provider = await Provider.start();
    server = await ToolServer.start({
      pay: { description: 'Pays', inputSchema: schema({ to: { type: 'string' }, amount: { type: 'integer' } }, ['to', 'amount']), call: ({ to, amount }) => text(`paid ${amount} to ${to}`) },
    });
    writ = await Writ.start({
      providers: { main: { url: provider.url } },
      models: { m: '{routes: [{provider: main, model: m}]}' },
      callers: { alice },
      more: [tools(http('bank', server.url, 'risk: {pay: [purchase]}')), 'approvals: {hold: 20s, groups: {finance: [ada]}}'].join('\n'),
      prepare: (w) => w.addPolicy('tools.cedar', policy),
    });
    await person(writ, 'ada');
    session = await begin(writ, { server: 'bank' });
  });
  after(async () => {
    await writ.finish();
    await server.stop();
    await provider.stop();
  });

  const pay = (to, amount, id = 1) => post(writ, { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'pay', arguments: { to, amount } } }, { server: 'bank', session });
  /** A ticket with all that an approver sees. */
  const shown = async (id) => JSON.parse((await writ.admin('GET', `approvals/${id}`)).body);
  /** What a call without approval gets when nobody waits for it. */
  const only = (res) => { assert.equal(messages(res).length, 1); return messages(res)[0]; };

  test('rule_17_exactly_this_action: the call that was approved goes on, a changed one does not', async () => {
    const held = pay('bob', 500);
    const asked = await shown((await ticket(writ)).id);
    assert.deepEqual([asked.action, asked.resource, JSON.parse(asked.arguments)], ['tool:call', 'bank/pay', { amount: 500, to: 'bob' }]);
    assert.equal(server.calls.length, 0);
    await ok(writ, 'ada', 'approval', 'approve', asked.id);
    assert.match(only(await held).result.content[0].text, /paid 500 to bob/);
    // JSON-RPC ids are no part of it, the order of members neither; but it is used up.
    const changed = pay('bob', 501, 'other id');
    const second = await ticket(writ);
    assert.notEqual(second.digest, asked.digest);
    await ok(writ, 'ada', 'approval', 'deny', second.id);
    const refused = only(await changed);
    assert.equal(refused.result.isError, true);
    assert.match(refused.result.content[0].text, /a person has refused/);
    assert.equal(server.calls.length, 1);
    const intent = (await writ.entries()).filter((e) => e.kind === 'intent' && e.action === 'tool:call').at(-1);
    assert.deepEqual([intent.approval.by, intent.approval.id], [['local|ada'], asked.id]);
  });

  test('rule_17_exactly_this_action: a yes is used by one of many at the same time', async () => {
    const held = pay('carol', 1000);
    const asked = await ticket(writ);
    await ok(writ, 'ada', 'approval', 'approve', asked.id);
    assert.match(only(await held).result.content[0].text, /paid/);
    assert.deepEqual((await list(writ, 'open')).length, 0);
  });

  test('what needs nobody is not held', async () => {
    assert.match(only(await pay('bob', 100)).result.content[0].text, /paid 100/);
  });

  test('rule_20_deferred_is_not_success: after the hold it is HTTP 403 with a ticket', async () => {
    await writ.configure({ more: writ.options.more.replace('hold: 20s', 'hold: 0s') });
    writ.signal('SIGHUP');
    await writ.until(async () => (await writ.status()).config.reloads >= 1, 10000, 'reloaded');
    const res = await pay('dan', 700);
    const { error } = JSON.parse(res.body);
    const asked = await ticket(writ);
    assert.equal(res.status, 403);
    assert.deepEqual([error.data.reason, error.data.ticket], ['approval_pending', asked.id]);
    assert.ok(Number(res.headers['retry-after']) >= 1);
    const sent = server.calls.length;
    await ok(writ, 'ada', 'approval', 'approve', asked.id);
    const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => pay('dan', 700, i)));
    assert.deepEqual(answers.map((r) => r.status).sort(), [200, 403, 403, 403, 403, 403]);
    assert.equal(server.calls.length, sent + 1);
    assert.deepEqual(server.calls.at(-1).arguments, { to: 'dan', amount: 700 });
  });

  test('who is suspended while a call waits does not get it', async () => {
    await writ.configure({ more: writ.options.more.replace('hold: 0s', 'hold: 20s') });
    writ.signal('SIGHUP');
    await writ.until(async () => (await writ.status()).config.reloads >= 2, 10000, 'reloaded');
    const open = (await list(writ, 'open')).length;
    const held = pay('erin', 900);
    await writ.until(async () => (await list(writ, 'open')).length > open, 10000, 'asked');
    const asked = (await Promise.all((await list(writ, 'open')).map((t) => shown(t.id)))).find((t) => t.arguments.includes('erin'));
    assert.equal((await command(writ, 'root', ['agent', 'suspend', 'acme/alice', '--reason', 'test'])).code, 0);
    const refused = await held;
    assert.ok(refused.status >= 400, refused.body);
    await ok(writ, 'ada', 'approval', 'approve', asked.id);
    assert.ok(!server.calls.some((c) => c.arguments.to === 'erin'));
  });
});
