// Approvals: a call waits, people say yes or no to exactly that, once.
import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { command, list, ok, person, ticket } from './lib/people.mjs';
import { Provider } from './lib/provider.mjs';
import { Writ, KEYS, request } from './lib/writ.mjs';

// What one person may lift, and what takes two; both in one call, too.
const forbids = `@id("abroad")
@approval("legal")
forbid (principal, action == Writ::Action::"model:invoke", resource == Writ::Model::"abroad");

@id("dear")
@approval("finance")
forbid (principal, action == Writ::Action::"model:invoke", resource)
when { resource == Writ::Model::"dear" || resource == Writ::Model::"abroad" };
`;

async function node({ hold = '30s', ttl = '10m', used = '5m' } = {}) {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: Object.fromEntries(['small', 'dear', 'abroad'].map((m) => [m, `{routes: [{provider: openai, model: ${m}}]}`])),
    callers: { alice: { models: ['small', 'dear', 'abroad'] } },
    more: `approvals: {hold: ${hold}, ttl: ${ttl}, used: ${used}, groups: {finance: [ada, bob], legal: [lea]}}`,
    prepare: (w) => w.addPolicy('approvals.cedar', forbids),
  });
  return { provider, writ };
}

const call = (writ, model, content, timeout = 0) => request({ port: writ.port, path: '/v1/chat/completions', method: 'POST', timeout,
  headers: { authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model, messages: [{ role: 'user', content }] }) });

const code = (res) => JSON.parse(res.body).error.code;

async function finish({ writ, provider }) {
  await writ.finish();
  await provider.stop();
}

