// Start, reload, drain, and each process killed, all under load.
import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import { Provider, pause, streamed } from './lib/provider.mjs';
import { Writ, run } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];

async function node(more) {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { small: '{routes: [{provider: openai, model: m}]}', slow: '{routes: [{provider: openai, model: slow}]}' },
    callers: { alice: { models: ['small', 'slow'] } },
    more,
  });
  return { provider, writ };
}

/** Calls on and on, `width` at a time, until stopped; counts what came back. */
function load(writ, width = 8) {
  const seen = { ok: 0, errors: [], ids: [] };
  let on = true;
  const one = async () => {
    const client = writ.client();
    while (on) {
      try {
        const { response } = await client.chat.completions.create({ model: 'small', messages }).withResponse();
        seen.ids.push(response.headers.get('writ-decision-id'));
        seen.ok++;
      } catch (e) {
        seen.errors.push(e);
        await pause(20);
      }
    }
  };
  const all = Promise.all(Array.from({ length: width }, one));
  return { seen, stop: async () => { on = false; await all; return seen; } };
}

/** Every answered call has its intent and its outcome in the ledger. */
async function allRecorded(writ, ids) {
  const intents = new Set(), outcomes = new Set();
  for (const e of await writ.entries()) {
    if (e.kind === 'intent') intents.add(e.id);
    if (e.kind === 'outcome') outcomes.add(e.id);
  }
  assert.deepEqual(ids.filter((id) => !intents.has(id)), []);
  return ids.filter((id) => !outcomes.has(id));
}

describe('lifecycle', () => {
  test('a reload under load loses no call and takes effect', async () => {
    const { provider, writ } = await node();
    const l = load(writ);
    for (let i = 0; i < 5; i++) {
      await writ.configure({ models: { ...writ.options.models, [`new${i}`]: '{routes: [{provider: openai, model: m}]}' },
        callers: { alice: { models: ['small', 'slow', `new${i}`] } } });
      writ.signal('SIGHUP');
      await writ.until(async () => (await writ.client().models.list()).data.some((m) => m.id === `new${i}`), 5000, 'reloaded');
    }
    const seen = await l.stop();
    assert.deepEqual(seen.errors, []);
    assert.ok(seen.ok > 0);
    assert.equal((await writ.status()).config.reloads, 5);
    await writ.finish();
    await provider.stop();
  });

  test('a broken reload changes nothing and says why', async () => {
    const { provider, writ } = await node();
    const good = await fs.readFile(writ.file, 'utf8');
    for (const bad of [good.replace('dialect: openai', 'dialect: opnai'), good.replace('models:', 'modles:'), good.slice(0, good.length / 2), '', '\0\0']) {
      const failed = (await writ.status()).config.reloads_failed;
      await fs.writeFile(writ.file, bad);
      writ.signal('SIGHUP');
      await writ.until(async () => (await writ.status()).config.reloads_failed > failed, 5000, 'refused');
      await writ.client().chat.completions.create({ model: 'small', messages });
    }
    assert.match(writ.stderr, /opnai/);
    assert.match(writ.stderr, /did you mean/);
    await writ.finish();
    await provider.stop();
  });

  test('a drain lets what is open finish', async () => {
    const { provider, writ } = await node();
    provider.on('slow', async (x) => {
      x.begin();
      await x.send(streamed('slow', true), 60);
      x.res.end();
    });
    const stream = await writ.client().chat.completions.create({ model: 'slow', messages, stream: true });
    let said = 0;
    for await (const c of stream) {
      if (said++ === 1) writ.signal('SIGTERM');
    }
    assert.equal(said, 9);
    assert.equal((await writ.exited).code, 0);
    await writ.finish();
    await provider.stop();
  });

  test('a drain that takes too long ends streams with an error event', async () => {
    const { provider, writ } = await node('server: {drain: 300ms}');
    provider.on('slow', async (x) => {
      x.begin();
      while (!x.closed) await x.send([streamed('slow', true)[1]], 30);
    });
    const stream = await writ.client().chat.completions.create({ model: 'slow', messages, stream: true });
    let n = 0;
    await assert.rejects(async () => {
      for await (const _ of stream) if (++n === 2) writ.signal('SIGTERM');
    });
    assert.equal((await writ.exited).code, 0);
    const cut = (await writ.entries()).filter((e) => e.kind === 'outcome').at(-1);
    assert.equal(cut.status, 'interrupted');
    await writ.finish();
    await provider.stop();
  });

  test('kill -9 of each process under load: it comes back, and every answered call is in the ledger', async () => {
    const { provider, writ } = await node();
    writ.restartsExpected = true;
    const l = load(writ);
    for (const process of ['gateway', 'ledger', 'keeper', 'runner']) {
      await pause(150);
      const pid = await writ.pid(process);
      globalThis.process.kill(pid, 'SIGKILL');
      await writ.until(async () => {
        const s = await writ.status().catch(() => null);
        const now = s?.processes.find((p) => p.process === process);
        return now && now.pid !== pid && now.pid !== 0 && s.ledger.answers && s.keeper && s.serving === 'yes';
      }, 15000, `${process} restarted`);
      const before = l.seen.ok;
      await writ.until(() => l.seen.ok > before + 5, 15000, `serving after ${process}`);
    }
    const seen = await l.stop();
    for (const e of seen.errors) assert.ok(e.status === undefined || e.status === 503 || e.status === 502, `${e.status} ${e.message}`);
    await pause(100);
    await allRecorded(writ, seen.ids);
    const open = await writ.until(async () => { const s = await writ.status(); return s.ledger.open_intents === 0 && s; }, 5000, 'no intent left open');
    assert.equal(open.ledger.open_intents, 0);
    await writ.finish();
    await provider.stop();
  });

  test('kill -9 of everything under load, then verify: every answered call is there', async () => {
    const { provider, writ } = await node();
    const l = load(writ);
    await pause(500);
    const pids = (await writ.status()).processes.map((p) => p.pid);
    for (const pid of pids) globalThis.process.kill(pid, 'SIGKILL');
    await writ.exited;
    const seen = await l.stop();
    assert.ok(seen.ok > 0);
    const v = await writ.verify();
    assert.equal(v.code, 0, v.out + v.err);
    await allRecorded(writ, seen.ids);
    writ.ended = false;
    await writ.launch(); // and it starts again on what is there
    await writ.client().chat.completions.create({ model: 'small', messages });
    await writ.finish();
    await provider.stop();
  });

  test('a second node on the same data is refused', async () => {
    const { provider, writ } = await node();
    const second = await run(['serve', '--config', writ.file], { cwd: writ.dir, env: writ.env });
    assert.notEqual(second.code, 0);
    assert.match(second.err, /held_by_pid|another program/);
    await writ.finish();
    await provider.stop();
  });

  test('a config that cannot work ends with a clear message', async () => {
    const { provider, writ } = await node();
    await writ.stop();
    const r = await run(['serve', '--config', writ.file], { cwd: writ.dir, env: { PROVIDER_KEY: '' } });
    assert.equal(r.code, 1);
    assert.match(r.err, /credential/);
    await writ.finish();
    await provider.stop();
  });
});
