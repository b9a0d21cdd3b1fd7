// A provider, or somebody in its place, whose answers keep to no protocol:
// every one is a 502 or a broken stream for this caller, and never a byte for
// the next one.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { completion, pause, streamed, text } from './lib/provider.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const good = JSON.stringify(completion('m'));
const head = (more, status = '200 OK') => `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n${more}\r\n`;
const whole = head(`content-length: ${good.length}\r\n`) + good;
const evil = JSON.stringify(completion('m', 'for somebody else'));
const extra = head(`content-length: ${evil.length}\r\n`) + evil;
const chunks = (...pieces) => pieces.map((p) => `${Buffer.byteLength(p).toString(16)}\r\n${p}\r\n`).join('');
const events = (s) => `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${s}`;

/** A server that answers each request with the bytes that are set. */
class Raw {
  requests = 0;
  connections = new Set();

  static async start() {
    const r = new Raw();
    r.server = net.createServer((s) => {
      r.connections.add(s);
      s.on('close', () => r.connections.delete(s));
      s.on('error', () => {});
      let got = '';
      s.on('data', (d) => {
        got += d.toString('latin1');
        const end = got.indexOf('\r\n\r\n');
        if (end < 0 || got.length < end + 4 + Number(/content-length: (\d+)/i.exec(got)[1])) return;
        got = '';
        r.requests++;
        r.answer(s);
      });
    });
    await new Promise((resolve) => r.server.listen(0, '127.0.0.1', resolve));
    r.url = `http://127.0.0.1:${r.server.address().port}/v1`;
    r.say(whole);
    return r;
  }

  say(bytes, { end = false } = {}) {
    this.answer = (s) => { s.write(Buffer.from(bytes, 'latin1')); if (end) s.end(); };
  }

