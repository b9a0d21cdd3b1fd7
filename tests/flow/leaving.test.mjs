// Answers that wait for slow readers when somebody is cut off.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import { Provider, completion } from './lib/provider.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
/** More than the buffers of both kernels hold. */
const LONG = 14 << 20;

describe('answers that wait', () => {
  let provider, writ;

  before(async () => {
    provider = await Provider.start();
    provider.on('long', (x) => x.json(200, completion('long', 'x'.repeat(LONG))));
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { small: '{routes: [{provider: openai, model: m}]}', long: '{routes: [{provider: openai, model: long}]}' },
      callers: { alice: { kind: 'agent', models: ['small', 'long'] } },
      more: 'workers: 2',
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  const outcomes = async () => (await writ.entries()).filter((e) => e.kind === 'outcome').length;

  async function change(what, body = { reason: 'a test' }) {
    const res = await writ.admin('POST', `agents/acme/alice/${what}`, body);
    assert.equal(res.status, 200, res.body);
    return JSON.parse(res.body);
  }

  /** Asks for the long answer and reads nothing until told to go on, which resolves to how many bytes came. */
  function slowly(key) {
    const body = JSON.stringify({ model: 'long', messages });
    const socket = net.connect(writ.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.pause();
    socket.on('error', () => {});
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    return async () => {
      let bytes = 0;
      socket.on('data', (piece) => {
        bytes += piece.length;
        if (bytes > LONG) socket.destroy();
      });
      socket.resume();
      await closed;
      return bytes;
    };
  }

  /** The same over HTTP/2, whose window opens when told to go on. */
  function slowly2(key) {
    const session = http2.connect(`http://127.0.0.1:${writ.port}`, { settings: { initialWindowSize: 1000 } });
    session.on('error', () => {});
    const stream = session.request({ ':method': 'POST', ':path': '/v1/chat/completions', authorization: `Bearer ${key}`, 'content-type': 'application/json' });
    stream.on('error', () => {});
    const closed = new Promise((resolve) => {
      stream.on('close', resolve);
      session.on('close', resolve);
    });
    stream.end(JSON.stringify({ model: 'long', messages }));
    return async () => {
      let bytes = 0;
      stream.on('data', (piece) => { bytes += piece.length; });
      if (!stream.closed) session.settings({ initialWindowSize: 64 << 20 });
      await closed;
      session.destroy();
      return bytes;
    };
  }

  for (const [protocol, ask] of [['HTTP/1', slowly], ['HTTP/2', slowly2]]) {
    test(`rule_21_nothing_leaves_for_a_slow_reader over ${protocol}`, async () => {
      const before = await outcomes();
      const goOn = ask(KEYS.alice);
      await writ.until(async () => await outcomes() > before, 20000, 'answered');
      await change('suspend');
      const bytes = await goOn();
      assert.ok(bytes < LONG, `${bytes} bytes came`);
      await change('resume');
    });
  }

  test('rule_21_a_key_that_was_replaced_is_cut_off', async () => {
    const before = await outcomes();
    const goOn = slowly(KEYS.alice);
    await writ.until(async () => await outcomes() > before, 20000, 'answered');
    const { key } = await change('rotate', { grace: '0s' });
    assert.ok(await goOn() < LONG);
    await assert.rejects(writ.client('alice').chat.completions.create({ model: 'small', messages }), (e) => e.status === 401);
    const answer = await writ.client('alice', { apiKey: key }).chat.completions.create({ model: 'small', messages });
    assert.equal(answer.choices[0].finish_reason, 'stop');
  });
});
