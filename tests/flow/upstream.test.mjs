// What a provider and the network to it can do wrong, and what the caller and
// the ledger see of it.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { Provider, pause, sse, streamed, completion } from './lib/provider.mjs';
import { Writ, freePort } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];

describe('upstream', () => {
  let provider, backup, writ, dead;

  before(async () => {
    provider = await Provider.start();
    backup = await Provider.start();
    dead = await freePort();
    const one = (model, more = '') => `{routes: [{provider: main, model: ${model}}]${more}}`;
    const models = {
      plain: one('plain'), stream: one('stream'), reset: one('reset'), 'reset-head': one('reset-head'),
      'reset-mid': one('reset-mid'), stall: one('stall'), flaky: one('flaky'), quota: one('quota'), broken: one('broken', ', attempts: 2'),
      denied: one('denied'), html: one('html'), short: one('short'), unended: one('unended'), redirect: one('redirect'),
      spare: '{routes: [{provider: gone, model: spare}], fallback: [{provider: backup, model: spare}]}',
      gone: '{routes: [{provider: gone, model: gone}], attempts: 2}',
    };
    writ = await Writ.start({
      providers: {
        main: { url: provider.url, more: 'timeouts: {head: 700ms, idle: 700ms}' },
        backup: { url: backup.url },
        gone: { url: `http://127.0.0.1:${dead}/v1` },
      },
      models,
      callers: { alice: { models: Object.keys(models) } },
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
    await backup.stop();
  });

  const chat = (model, more = {}) => writ.client().chat.completions.create({ model, messages, ...more });
  const outcomes = (model, n) => writ.until(async () => {
    const all = await writ.entries();
    const intents = all.filter((e) => e.kind === 'intent' && e.resource.id === model);
    const found = all.filter((e) => e.kind === 'outcome' && intents.some((i) => i.id === e.id));
    return found.length >= n && found;
  });

  test('a reset before the head is not repeated: bytes had left', async () => {
    provider.on('reset', (x) => x.reset());
    await assert.rejects(chat('reset'), (e) => e.status === 502 && e.code === 'upstream_failed');
    assert.equal(provider.requests.filter((r) => r.body.model === 'reset').length, 1);
    const [o] = await outcomes('reset', 1);
    assert.equal(o.status, 'failed');
  });

  test('a reset after the head fails a plain call', async () => {
    provider.on('reset-head', async (x) => {
      x.res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      x.res.write('{');
      await pause(30);
      x.reset();
    });
    await assert.rejects(chat('reset-head'), (e) => e.status === 502);
  });

  test('a reset in mid-stream reaches the caller as an error, not as an end', async () => {
    provider.on('reset-mid', async (x) => {
      x.begin();
      await x.send(streamed('m', true).slice(0, 4), 5);
      await pause(30);
      x.reset();
    });
    let said = '';
    await assert.rejects(async () => {
      for await (const c of await chat('reset-mid', { stream: true })) said += c.choices[0]?.delta?.content ?? '';
    });
    assert.ok(said.length > 0);
    const [o] = await outcomes('reset-mid', 1);
    assert.equal(o.status, 'failed');
  });

  test('a stream that ends without [DONE] is not taken for complete', async () => {
    provider.on('unended', async (x) => {
      x.begin();
      await x.send(streamed('m', true).slice(0, 4));
      x.res.end();
    });
    await assert.rejects(async () => { for await (const _ of await chat('unended', { stream: true })); });
    const [o] = await outcomes('unended', 1);
    assert.equal(o.status, 'failed');
  });

  test('a provider that says nothing is given up', async () => {
    provider.on('stall', () => {});
    const start = Date.now();
    await assert.rejects(chat('stall'), (e) => e.status === 504 && e.code === 'upstream_timeout');
    assert.ok(Date.now() - start < 5000);
    await writ.until(() => provider.requests.find((r) => r.body.model === 'stall').exchange.closed, 2000, 'cancelled');
  });

  test('429 is repeated, each attempt with an intent of its own (rule_23)', async () => {
    let calls = 0;
    provider.on('flaky', (x) => (++calls < 3 ? x.error(429, 'rate_limit_exceeded') : x.json(200, completion('m'))));
    const { data, response } = await chat('flaky').withResponse();
    assert.equal(data.usage.total_tokens, 29);
    const found = await outcomes('flaky', 3);
    assert.deepEqual(found.map((o) => o.status), ['error', 'error', 'ok']);
    const intents = (await writ.entries()).filter((e) => e.kind === 'intent' && e.resource.id === 'flaky');
    assert.deepEqual(intents.map((i) => i.route.attempt), [1, 2, 3]);
    assert.ok(intents.every((i) => i.id === response.headers.get('writ-decision-id')));
  });

  test('429 for an exhausted quota is not repeated and reaches the caller', async () => {
    provider.on('quota', (x) => x.error(429, 'insufficient_quota'));
    await assert.rejects(chat('quota'), (e) => e.status === 429 && e.code === 'insufficient_quota');
    assert.equal(provider.requests.filter((r) => r.body.model === 'quota').length, 1);
  });

  test('5xx is repeated as often as the model says, then passed on', async () => {
    provider.on('broken', (x) => x.error(500, 'server_error'));
    await assert.rejects(chat('broken'), (e) => e.status === 500 && e.code === 'server_error');
    assert.equal(provider.requests.filter((r) => r.body.model === 'broken').length, 2);
  });

  test('what a provider thinks of our key is not the caller\'s business', async () => {
    provider.on('denied', (x) => x.error(401, 'invalid_api_key'));
    await assert.rejects(chat('denied'), (e) => e.status === 502 && !/api_key/.test(e.message));
  });

  test('a redirect is not followed', async () => {
    provider.on('redirect', (x) => {
      x.res.writeHead(302, { location: `${backup.url}/chat/completions` });
      x.res.end();
    });
    const before = backup.requests.length;
    await assert.rejects(chat('redirect'), (e) => e.status === 502);
    assert.equal(backup.requests.length, before);
  });

  test('a body shorter than promised is no answer', async () => {
    provider.on('short', (x) => {
      x.res.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 });
      x.res.write(JSON.stringify(completion('m')));
      setTimeout(() => x.res.socket.end(), 20);
    });
    await assert.rejects(chat('short'), (e) => e.status === 502);
  });

  test('a refused connection goes to the fallback', async () => {
    const data = await chat('spare');
    assert.equal(data.usage.total_tokens, 29);
    assert.equal(backup.requests.at(-1).body.model, 'spare');
    const found = await outcomes('spare', 2);
    assert.deepEqual(found.map((o) => o.status), ['not_sent', 'ok']);
  });

  test('nobody there at all', async () => {
    await assert.rejects(chat('gone'), (e) => e.status === 502 && e.code === 'upstream_connect');
  });

  test('a caller who hangs up ends the upstream call, and is accounted', async () => {
    provider.on('stream', async (x) => {
      x.begin();
      for (;;) {
        if (x.closed) return;
        await x.send([streamed('m', true)[1]], 20);
      }
    });
    const abort = new AbortController();
    const stream = await writ.client().chat.completions.create({ model: 'stream', messages, stream: true }, { signal: abort.signal });
    let n = 0;
    try {
      for await (const _ of stream) if (++n === 3) abort.abort();
    } catch { /* the SDK may say so */ }
    await writ.until(() => provider.requests.at(-1).exchange.closed, 1000, 'cancelled upstream');
    const [o] = await outcomes('stream', 1);
    assert.equal(o.status, 'interrupted');
    assert.ok(o.response.usage.output_tokens > 0);
    assert.equal(o.response.usage.estimated, true);
  });

  test('nothing of the caller but the question goes upstream', async () => {
    await writ.client('alice', { defaultHeaders: { 'x-user': 'root', 'x-forwarded-for': '1.2.3.4', cookie: 'a=b' } })
      .chat.completions.create({ model: 'plain', messages });
    const { headers, raw } = provider.requests.at(-1);
    for (const name of ['x-user', 'x-forwarded-for', 'cookie', 'x-stainless-lang']) assert.ok(!(name in headers), name);
    assert.ok(!JSON.stringify(headers).includes('writ-test-alice'));
    assert.equal(raw, JSON.stringify({ model: 'plain', messages }));
  });

  test('a slow caller slows the provider down', async () => {
    let sent = 0;
    provider.on('html', async (x) => {
      x.begin();
      const event = sse({ ...JSON.parse(streamed('m')[1].slice(6)), pad: 'x'.repeat(16384) });
      while (!x.closed && sent < 4000) {
        sent++;
        if (!x.res.write(event)) await Promise.race([new Promise((r) => x.res.once('drain', r)), new Promise((r) => x.res.once('close', r)), pause(300)]);
      }
    });
    const res = await fetch(`${writ.url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer writ-test-alice-0123456789abcdef', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'html', messages, stream: true }),
    });
    const reader = res.body.getReader();
    await reader.read();
    await pause(1500);
    const stuck = provider.requests.at(-1).exchange.res.writableLength;
    assert.ok(stuck > 0 || sent < 2000, `the provider could send ${sent} events of 16 KB to nobody`);
    await reader.cancel();
  });
});