  async stop() {
    for (const s of this.connections) s.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('garbage', () => {
  let raw, writ;
  before(async () => {
    raw = await Raw.start();
    writ = await Writ.start({
      providers: { raw: { url: raw.url, more: 'timeouts: {head: 800ms, idle: 800ms}' } },
      models: { m: '{routes: [{provider: raw, model: m}], attempts: 1}' },
      callers: { alice: { models: ['m'] }, bob: { models: ['m'] } },
      more: 'workers: 1', // so that the next call could get the same connection
    });
  });
  after(async () => {
    await writ.finish();
    await raw.stop();
  });

  async function call(stream = false, key = KEYS.alice) {
    const res = await fetch(`${writ.url}/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'Hello' }] }),
    });
    let got = '', broken = false;
    try {
      for await (const piece of res.body) got += Buffer.from(piece).toString();
    } catch { broken = true; }
    return { status: res.status, headers: res.headers, text: got, broken };
  }

  /** The next caller gets a sound answer, whatever was said before. */
  async function nextIsClean() {
    raw.say(whole);
    const r = await call(false, KEYS.bob);
    assert.equal(r.status, 200, r.text);
    assert.equal(JSON.parse(r.text).choices[0].message.content, text);
  }

  const heads = {
    'no HTTP at all': 'hello\r\n\r\n',
    'another version': head('content-length: 2\r\n').replace('1.1', '2.0') + '{}',
    'HTTP/0.9': good,
    'no status': head('content-length: 2\r\n', 'OK') + '{}',
    'a status of four digits': head('content-length: 2\r\n', '2000 OK') + '{}',
    'a status below 100': head('content-length: 2\r\n', '099 No') + '{}',
    'two lengths': head(`content-length: ${good.length}\r\ncontent-length: 5\r\n`) + good,
    'a list of lengths': head(`content-length: ${good.length}, ${good.length}\r\n`) + good,
    'a negative length': head('content-length: -5\r\n') + good,
    'a length that overflows': head('content-length: 18446744073709551621\r\n') + good,
    'length and coding': head(`content-length: ${good.length}\r\ntransfer-encoding: chunked\r\n`) + chunks(good, ''),
    'a coding that is not known': head('transfer-encoding: gzip, chunked\r\n') + chunks(good, ''),
    'chunked twice': head('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n') + chunks(good, ''),
    'a blank before the colon': head(`content-length : ${good.length}\r\n`) + good,
    'a folded field': head(`x: a\r\n b\r\ncontent-length: ${good.length}\r\n`) + good,
    'NUL in a field': head(`x: a\0b\r\ncontent-length: ${good.length}\r\n`) + good,
    'a bare CR in a field': head(`x: a\rb\r\ncontent-length: ${good.length}\r\n`) + good,
    'a head of 100 KB': head(`x: ${'a'.repeat(100000)}\r\ncontent-length: ${good.length}\r\n`) + good,
    '2,000 fields': head(`${Array.from({ length: 2000 }, (_, i) => `x${i}: 1\r\n`).join('')}content-length: ${good.length}\r\n`) + good,
    'a switch of protocols': 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    'a thousand informational answers': 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(1000) + whole,
    'a bad chunk size': head('transfer-encoding: chunked\r\n') + `zz\r\n${good}\r\n0\r\n\r\n`,
    'a chunk size that overflows': head('transfer-encoding: chunked\r\n') + `fffffffffffffffff\r\n${good}\r\n0\r\n\r\n`,
    'a chunk without its end': head('transfer-encoding: chunked\r\n') + `5\r\n${good}`,
    'a compressed answer': `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${good.length}\r\n\r\n${good}`,
    'another content type': whole.replace('application/json', 'text/html'),
    'an answer in another shape': head('content-length: 2\r\n') + '{}',
    'an empty body': head('content-length: 0\r\n'),
    'accepted, for later': head('content-length: 2\r\n', '202 Accepted') + '{}',
    'JSON that is none': head('content-length: 9\r\n') + '{"choices',
    'one key twice': (() => { const two = good.replace('"model"', '"id":"x","model"'); return head(`content-length: ${two.length}\r\n`) + two; })(),
    'a redirect': head('location: http://169.254.169.254/\r\ncontent-length: 0\r\n', '307 Temporary Redirect'),
    'not modified': head('', '304 Not Modified'),
    'no content': head('', '204 No Content'),
  };
  for (const [name, bytes] of Object.entries(heads)) {
    test(`${name}: no answer, and nothing for the next caller`, async () => {
      raw.say(bytes);
      const r = await call();
      assert.ok([502, 504].includes(r.status), `${r.status} ${r.text.slice(0, 200)}`);
      assert.match(JSON.parse(r.text).error.code, /^upstream_/);
      await nextIsClean();
    });
  }

  test('bytes behind an answer are for nobody', async () => {
    for (const behind of [extra, extra.slice(0, 20), 'x', '\r\n\r\n', `${head('transfer-encoding: chunked\r\n')}${chunks(evil, '')}`]) {
      raw.say(whole + behind);
      const r = await call();
      assert.ok([200, 502].includes(r.status));
      if (r.status === 200) assert.equal(JSON.parse(r.text).choices[0].message.content, text);
      await nextIsClean();
    }
  });

  test('an answer that comes before it was asked for is for nobody', async () => {
    raw.say(whole);
    assert.equal((await call()).status, 200);
    assert.ok(raw.connections.size > 0);
    for (const s of raw.connections) s.write(extra);
    await writ.until(() => raw.connections.size === 0, 3000, 'closed, unasked as it was');
    await nextIsClean();
  });

  test('an answer that ends with the connection is whole, and ends it', async () => {
    raw.say(head('') + good, { end: true });
    const r = await call();
    assert.equal(r.status, 200, r.text);
    await nextIsClean();
  });

  test('informational answers, and then the real one', async () => {
    raw.say(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${whole}`);
    assert.equal((await call()).status, 200);
    raw.say('HTTP/1.1 100 Continue\r\n\r\n');
    assert.equal((await call()).status, 504);
    await nextIsClean();
  });

  const all = streamed('m', true).join('');
  const streams = {
    'a bad chunk in mid-stream': events(`${chunks(all.slice(0, 400))}zz\r\n`),
    'an event of 2 MB': events(chunks(`data: {"pad":"${'x'.repeat(2 << 20)}"}\n\n`)),
    'no end': events(chunks(all.replace('data: [DONE]\n\n', ''), '')),
    'an end without chunks': events(''),
    'an error event': events(chunks('data: {"error":{"message":"no","type":"server_error","code":"x"}}\n\n', '')),
  };
  for (const [name, bytes] of Object.entries(streams)) {
    test(`a stream with ${name} is not taken for whole`, async () => {
      raw.say(bytes);
      const r = await call(true);
      const failed = r.status === 502 || r.status === 504 || r.broken || /"error"/.test(r.text);
      assert.ok(failed && !/\[DONE\]\s*$/.test(r.text), `${r.status} ${r.broken} ${r.text.slice(-200)}`);
      await nextIsClean();
      const outcomes = (await writ.entries()).filter((e) => e.kind === 'outcome');
      assert.ok(outcomes.some((o) => o.status !== 'ok'));
    });
  }

  test('what a provider sets for itself does not reach the caller', async () => {
    raw.say(head(`content-length: ${good.length}\r\nset-cookie: a=b\r\nwrit-receipt: forged\r\nwrit-decision-id: forged\r\nstrict-transport-security: max-age=1\r\naccess-control-allow-origin: *\r\nopenai-organization: secret-org\r\nx-request-id: req_1\r\n`) + good);
    const r = await call();
    assert.equal(r.status, 200);
    for (const name of ['set-cookie', 'strict-transport-security', 'access-control-allow-origin', 'openai-organization']) assert.equal(r.headers.get(name), null, name);
    for (const name of ['writ-receipt', 'writ-decision-id']) assert.doesNotMatch(r.headers.get(name), /forged/);
    assert.equal(r.headers.get('x-request-id'), 'req_1');
  });

  test('what was said, asked and shown rests nowhere', async () => {
    const { execFileSync } = await import('node:child_process');
    const canary = 'canary-4711-answer';
    const body = JSON.stringify(completion('m', canary));
    raw.say(head(`content-length: ${body.length}\r\n`) + body);
    const r = await fetch(`${writ.url}/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'canary-4711-question' }] }),
    });
    assert.match(await r.text(), /canary-4711-answer/);
    await pause(100);
    for (const secret of ['canary-4711', KEYS.alice, KEYS.bob, 'sk-provider-secret']) {
      assert.throws(() => execFileSync('grep', ['-r', '-a', '-l', '-F', secret, writ.dir]), { status: 1 }, secret);
      assert.ok(!writ.stderr.includes(secret), secret);
    }
    raw.say(whole);
  });
});
