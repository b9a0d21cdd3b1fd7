// The clock of the machine leaps a day ahead and a day back while a node runs.
//
// libfaketime (Debian: faketime) tells the gateway another time of day; its
// timers run on.  Nothing that has ended may come back to life, and nobody
// whose credential is good is refused.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Idp, idpMissing } from './lib/idp.mjs';
import { Provider } from './lib/provider.mjs';
import { BIN, Writ, KEYS, request } from './lib/writ.mjs';

const DAY = 86400;
const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });
const faketime = [`/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`].find(existsSync);
const libraries = execFileSync('ldd', [BIN], { encoding: 'utf8' });
const missing = idpMissing || (!faketime ? 'libfaketime is not installed (Debian: faketime)'
  : readFileSync(BIN).includes('__tsan_init') ? 'ThreadSanitizer and libfaketime do not go together' : false);
if (missing) process.stderr.write(`\n*** LEFT OUT: leaps of the clock: ${missing} ***\n\n`);

describe('a clock that leaps', { skip: missing }, () => {
  let long, short, provider, writ, file;

  /** The gateway's clock is `days` off from now on. */
  function leap(days) {
    writeFileSync(`${file}.new`, `${days < 0 ? '' : '+'}${days * DAY}\n`);
    renameSync(`${file}.new`, file);
  }

  before(async () => {
    [long, short, provider] = await Promise.all([Idp.start({ ttl: 3 * DAY }), Idp.start(), Provider.start()]);
    const trust = (alias, idp) => `{alias: ${alias}, issuer: "${idp.issuer}", audience: ["https://gw.example/mcp"], kinds: [agent], tenants: [acme], refresh: 1h, max_stale: 2h}`;
    const asan = /\S*libasan\S*(?= \()/.exec(libraries)?.[0];
    KEYS.carol = 'writ-test-carol-0123456789abcdef';
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { m: '{routes: [{provider: openai, model: m}]}' },
      callers: { alice: { models: ['m'] }, bob: { models: ['m'] }, carol: { models: ['m'], expires: '1h' } },
      more: `workers: 2\ntrust: {oidc: [${trust('long', long)}, ${trust('short', short)}]}\n` +
        'limits: [{name: hourly, match: {principal: ["keys|bob"]}, per: principal, budget: {requests: 5, window: 1h}}]\n',
      env: {
        LD_PRELOAD: asan ? `${asan}:${faketime}` : faketime, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_NO_CACHE: '1',
      },
      prepare: (w) => {
        file = path.join(w.dir, 'faketime');
        w.env.FAKETIME_TIMESTAMP_FILE = file;
        leap(0);
        return w.addPolicy('idp.cedar', ['agent-a', 'agent-b'].map((a) => `@id("${a}")\npermit (principal == Writ::Agent::"acme/${a}", action, resource);\n`).join(''));
      },
    });
    for (const [name, issuer] of [['agent-a', 'long'], ['agent-b', 'short']]) await writ.register(name, { kind: 'agent', issuer });
  });
  after(async () => {
    await writ?.finish();
    await Promise.all([provider, long, short].map((s) => s?.stop()));
  });

  async function ask(credential) {
    const res = await request({ port: writ.port, path: '/v1/chat/completions', method: 'POST', body,
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' } });
    return res.status === 200 ? 'ok' : `${res.status} ${JSON.parse(res.body).error.code}`;
  }

  /** All at once, so that both workers have their turn. */
  const often = async (credential) => [...new Set(await Promise.all(Array.from({ length: 8 }, () => ask(credential))))].join(', ');

  /** How many of `n` calls, one after the other, the budget lets through. */
  async function spend(n) {
    const codes = [];
    for (let i = 0; i < n; i++) codes.push(await ask(KEYS.bob));
    assert.ok(codes.every((c) => c === 'ok' || c === '429 budget_exhausted'), codes.join(', '));
    return codes.filter((c) => c === 'ok').length;
  }

  test('a day ahead: what has ended is over, whoever is good is served, and back again', async () => {
    const lasting = await long.token('agent-a'), later = await long.token('agent-a'), brief = await short.token('agent-b');
    for (const c of [KEYS.alice, KEYS.carol, lasting, brief]) assert.equal(await often(c), 'ok');
    // No issuer is asked any more: its keys are as old as the node knows.
    for (const idp of [long, short]) await idp.jwksMode('500');
    leap(1);
    assert.equal(await often(KEYS.alice), 'ok');
    assert.equal(await often(lasting), 'ok');
    assert.equal(await often(later), 'ok', 'a token that comes for the first time');
    assert.equal(await often(brief), '401 invalid_credential');
    assert.equal(await often(KEYS.carol), '401 invalid_credential', 'her key was for an hour');
    leap(0);
    for (const c of [KEYS.alice, KEYS.carol, lasting, later, brief]) assert.equal(await often(c), 'ok');
  });

  test('a day behind: no token from the future, and whoever has a key is served', async () => {
    const brief = await short.mint('expired');
    for (const idp of [long, short]) await idp.jwksMode('ok');
    const fresh = await long.token('agent-a');
    leap(-1);
    assert.equal(await often(KEYS.alice), 'ok');
    assert.equal(await often(KEYS.carol), 'ok');
    assert.equal(await often(brief), '401 invalid_credential');
    assert.equal(await often(fresh), '401 invalid_credential');
    leap(0);
    assert.equal(await often(fresh), 'ok');
    assert.equal(await often(brief), '401 invalid_credential');
  });

  test('a budget is given out once in each window, however the clock leaps', async () => {
    const hour = () => Math.floor(Date.now() / 3600000);
    const began = hour();
    const now = [await spend(3)];
    leap(1);
    assert.equal(await spend(6), 5, 'a window of its own');
    leap(0);
    now.push(await spend(1));
    leap(-1);
    await spend(2);
    leap(0);
    now.push(await spend(6));
    // Else the hour was over meanwhile.
    if (hour() === began) assert.deepEqual(now, [3, 1, 1]);
  });

  test('all of it is in the evidence', async () => {
    const entries = await writ.entries();
    const intents = entries.filter((e) => e.kind === 'intent');
    assert.equal(intents.length, provider.requests.length);
    assert.equal(entries.filter((e) => e.kind === 'outcome').length, intents.length);
  });
});
