// Sessions over the lives of the processes that hold them.
import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import fs from 'node:fs/promises';
import path from 'node:path';
import { Provider, pause } from './lib/provider.mjs';
import { Writ } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
const ask = (writ, name) => writ.client(name).chat.completions.create({ model: 'm', messages }).then(() => 200, (e) => e.status);

async function node(more = '') {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { m: '{routes: [{provider: openai, model: m}]}' },
    callers: { alice: { models: ['m'] }, bob: { models: ['m'] } },
    more,
  });
  return { provider, writ };
}

async function restart(writ) {
  assert.equal(await writ.stop(), 0);
  writ.ended = false;
  await writ.launch();
}

/** The intents, oldest first. */
const intents = async (writ) => (await writ.entries()).filter((e) => e.kind === 'intent');

/** Of the question, under the key of its session. */
function digest(intent) {
  assert.match(intent.request.hmac, /^[0-9a-f]{64}$/);
  return intent.request.hmac;
}
const opened = async (writ) => (await writ.entries()).filter((e) => e.kind === 'session').length;

/** The rows of the node's open sessions, from the store's file. */
function rows(writ) {
  const db = new DatabaseSync(path.join(writ.dir, 'data', 'store.db'), { readOnly: true });
  try {
    return db.prepare('SELECT hex(id) AS id, calls FROM session WHERE closed_us = 0').all();
  } finally {
    db.close();
  }
}

describe('sessions', () => {
  test('rule_07 a session and its key outlive a restart of the node', async () => {
    const { provider, writ } = await node();
    assert.equal(await ask(writ, 'alice'), 200);
    assert.equal(await ask(writ, 'bob'), 200);
    await restart(writ);
    // Several at once: one of them fetches the key, the others wait for it.
    assert.deepEqual(await Promise.all(['alice', 'alice', 'alice', 'bob'].map((name) => ask(writ, name))), [200, 200, 200, 200]);
    const all = await intents(writ);
    assert.equal(new Set(all.map((e) => e.session)).size, 2);
    assert.notEqual(all[0].session, all[1].session);
    // The digests of the same question are the same: they are made under the same key.
    for (const e of all.slice(2)) assert.equal(digest(e), digest(all.find((f) => f.session === e.session)));
    assert.notEqual(digest(all[0]), digest(all[1]));
    assert.equal(await opened(writ), 2);
    await writ.finish();
    await provider.stop();
  });

  test('rule_07 a session outlives a gateway that is killed', async () => {
    const { provider, writ } = await node();
    writ.restartsExpected = true;
    assert.equal(await ask(writ, 'alice'), 200);
    await writ.until(() => rows(writ).length === 1, 15000, 'stored');
    process.kill(await writ.pid('gateway'), 'SIGKILL');
    await writ.until(async () => (await ask(writ, 'alice')) === 200, 15000, 'serving');
    const all = await intents(writ);
    assert.equal(new Set(all.map((e) => e.session)).size, 1);
    assert.equal(digest(all.at(-1)), digest(all[0]));
    await writ.finish();
    await provider.stop();
  });

  test('rule_07 a session whose key is lost is closed, and its owner gets a new one', async () => {
    const { provider, writ } = await node();
    assert.equal(await ask(writ, 'alice'), 200);
    await writ.stop();
    await fs.rm(path.join(writ.dir, 'data', 'keys', 'payload.keys'));
    writ.ended = false;
    await writ.launch();
    assert.deepEqual(await Promise.all([ask(writ, 'alice'), ask(writ, 'alice')]), [200, 200]);
    const all = await intents(writ);
    assert.notEqual(all[1].session, all[0].session);
    assert.equal(all[2].session, all[1].session);
    assert.notEqual(digest(all[1]), digest(all[0]));
    await writ.stop();
    assert.equal(rows(writ).length, 1);
    await writ.finish();
    await provider.stop();
  });

  test('rule_07 a session that was idle over the restart has ended', async () => {
    const { provider, writ } = await node('sessions: {idle: 1s}');
    assert.equal(await ask(writ, 'alice'), 200);
    await writ.stop();
    await pause(1100);
    writ.ended = false;
    await writ.launch();
    assert.equal(await ask(writ, 'alice'), 200);
    assert.equal(new Set((await intents(writ)).map((e) => e.session)).size, 2);
    await writ.finish();
    await provider.stop();
  });
});