describe('approvals', () => {
  test('rule_17 a person approves exactly this action, once', async () => {
    const n = await node();
    const { writ, provider } = n;
    await person(writ, 'ada');
    assert.equal((await call(writ, 'small', 'hello')).status, 200);

    const held = call(writ, 'dear', 'pay p\u0430ul \u202e 700');
    const asked = await ticket(writ);
    assert.equal(provider.requests.length, 1); // nothing went out
    assert.equal((await writ.status()).approvals, 1);
    assert.deepEqual(asked.needs, [{ by: '', group: 'finance', policy: 'dear' }]);
    const shown = await command(writ, 'root', ['approval', 'show', asked.id.slice(0, 8)]);
    assert.equal(shown.code, 0, shown.err);
    assert.ok(shown.out.includes('pay p\\u{430}ul \\u{202e} 700'), shown.out); // rule 19
    assert.match(shown.out, /asked by {4}Application keys\|alice/);

    const said = await command(writ, 'ada', ['approval', 'approve', asked.id.slice(0, 12), '--reason', 'seen']);
    assert.equal(said.code, 0, said.err);
    assert.match(said.out, /approved: exactly this, once, until/);
    const answer = await held;
    assert.equal(answer.status, 200, answer.body);

    // It is used up; and what differs was never approved.
    const again = call(writ, 'dear', 'pay p\u0430ul \u202e 700');
    const second = await ticket(writ);
    assert.notEqual(second.id, asked.id);
    assert.equal(second.digest, asked.digest);
    assert.equal((await ok(writ, 'ada', 'approval', 'approve', second.id)).state, 'granted');
    assert.equal((await again).status, 200);
    const other = call(writ, 'dear', 'pay p\u0430ul \u202e 7000');
    const third = await ticket(writ);
    assert.notEqual(third.digest, asked.digest);
    assert.equal((await ok(writ, 'ada', 'approval', 'deny', third.id, '--reason', 'too much')).state, 'denied');
    const refused = await other;
    assert.deepEqual([refused.status, code(refused)], [403, 'denied']);
    assert.equal(provider.requests.length, 3);

    const entries = await writ.entries();
    const story = entries.filter((e) => e.approval?.id === asked.id).map((e) => e.event ?? e.kind);
    assert.deepEqual(story, ['ask', 'approve', 'intent']);
    const intent = entries.find((e) => e.kind === 'intent' && e.approval?.id === asked.id);
    assert.deepEqual(intent.approval.by, ['local|ada']);
    const yes = entries.find((e) => e.event === 'approve');
    assert.deepEqual(yes.author, { id: 'local|ada', method: 'login' });
    assert.deepEqual(yes.approval.groups, ['finance']);
    assert.equal(yes.detail, 'seen');
    assert.ok(!JSON.stringify(entries).includes('pay p'));
    assert.deepEqual((await list(writ, 'all')).map((t) => t.state).sort(), ['denied', 'used', 'used']);
    await finish(n);
  });

  test('rule_20 deferred is not success; the retry goes through', async () => {
    const n = await node({ hold: '0s' });
    const { writ, provider } = n;
    await person(writ, 'ada');
    for (let i = 0; i < 2; i++) {
      const res = await call(writ, 'dear', 'one');
      assert.deepEqual([res.status, code(res)], [403, 'approval_pending']);
    }
    const asked = await ticket(writ); // retries join it
    await ok(writ, 'ada', 'approval', 'approve', asked.id);
    const results = await Promise.all(Array.from({ length: 8 }, () => call(writ, 'dear', 'one')));
    assert.deepEqual(results.map((r) => r.status).sort(), [200, 403, 403, 403, 403, 403, 403, 403]);
    assert.equal(provider.requests.length, 1);
    await finish(n);
  });

  test('rule_10 every group agrees; rule_18 only a person of it who has logged in', async () => {
    const n = await node();
    const { writ, provider } = n;
    await person(writ, 'ada');
    await person(writ, 'lea');
    const held = call(writ, 'abroad', 'two');
    const { id, needs } = await ticket(writ);
    assert.deepEqual(needs.map((x) => x.group).sort(), ['finance', 'legal']);

    // Whose process it is proves nobody.
    const root = await command(writ, 'root', ['approval', 'approve', id]);
    assert.equal(root.code, 1);
    assert.match(root.err, /writ login/);
    // Nor does a token that is none, whoever's process brings it.
    const bad = await request({ socketPath: path.join(writ.dir, 'data', 'control.sock'), path: `/admin/v1/approvals/${id}/approve`, method: 'POST',
      headers: { authorization: 'Bearer writ_admin_no' } });
    assert.equal(bad.status, 401);

    assert.equal((await ok(writ, 'lea', 'approval', 'approve', id)).state, 'open');
    const twice = await command(writ, 'lea', ['approval', 'approve', id]);
    assert.equal(twice.code, 1);
    assert.match(twice.err, /lea is in none of the groups that still have to approve it: finance/);
    assert.equal((await ok(writ, 'ada', 'approval', 'approve', id)).state, 'granted');
    assert.equal((await held).status, 200);
    assert.equal((await command(writ, 'ada', ['approval', 'approve', id])).code, 1);
    assert.equal((await command(writ, 'ada', ['approval', 'show', 'ffffffffffff'])).code, 1);
    assert.equal((await command(writ, 'ada', ['approval', 'show'])).code, 2);

    // After a logout the token is worth nothing, and is gone.
    assert.equal((await command(writ, 'ada', ['login', '--logout'])).code, 0);
    // The caller gives up; the ticket stays for whoever asks again.
    await assert.rejects(call(writ, 'dear', 'three', 300), /no answer/);
    const next = await ticket(writ);
    assert.equal((await command(writ, 'ada', ['approval', 'deny', next.id])).code, 1);
    assert.equal((await ok(writ, 'lea', 'approval', 'list')).approvals.length, 1);
    assert.equal(provider.requests.length, 1);
    await finish(n);
  });

  test('silence is no, and a yes does not wait for ever', async () => {
    const n = await node({ hold: '0s', ttl: '3s', used: '1s' });
    const { writ } = n;
    await person(writ, 'ada');
    assert.equal((await call(writ, 'dear', 'four')).status, 403);
    assert.match((await command(writ, 'root', ['approval', 'list', '--state', 'all'])).out, /^ID .*\n[0-9a-f]{12} /);
    await writ.until(async () => (await list(writ, 'expired')).length === 1, 10000, 'expired');
    assert.equal((await call(writ, 'dear', 'five')).status, 403);
    const asked = await ticket(writ);
    const said = await command(writ, 'ada', ['approval', 'approve', asked.id]);
    await writ.until(async () => (await list(writ, 'expired')).length === 2, 10000, 'expired');
    await writ.until(async () => (await writ.entries()).filter((e) => e.event === 'expire').length === 2, 10000, 'recorded');
    const details = (await writ.entries()).filter((e) => e.event === 'expire').map((e) => e.detail);
    assert.equal(details[0], 'nobody decided in time');
    assert.equal(details[1], said.code === 0 ? 'approved, and not used' : details[0]); // a slow machine
    assert.equal((await call(writ, 'dear', 'five')).status, 403);
    await finish(n);
  });
});
