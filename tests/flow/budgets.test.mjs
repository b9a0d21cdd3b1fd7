// Limits: what is reserved before a call leaves, what is settled when it has
// ended, and what of that survives a crash.
import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import { Provider, completion } from './lib/provider.mjs';
import { Writ } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
const agent = { kind: 'agent', models: ['m'] };

async function node(limits, more = '') {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { m: '{routes: [{provider: openai, model: m}], attempts: 1}' },
    callers: { alice: agent, bob: agent },
    more: `workers: 2\nlimits:\n${limits.map((l) => `  - ${l}\n`).join('')}${more}`,
  });
  return { provider, writ, ask: (who = 'alice', body = {}) => writ.client(who).chat.completions.create({ model: 'm', messages, ...body }) };
}

async function end({ provider, writ }) {
  await writ.finish();
  await provider.stop();
}

/** Asks `n` times at once; resolves to how many were answered, and the codes of the others. */
async function rush(n, ask) {
  const codes = {};
  let ok = 0;
  await Promise.all(Array.from({ length: n }, () => ask().then(() => { ok++; }, (e) => { codes[e.code] = (codes[e.code] ?? 0) + 1; })));
  return { ok, codes };
}

async function crash(writ) {
  writ.restartsExpected = true;
  const pid = await writ.pid('gateway');
  process.kill(pid, 'SIGKILL');
  await writ.until(async () => (await writ.pid('gateway').catch(() => pid)) !== pid && writ.healthy(), 20000, 'back');
}

describe('budgets', () => {
  test('of 256 callers at once on a budget for 100, exactly 100 pass, over a restart, too', async () => {
    const n = await node(['{name: hundred, per: tenant, budget: {requests: 100, window: 366d}}']);
    const first = await rush(60, () => n.ask());
    assert.deepEqual(first, { ok: 60, codes: {} });
    await crash(n.writ);
    const second = await rush(196, () => n.ask(Math.random() < 0.5 ? 'alice' : 'bob'));
    assert.deepEqual(second, { ok: 40, codes: { budget_exhausted: 156 } });
    assert.equal(n.provider.requests.length, 100);
    await crash(n.writ);
    assert.deepEqual(await rush(3, () => n.ask()), { ok: 0, codes: { budget_exhausted: 3 } });
    await end(n);
  });

  test('tokens are reserved as estimated and settled as the provider says', async () => {
    const n = await node(['{name: tokens, per: principal, budget: {tokens: 1000, window: 366d}}']);
    // 29 tokens each, whatever was reserved meanwhile.
    for (let i = 0; i < 5; i++) await n.ask('alice', { max_tokens: 100 });
    const { data } = await n.writ.client().chat.completions.create({ model: 'm', messages, max_tokens: 100 }).withResponse().then(({ response }) => ({ data: response.headers }));
    assert.equal(data.get('x-ratelimit-limit-tokens'), '1000');
    const budgets = JSON.parse((await n.writ.admin('GET', 'budgets')).body);
    const row = budgets.budgets.find((b) => b.name === 'tokens' && b.whom.includes('alice'));
    assert.equal(row.tokens.used, 6 * 29);
    assert.equal(row.tokens.reserved, 0);
    await assert.rejects(n.ask('alice', { max_tokens: 2000 }), (e) => e.status === 429 && e.code === 'budget_exhausted' && Number(e.headers.get('retry-after')) > 0);
    await n.ask('bob', { max_tokens: 800 });
    await end(n);
  });

  test('what is refused before takes nothing', async () => {
    const n = await node(['{name: few, per: tenant, budget: {requests: 3, window: 366d}}']);
    n.provider.on('m', (x) => x.json(200, completion('m')));
    for (let i = 0; i < 5; i++) await assert.rejects(n.ask('alice', { unknown_member: 1 }), (e) => e.status === 400);
    assert.deepEqual(await rush(4, () => n.ask()), { ok: 3, codes: { budget_exhausted: 1 } });
    await end(n);
  });

  test('concurrency is of what is under way', async () => {
    const n = await node(['{name: two, per: principal, concurrency: 2}']);
    const held = [];
    n.provider.on('m', (x) => { held.push(x); });
    const under = [n.ask(), n.ask()];
    await n.writ.until(() => held.length === 2, 5000, 'two under way');
    await assert.rejects(n.ask(), (e) => e.status === 429 && e.code === 'rate_limited');
    for (const x of held) x.json(200, completion('m'));
    await Promise.all(under);
    n.provider.on('m', (x) => x.json(200, completion('m')));
    await n.ask();
    await end(n);
  });

  test('a rate is refilled', async () => {
    const n = await node(['{name: rate, per: principal, rate: {requests: 2, window: 1s}}']);
    const { ok, codes } = await rush(6, () => n.ask());
    assert.ok(ok >= 2 && ok <= 4, `${ok} passed`);
    assert.equal(codes.rate_limited, 6 - ok);
    await n.writ.until(() => n.ask().then(() => true, () => false), 5000, 'refilled');
    await end(n);
  });

  test('who hangs up is accounted, and holds nothing any more', async () => {
    const n = await node(['{name: one, per: principal, concurrency: 1, budget: {tokens: 100000, window: 366d}}']);
    const control = new AbortController();
    n.provider.on('m', () => {});
    const gone = n.writ.client().chat.completions.create({ model: 'm', messages }, { signal: control.signal }).catch(() => 'gone');
    await n.writ.until(() => n.provider.requests.length === 1, 5000, 'under way');
    control.abort();
    assert.equal(await gone, 'gone');
    n.provider.on('m', (x) => x.json(200, completion('m')));
    await n.writ.until(() => n.ask().then(() => true, () => false), 5000, 'free again');
    const row = JSON.parse((await n.writ.admin('GET', 'budgets')).body).budgets[0];
    assert.equal(row.requests.reserved, 0);
    await end(n);
  });
});
