// Who is cut off, when: suspension, retirement, the end of a session, and what
// it takes to come back.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { Provider, chunk, sse } from './lib/provider.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
const agent = { kind: 'agent', models: ['small', 'endless'] };

describe('revocation', () => {
  let provider, writ;
  let sent = 0; // pieces of all streams; each says its number

  before(async () => {
    provider = await Provider.start();
    provider.on('endless', async (x) => {
      x.begin();
      while (!x.closed) await x.send([sse(chunk('endless', { content: `${++sent}` }))], 5);
    });
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { small: '{routes: [{provider: openai, model: m}]}', endless: '{routes: [{provider: openai, model: endless}]}' },
      callers: { alice: agent, bob: agent },
      more: 'workers: 2',
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  const ask = (who, model = 'small') => writ.client(who).chat.completions.create({ model, messages });

  async function change(who, what) {
    const res = await writ.admin('POST', `agents/acme/${who}/${what}`, { reason: 'a test' });
    assert.equal(res.status, 200, res.body);
    return JSON.parse(res.body);
  }

  /** Opens a stream and reads on; `last` is the number of the piece that came last. */
  function follow(who) {
    const s = { last: 0 };
    s.started = new Promise((resolve, reject) => {
      s.ended = (async () => {
        const stream = await writ.client(who).chat.completions.create({ model: 'endless', messages, stream: true });
        for await (const piece of stream) {
          s.last = Number(piece.choices[0].delta.content);
          resolve();
        }
      })().then(() => undefined, (e) => { reject(e); return e; });
    });
    return s;
  }

  test('rule_21_revocation_wins_every_race', async () => {
    const streams = Array.from({ length: 8 }, () => follow('alice'));
    const other = follow('bob');
    await Promise.all([...streams, other].map((s) => s.started));
    const reply = await change('alice', 'suspend');
    const returned = sent;
    assert.equal(reply.durable, true);
    for (const s of streams) {
      const e = await s.ended;
      assert.equal(e?.code, 'revoked', String(e));
      assert.ok(s.last <= returned, 'nothing that was sent after the command returned came');
    }
    await assert.rejects(ask('alice'), (e) => e.status === 401 && e.code === 'revoked');
    await writ.until(() => other.last > returned + 20, 10000, 'going on for everybody else');
    await change('alice', 'resume');
    assert.equal((await ask('alice')).choices[0].finish_reason, 'stop');
    await change('bob', 'suspend');
    assert.equal((await other.ended)?.code, 'revoked');
    await change('bob', 'resume');
    await writ.until(async () => (await writ.status()).calls.open === 0, 5000, 'all streams ended');
    const entries = await writ.entries();
    const cut = entries.filter((e) => e.kind === 'outcome' && e.response && e.error?.code === 'revoked');
    assert.equal(cut.length, 9);
    for (const e of cut) assert.equal(e.status ?? e.response.status, 'interrupted');
    assert.equal(entries.filter((e) => e.kind === 'revocation').length, 2);
  });

  test('who was retired does not come back', async () => {
    await writ.register('carol', { kind: 'agent', key: 'writ-test-carol-0123456789abcdef' });
    await change('carol', 'retire');
    const res = await writ.admin('POST', 'agents/acme/carol/resume', { reason: 'a test' });
    assert.equal(res.status, 409, res.body);
    const again = await writ.admin('POST', 'agents', { name: 'carol', kind: 'agent', tenant: 'acme', owner: 'owner-acme', purposes: ['testing'], expires: '30d', mode: 'autonomous' });
    assert.equal(again.status, 409, again.body);
  });

  test('an ended session is over, and a new one begins', async () => {
    const stream = follow('alice');
    await stream.started;
    const list = JSON.parse((await writ.admin('GET', 'sessions')).body);
    const mine = list.sessions.find((s) => s.actor === 'acme/alice');
    assert.ok(mine, JSON.stringify(list));
    const res = await writ.admin('POST', `sessions/${mine.id}/end`, { reason: 'a test' });
    assert.equal(res.status, 200, res.body);
    assert.equal((await stream.ended)?.code, 'revoked');
    await ask('alice');
    const entries = await writ.entries();
    const intents = entries.filter((e) => e.kind === 'intent' && e.chain?.[0]?.id === 'acme/alice');
    assert.notEqual(intents.at(-1).session, mine.id);
  });

  test('an owner who is suspended takes along what is owned', async () => {
    const stream = follow('alice');
    await stream.started;
    const person = encodeURIComponent('keys|owner-acme');
    assert.equal((await writ.admin('POST', `agents/${person}/suspend`, { reason: 'left' })).status, 200);
    assert.ok(['not_active', 'revoked'].includes((await stream.ended)?.code));
    await assert.rejects(ask('alice'), (e) => e.status === 403 && e.code === 'not_active');
    assert.equal((await writ.admin('POST', `agents/${person}/resume`, { reason: 'back' })).status, 200);
    await ask('alice');
  });

  test('rule_04_the_user_cannot_be_dropped', async () => {
    await writ.register('dora', { kind: 'agent', key: 'writ-test-dora-0123456789abcdef', mode: 'delegated' });
    const client = writ.client('dora', { apiKey: 'writ-test-dora-0123456789abcdef' });
    await assert.rejects(client.chat.completions.create({ model: 'small', messages }), (e) => e.status === 403 && e.code === 'subject_required');
  });

  test('a suspension outlives a restart', async () => {
    await change('alice', 'suspend');
    const pid = await writ.pid('gateway');
    writ.restartsExpected = true;
    process.kill(pid, 'SIGKILL');
    await writ.until(async () => (await writ.pid('gateway').catch(() => pid)) !== pid && writ.healthy(), 10000, 'back');
    await assert.rejects(ask('alice'), (e) => e.status === 401 && e.code === 'revoked');
    await change('alice', 'resume');
    await ask('alice');
  });
});
