// Bodies and heads that break parsers: bombs, naughty strings, the files of
// JSONTestSuite, sizes beyond the limits.  Whatever came in: the answer is
// valid JSON, a log line is one JSON line, the ledger verifies.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { Provider, completion } from './lib/provider.mjs';
import { shared } from './lib/shared.mjs';
import { Wire } from './lib/wire.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const url = (writ) => `http://127.0.0.1:${writ.port}`;
const json = { authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json' };

async function post(writ, body, headers = {}, target = '/v1/chat/completions') {
  const res = await fetch(url(writ) + target, { method: 'POST', headers: { ...json, ...headers }, body });
  const text = await res.text();
  return { status: res.status, text, value: JSON.parse(text) };
}

/** An error in OpenAI's shape. */
function isError(r, status, code) {
  assert.equal(r.status, status, r.text);
  assert.equal(typeof r.value.error.message, 'string');
  if (code) assert.equal(r.value.error.code, code);
}

/** Calls `what` on each, a few at a time. */
async function each(list, what, width = 6) {
  const left = [...list.entries()];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let next = left.shift(); next; next = left.shift()) await what(next[1], next[0]);
  }));
}

describe('json', () => {
  let provider, writ;

  before(async () => {
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { m: '{routes: [{provider: openai, model: m}]}' },
      callers: { alice: { models: ['m'] } },
      more: 'server: {body_max: 4MB}',
    });
  });
  after(async () => {
    await writ.finish();
    for (const line of writ.stderr.split('\n').filter(Boolean)) assert.equal(typeof JSON.parse(line).event, 'string', line);
    await provider.stop();
  });

  const bombs = shared('reliability/json-bombs');
  test('bombs are refused at once', { skip: !bombs && '../shared is not there' }, async () => {
    const files = readdirSync(bombs).filter((f) => f.startsWith('gzip') === false);
    assert.equal(files.length, 11);
    for (const file of files) {
      const body = zlib.gunzipSync(readFileSync(path.join(bombs, file)));
      const start = performance.now();
      const r = await post(writ, body);
      assert.ok([400, 413].includes(r.status), `${file}: ${r.status}`);
      assert.ok(performance.now() - start < 1500, `${file} took ${performance.now() - start} ms`);
    }
    assert.equal(provider.requests.length, 0);
  });

  test('a bomb inside of a message is refused too', async () => {
    const deep = (n) => `{"model":"m","messages":[{"role":"user","content":"x"}],"metadata":${'{"a":'.repeat(n)}1${'}'.repeat(n)}}`;
    isError(await post(writ, deep(100000)), 413, 'too_large');
    isError(await post(writ, deep(70)), 413, 'too_large');
    const wide = `{"model":"m","messages":[{"role":"user","content":"x"}],${Array.from({ length: 20000 }, (_, i) => `"k${i}":1`)}}`;
    isError(await post(writ, wide), 413, 'too_large');
    isError(await post(writ, `{"model":"m","messages":[${'{"role":"user","content":"x"},'.repeat(90000)}{"role":"user"}]}`), 400);
    assert.equal(provider.requests.length, 0);
  });

  test('a coded body is not unpacked', async () => {
    const chat = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] });
    const bodies = { gzip: zlib.gzipSync(chat), br: zlib.brotliCompressSync(chat), deflate: zlib.deflateSync(chat), identity: chat, 'gzip, gzip': zlib.gzipSync(zlib.gzipSync(chat)), x: chat };
    for (const [coding, body] of Object.entries(bodies)) isError(await post(writ, body, { 'content-encoding': coding }), 415);
    if (bombs) isError(await post(writ, readFileSync(path.join(bombs, 'gzip_bomb_300MB_spaces.gz')), { 'content-encoding': 'gzip' }), 415);
    isError(await post(writ, bodies.gzip), 400);
    assert.equal(provider.requests.length, 0);
  });

  const blns = shared('reliability/blns');
  test('naughty strings, in every field that takes one', { skip: !blns && '../shared is not there' }, async () => {
    const strings = JSON.parse(readFileSync(path.join(blns, 'blns.json'), 'utf8'));
    assert.equal(strings.length, 515);
    strings.push('\0', 'a\0b', '\u2028\u2029', '\x1b[31m', '\x85', '\ufeff', '\u{10ffff}', '\r\nX: y', '","level":"error');
    const echo = (text) => ({ model: 'm', messages: [{ role: 'user', content: text }] });
    provider.on('m', (x) => x.json(200, completion('m', x.body.messages[0].content)));
    const fields = {
      content: (s) => echo(s),
      model: (s) => ({ ...echo('x'), model: s }),
      user: (s) => ({ ...echo('x'), user: s }),
      name: (s) => ({ model: 'm', messages: [{ role: 'user', name: s, content: 'x' }] }),
      tool: (s) => ({ ...echo('x'), tools: [{ type: 'function', function: { name: s, description: s, parameters: { type: 'object', properties: { [s]: { type: 'string' } } } } }] }),
      role: (s) => ({ model: 'm', messages: [{ role: s, content: 'x' }] }),
      member: (s) => ({ ...echo('x'), [s]: 1 }),
      metadata: (s) => ({ ...echo('x'), metadata: { k: s } }),
    };
    const seen = {};
    for (const [field, make] of Object.entries(fields)) {
      const n = seen[field] = {};
      await each(strings, async (s) => {
        const r = await post(writ, JSON.stringify(make(s)));
        n[r.status] = (n[r.status] ?? 0) + 1;
        assert.ok([200, 400, 403].includes(r.status), `${field} ${JSON.stringify(s)}: ${r.text}`);
        if (s.includes('\0')) isError(r, 400);
        else if (field === 'content') assert.equal(r.value.choices[0].message.content, s);
      });
    }
    provider.handlers.delete('m');
    assert.deepEqual(seen.content, { 200: 522, 400: 2 });
    assert.deepEqual(seen.user[200] > 400, true, JSON.stringify(seen));
    assert.equal(seen.model[200], undefined);
    assert.equal(seen.role[200], undefined);
    assert.equal(seen.member[200], undefined);
  });

  test('naughty strings in header fields', { skip: !blns && '../shared is not there' }, async () => {
    const strings = JSON.parse(readFileSync(path.join(blns, 'blns.json'), 'utf8'));
    await each(strings, async (s) => {
      const value = Buffer.from(s).toString('latin1');
      for (const field of ['authorization: Bearer ', 'user-agent: ', 'traceparent: ', 'x-api-key: ']) {
        const w = Wire.connect(writ.port).write(`GET /v1/models HTTP/1.1\r\nhost: a\r\n${field}${value}\r\n\r\n`);
        const [a] = await w.final();
        w.destroy();
        assert.ok([400, 401, 431].includes(a?.status), `${field}${JSON.stringify(s)}: ${a?.status}`);
        assert.equal(typeof JSON.parse(a.body).error.code, 'string');
      }
    });
  });

  const suite = shared('vectors/json-parsing');
  test('JSONTestSuite: n_ is refused, nothing breaks', { skip: !suite && '../shared is not there' }, async () => {
    const dir = path.join(suite, 'test_parsing');
    const files = readdirSync(dir).filter((f) => f.endsWith('.json'));
    assert.equal(files.length, 318);
    await each(files, async (file) => {
      const raw = readFileSync(path.join(dir, file));
      const r = await post(writ, raw);
      isError(r, /500_nested/.test(file) ? 413 : 400); // so deep is over a limit
      // And in a place where any value may stand.
      const inner = await post(writ, Buffer.concat([Buffer.from('{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"x":'), raw, Buffer.from('}}}]}')]));
      assert.ok([200, 400, 413].includes(inner.status), `${file}: ${inner.text}`);
      if (file.startsWith('n_') && !/trailing|extra|comma_after|unclosed|no_data|structure_|object_two|garbage/.test(file)) assert.equal(inner.status, 400, file);
    });
  });

  describe('sizes', () => {
    const head = (line, fields) => `${line}\r\nhost: a\r\nauthorization: Bearer ${KEYS.alice}\r\n${fields}\r\n`;
    const refusals = {
      'a target of 70 KB': [414, head(`GET /${'a'.repeat(70000)} HTTP/1.1`, '')],
      'a query of 70 KB': [414, head(`GET /v1/models?${'a'.repeat(70000)} HTTP/1.1`, '')],
      'a field of 70 KB': [431, head('GET /v1/models HTTP/1.1', `x: ${'a'.repeat(70000)}\r\n`)],
      'a field name of 70 KB': [431, head('GET /v1/models HTTP/1.1', `${'a'.repeat(70000)}: x\r\n`)],
      '2,000 fields': [431, head('GET /v1/models HTTP/1.1', Array.from({ length: 2000 }, (_, i) => `x${i}: 1\r\n`).join(''))],
      '101 fields': [431, head('GET /v1/models HTTP/1.1', Array.from({ length: 101 }, (_, i) => `x${i}: 1\r\n`).join(''))],
      'a length over the limit': [413, head('POST /v1/chat/completions HTTP/1.1', `content-type: application/json\r\ncontent-length: ${(4 << 20) + 1}\r\n`)],
    };
    for (const [name, [status, raw]] of Object.entries(refusals)) {
      test(`${name}: ${status}, and the connection ends`, async () => {
        const w = Wire.connect(writ.port).write(raw);
        const [a] = await w.final();
        assert.equal(a?.status, status);
        assert.ok(await w.ended(3000), 'closed');
      });
    }

    test('a chunked body over the limit: 413, and the connection ends', async () => {
      const w = Wire.connect(writ.port).write(head('POST /v1/chat/completions HTTP/1.1', 'content-type: application/json\r\ntransfer-encoding: chunked\r\n'));
      const chunk = `10000\r\n${' '.repeat(65536)}\r\n`;
      for (let i = 0; i < 80 && !w.closed && w.answers.length === 0; i++) {
        w.write(chunk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const [a] = await w.final();
      assert.equal(a?.status, 413);
      assert.ok(await w.ended(5000), 'closed');
    });

    test('a body of the largest size goes through', async () => {
      const chat = (n) => JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(n) }] });
      const fits = chat((4 << 20) - chat(0).length);
      assert.equal(fits.length, 4 << 20);
      assert.equal((await post(writ, fits)).status, 200);
      assert.equal(provider.requests.at(-1).raw.length, fits.length);
    });
  });

  test('after all of it: memory is back, entries are JSON, nothing is open', async () => {
    await writ.until(async () => (await writ.status()).calls.open === 0, 5000, 'idle');
    const pid = await writ.pid('gateway');
    const kb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
    assert.ok(kb < 1500 << 10, `${kb} KB resident`);
    for (const e of await writ.entries()) assert.equal(typeof e.kind, 'string');
  });
});
