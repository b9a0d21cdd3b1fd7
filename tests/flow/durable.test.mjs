// What was taken, or refused, stays so over the end of a process.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { Provider } from './lib/provider.mjs';
import { Writ } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];

describe('what was taken', () => {
  let provider, writ;

  before(async () => {
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { m: '{routes: [{provider: openai, model: m}]}' },
      callers: { alice: { kind: 'agent', models: ['m'] }, bob: { kind: 'agent', models: ['m'] } },
    });
    writ.restartsExpected = true;
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  const ask = (who) => writ.client(who).chat.completions.create({ model: 'm', messages });
  const post = (what, body = { reason: 'a test' }) => writ.admin('POST', what, body);
  const session = async (who) => JSON.parse((await writ.admin('GET', 'sessions')).body).sessions.find((s) => s.actor === `acme/${who}`)?.id;

  /** Ends the gateway's process without a word. */
  async function crash() {
    const pid = await writ.pid('gateway');
    process.kill(pid, 'SIGKILL');
    await writ.until(async () => (await writ.pid('gateway').catch(() => pid)) !== pid && writ.healthy(), 10000, 'back');
  }

  test('rule_21_an_ended_session_stays_so_over_a_crash', async () => {
    await ask('alice');
    const old = await session('alice');
    await writ.stop(); // it is stored
    writ.ended = false;
    await writ.launch();
    await ask('alice');
    assert.equal(await session('alice'), old);
    const res = await post(`sessions/${old}/end`);
    assert.equal(JSON.parse(res.body).durable, true, res.body);
    await crash();
    await ask('alice');
    assert.notEqual(await session('alice'), old);
  });

  test('rule_21_a_change_that_was_refused_does_not_come_back', async () => {
    const state = async () => JSON.parse((await writ.admin('GET', 'agents/acme/bob')).body).state;
    assert.equal((await post('agents/acme/bob/suspend')).status, 200);
    const both = await Promise.all([post('agents/acme/bob/rotate', { grace: '0s' }), post('agents/acme/bob/resume')]);
    assert.deepEqual(both.map((r) => r.status), [200, 409]);
    assert.equal(await state(), 'suspended');
    await crash();
    await writ.until(async () => await state() !== undefined, 5000, 'loaded');
    assert.equal(await state(), 'suspended');
  });
});
