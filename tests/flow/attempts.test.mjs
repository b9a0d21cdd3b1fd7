// What happens between two attempts, and to an error answer that does not end
// as it should: whatever a destination does, the node goes on and every intent
// gets its outcome.
import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { Provider, pause, streamed } from './lib/provider.mjs';
import { Writ, KEYS, freePort } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];

async function withNode(options, what) {
  const provider = await Provider.start();
  const nobody = `http://127.0.0.1:${await freePort()}/v1`;
  const writ = await Writ.start({
    providers: { openai: { url: provider.url }, nobody: { url: nobody } },
    models: { m: '{routes: [{provider: openai, model: m}]}', pair: '{attempts: 2, routes: [{provider: openai, model: m}], fallback: [{provider: nobody, model: m}]}' },
    callers: { alice: { models: ['m', 'pair'] } },
    ...options,
  });
  await what({ provider, writ });
  const s = await writ.until(async () => {
    const now = await writ.status();
    return now.calls.open === 0 && now.ledger.open_intents === 0 && now;
  }, 5000, 'settled');
  assert.equal(s.processes.find((p) => p.process === 'gateway').restarts, 0, writ.stderr);
  const entries = await writ.entries();
  const intents = entries.filter((e) => e.kind === 'intent');
  for (const i of intents) assert.equal(entries.filter((e) => e.kind === 'outcome' && e.intent === i.index).length, 1, `one outcome of intent ${i.index}`);
  await writ.finish();
  await provider.stop();
}

const ask = (writ, model = 'm') => writ.client().chat.completions.create({ model, messages }).then(() => 200, (e) => e.status);

describe('attempts', () => {
  test('an error whose body is cut short is a bad gateway', () => withNode({}, async ({ provider, writ }) => {
    provider.on('m', (x) => { x.res.writeHead(500, { 'content-type': 'application/json', 'content-length': 100 }); x.res.write('{'); setTimeout(() => x.reset(), 20); });
    assert.equal(await ask(writ), 502);
  }));

  test('an error whose body is too long is a bad gateway', () => withNode({}, async ({ provider, writ }) => {
    provider.on('m', (x) => { x.res.writeHead(500, { 'content-type': 'application/json' }); x.res.end('x'.repeat(1 << 20)); });
    assert.equal(await ask(writ), 502);
  }));

  test('an error first, then nobody there', () => withNode({}, async ({ provider, writ }) => {
    provider.on('m', (x) => x.error(500, 'server_error'));
    assert.equal(await ask(writ, 'pair'), 502);
  }));

  test('an error first, then the caller leaves while the next intent is written', () => withNode({}, async ({ provider, writ }) => {
    await ask(writ); // a session, so that only the ledger is waited for
    const ledger = await writ.pid('ledger');
    provider.on('m', (x) => { process.kill(ledger, 'SIGSTOP'); x.error(500, 'server_error'); });
    const body = JSON.stringify({ model: 'pair', messages });
    const req = http.request({ host: '127.0.0.1', port: writ.port, path: '/v1/chat/completions', method: 'POST', agent: false,
      headers: { authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json', 'content-length': body.length } });
    req.on('error', () => {});
    req.end(body);
    await pause(300);
    req.destroy();
    await pause(300);
    process.kill(ledger, 'SIGCONT');
  }));

  const whole = {
    'a caller who leaves behind [DONE] has had the whole answer': (x) => {},
    'a destination that breaks behind [DONE] has given the whole answer': (x) => x.reset(),
  };
  for (const [name, end] of Object.entries(whole)) {
    test(name, () => withNode({}, async ({ provider, writ }) => {
      provider.on('m', async (x) => { x.begin(); await x.send(streamed('m', true)); await pause(50); end(x); });
      const stream = await writ.client().chat.completions.create({ model: 'm', messages, stream: true });
      for await (const _ of stream);
      await writ.until(async () => (await writ.entries()).at(-1).kind === 'outcome', 5000, 'recorded');
      const { status, error } = (await writ.entries()).at(-1);
      assert.deepEqual({ status, error }, { status: 'ok', error: undefined });
      assert.equal((await writ.status()).calls.failed, 0);
    }));
  }
});
