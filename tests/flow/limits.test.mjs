// What a caller may take in time, connections and bytes; the shapes of what is
// refused; and that the gateway adds no pause of its own.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { Provider, pause, sse, streamed, text } from './lib/provider.mjs';
import { Wire, h2call } from './lib/wire.mjs';
import { Writ, KEYS, request } from './lib/writ.mjs';

const auth = `host: a\r\nauthorization: Bearer ${KEYS.alice}\r\n`;
const chat = (more = {}) => JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...more });
const post = (body, length = body.length) =>
  `POST /v1/chat/completions HTTP/1.1\r\n${auth}content-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;

/** A node with limits that a test can wait for. */
async function node(server) {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { m: '{routes: [{provider: openai, model: m}]}' },
    callers: { alice: { models: ['m'] } },
    more: `workers: 1\nserver: {${server}}`,
  });
  return { provider, writ };
}

const since = (start) => performance.now() - start;

describe('time', () => {
  let provider, writ;
  before(async () => { ({ provider, writ } = await node('head_timeout: 600ms, body_idle: 600ms, idle_timeout: 900ms, write_idle: 800ms')); });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  test('a head that comes byte by byte ends with 408, whatever the rhythm', async () => {
    const start = performance.now();
    const w = Wire.connect(writ.port);
    for (const c of `GET /v1/models HTTP/1.1\r\n${auth}x: ${'y'.repeat(500)}`) {
      if (w.closed) break;
      w.write(c);
      await pause(40);
    }
    assert.ok(await w.ended(100), 'closed');
    assert.ok(since(start) < 3000, `${since(start)} ms`);
    assert.equal(w.answers[0]?.status, 408);
  });

  test('two hundred slow heads do not keep a caller waiting', async () => {
    const slow = Array.from({ length: 200 }, () => Wire.connect(writ.port).write('GET /v1/models HTTP/1.1\r\nhost: a\r\nx'));
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      assert.equal((await request({ port: writ.port, path: '/healthz' })).status, 200);
      assert.ok(since(start) < 500, `${since(start)} ms`);
      for (const w of slow) w.write(': y\r\nx');
      await pause(50);
    }
    for (const w of slow) assert.ok(await w.ended(5000), 'closed');
  });

  test('a connection that never says anything is closed', async () => {
    const w = Wire.connect(writ.port);
    assert.ok(await w.ended(4000));
  });

  test('a body that stops ends with 408', async () => {
    const w = Wire.connect(writ.port).write(post('{"model":', 1000));
    const [a] = await w.final();
    assert.equal(a?.status, 408);
    assert.equal(JSON.parse(a.body).error.code, 'request_timeout');
    assert.ok(await w.ended(2000), 'closed');
  });

  test('a slow body that keeps coming is read', async () => {
    const body = chat(), w = Wire.connect(writ.port).write(post('', body.length));
    for (let i = 0; i < body.length; i += 12) {
      w.write(body.slice(i, i + 12));
      await pause(100);
    }
    assert.equal((await w.final())[0]?.status, 200);
    w.destroy();
  });

  test('a connection without a request is closed after a while, and not before', async () => {
    const w = Wire.connect(writ.port).write(post(chat()));
    await w.final();
    const start = performance.now();
    assert.ok(await w.ended(5000), 'closed');
    assert.ok(since(start) > 600 && since(start) < 4000, `${since(start)} ms`);
    assert.equal(w.answers.length, 1);
  });

  test('a caller that takes nothing of a stream is cut, and the provider with it', async () => {
    provider.on('m', async (x) => {
      x.begin();
      const event = sse({ ...JSON.parse(streamed('m')[1].slice(6)), pad: 'x'.repeat(16384) });
      while (!x.closed) if (!x.res.write(event)) await Promise.race([new Promise((r) => x.res.once('drain', r)), pause(50)]);
    });
    const w = Wire.connect(writ.port);
    w.write(post(chat({ stream: true })));
    await w.until(() => w.received.length > 0);
    w.socket.pause();
    await writ.until(() => provider.requests.at(-1).exchange.closed, 8000, 'cut');
    await writ.until(async () => (await writ.status()).calls.open === 0, 3000, 'settled');
    w.destroy();
    provider.handlers.delete('m');
  });

  test('an HTTP/2 connection that is idle is closed', async () => {
    const start = performance.now();
    const w = Wire.connect(writ.port).write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    assert.ok(await w.ended(5000), 'closed');
    assert.ok(since(start) > 500);
  });
});

describe('connections', () => {
  test('beyond the limit new ones wait, and get their turn', async () => {
    const { provider, writ } = await node('connections_max: 4');
    const held = Array.from({ length: 4 }, () => Wire.connect(writ.port).write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n'));
    for (const w of held) assert.equal((await w.final())[0]?.status, 200);
    const late = Wire.connect(writ.port).write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
    assert.equal((await late.final(1, 400)).length, 0);
    assert.equal((await held[0].write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n').final(2)).length, 2, 'those inside are served');
    held[1].destroy();
    assert.equal((await late.final(1, 5000))[0]?.status, 200);
    for (const w of [...held, late]) w.destroy();
    await writ.finish();
    await provider.stop();
  });

  test('no more descriptors: the node survives, and serves when there are some', async () => {
    const { provider, writ } = await node('head_timeout: 2s');
    const { execFileSync } = await import('node:child_process');
    const pid = await writ.pid('gateway');
    const { readdirSync } = await import('node:fs');
    const limit = readdirSync(`/proc/${pid}/fd`).length + 8;
    try {
      execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`], { stdio: 'pipe' });
    } catch (e) {
      process.stderr.write(`*** LEFT OUT: no limit could be set: ${e.message} ***\n`);
      await writ.finish();
      return provider.stop();
    }
    const many = Array.from({ length: 60 }, () => Wire.connect(writ.port).write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n'));
    await pause(1000);
    const cpu = () => { const f = execFileSync('cat', [`/proc/${pid}/stat`]).toString().split(') ')[1].split(' '); return Number(f[11]) + Number(f[12]); };
    const before = cpu();
    await pause(1000);
    const spent = cpu() - before;
    assert.ok(spent < 50, `${spent} ticks of 100 spent waiting`);
    for (const w of many) w.destroy();
    execFileSync('prlimit', ['--pid', String(pid), '--nofile=4096:'], { stdio: 'pipe' });
    await writ.until(async () => (await request({ port: writ.port, path: '/healthz' }).catch(() => null))?.status === 200, 10000, 'serving again');
    assert.equal(await writ.pid('gateway'), pid);
    await writ.finish();
    await provider.stop();
  });
});

describe('shapes', () => {
  let provider, writ;
  before(async () => { ({ provider, writ } = await node('body_max: 1MB')); });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  const rows = [
    // [name, method, target, fields, body, status, code]
    ['a path that is not there', 'GET', '/nowhere', auth, '', 404, 'not_found'],
    ['a path that is not there, without a credential', 'GET', '/nowhere', 'host: a\r\n', '', 404, 'not_found'],
    ['a path below one that is', 'POST', '/v1/chat/completions/x', auth, '', 404, 'not_found'],
    ['a path with a slash more', 'POST', '/v1/chat/completions/', auth, '', 404, 'not_found'],
    ['a path in capitals', 'POST', '/V1/chat/completions', auth, '', 404, 'not_found'],
    ['the admin status on the data plane', 'GET', '/admin/v1/status', auth, '', 404, 'not_found'],
    ['GET where POST belongs', 'GET', '/v1/chat/completions', auth, '', 405, 'method_not_allowed'],
    ['DELETE', 'DELETE', '/v1/models/m', auth, '', 405, 'method_not_allowed'],
    ['PUT', 'PUT', '/v1/models', auth, '', 405, 'method_not_allowed'],
    ['OPTIONS', 'OPTIONS', '/v1/models', auth, '', 405, 'method_not_allowed'],
    ['a query', 'GET', '/v1/models?limit=1', auth, '', 400, 'unknown_field'],
    ['no credential', 'GET', '/v1/models', 'host: a\r\n', '', 401, 'invalid_credential'],
    ['another scheme', 'GET', '/v1/models', 'host: a\r\nauthorization: Basic YTpi\r\n', '', 401, 'invalid_credential'],
    ['two different credentials', 'GET', '/v1/models', `${auth}x-api-key: ${KEYS.bob}\r\n`, '', 401, 'invalid_credential'],
    ['no content type', 'POST', '/v1/chat/completions', auth, chat(), 415, 'unsupported_media_type'],
    ['another content type', 'POST', '/v1/chat/completions', `${auth}content-type: text/plain\r\n`, chat(), 415, 'unsupported_media_type'],
    ['a content type with a charset', 'POST', '/v1/chat/completions', `${auth}content-type: application/json; charset=utf-8\r\n`, chat(), 200],
    ['a coded body', 'POST', '/v1/chat/completions', `${auth}content-type: application/json\r\ncontent-encoding: gzip\r\n`, chat(), 415, 'unsupported_media_type'],
    ['no body', 'POST', '/v1/chat/completions', `${auth}content-type: application/json\r\n`, '', 400, 'malformed'],
    ['dots in the path', 'GET', '/v1/../v1/models', auth, '', 400],
    ['an encoded slash', 'GET', '/v1%2fmodels', auth, '', 400],
    ['an encoded letter', 'GET', '/v1/%6dodels', auth, '', 200],
    ['x-api-key', 'GET', '/v1/models', `host: a\r\nx-api-key: ${KEYS.alice}\r\n`, '', 200],
  ];
  for (const [name, method, target, fields, body, status, code] of rows) {
    test(`${name}: ${status}`, async () => {
      const w = Wire.connect(writ.port).write(`${method} ${target} HTTP/1.1\r\n${fields}${body && `content-length: ${body.length}\r\n`}\r\n${body}`);
      const [a] = await w.final();
      w.destroy();
      assert.equal(a?.status, status, a?.body);
      assert.match(a.headers['content-type'], /^application\/json/);
      const value = JSON.parse(a.body);
      if (status < 400) return;
      assert.deepEqual(Object.keys(value.error).sort(), ['code', 'message', 'param', 'type']);
      if (code) assert.equal(value.error.code, code);
      if (status === 401) assert.match(a.headers['www-authenticate'], /^Bearer/);
      if (status === 405) assert.match(a.headers.allow, /^(GET|POST)$/); // RFC 9110, 15.5.6
    });
  }

  test('HEAD answers without a body', async () => {
    const w = Wire.connect(writ.port).write('HEAD /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    await w.ended(3000);
    assert.match(w.received, /^HTTP\/1\.1 (200|405) [^]*\r\n\r\n$/);
  });

  test('HTTP/1.0 is served, and closed', async () => {
    const w = Wire.connect(writ.port).write('GET /healthz HTTP/1.0\r\n\r\n');
    assert.ok(await w.ended(3000), 'closed');
    assert.equal(w.answers[0]?.status, 200);
    assert.ok(!/transfer-encoding/i.test(w.received));
    const s = Wire.connect(writ.port).write(post(chat({ stream: true })).replace('HTTP/1.1', 'HTTP/1.0'));
    assert.ok(await s.ended(5000), 'closed');
    assert.equal(s.answers[0]?.status, 200);
    assert.ok(!/transfer-encoding/i.test(s.received));
    assert.match(s.received, /data: \[DONE\]\n\n$/);
  });

  test('requests in one write are answered in order', async () => {
    const raw = [post(chat()), `GET /v1/models HTTP/1.1\r\n${auth}\r\n`, post(chat({ stream: true })), 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n', `GET /nowhere HTTP/1.1\r\n${auth}\r\n`];
    const w = Wire.connect(writ.port).write(raw.join(''));
    const got = await w.final(5);
    w.destroy();
    assert.deepEqual(got.map((a) => a.status), [200, 200, 200, 200, 404]);
    assert.equal(JSON.parse(got[0].body).object, 'chat.completion');
    assert.equal(JSON.parse(got[1].body).object, 'list');
    assert.match(got[2].body, /data: \[DONE\]\n\n$/);
    assert.equal(got[3].body, 'ok\n');
  });

  test('a caller who asked to close gets the whole answer, and the close', async () => {
    const w = Wire.connect(writ.port).write(post(chat()).replace('content-type', 'connection: close\r\ncontent-type'));
    assert.ok(await w.ended(3000), 'closed');
    assert.equal(JSON.parse(w.answers[0].body).choices[0].message.content, text);
  });

  test('the same shapes over HTTP/2', async () => {
    const pseudo = (method, path) => [[':method', method], [':scheme', 'http'], [':authority', 'a'], [':path', path]];
    const bearer = ['authorization', `Bearer ${KEYS.alice}`];
    for (const [method, target, fields, body, status] of [
      ['GET', '/v1/models', [bearer], '', 200], ['GET', '/v1/models', [], '', 401], ['GET', '/nowhere', [bearer], '', 404],
      ['GET', '/v1/chat/completions', [bearer], '', 405], ['POST', '/v1/chat/completions', [bearer], chat(), 415],
      ['GET', '/v1/models?x', [bearer], '', 400]]) {
      assert.equal((await h2call(writ.port, [...pseudo(method, target), ...fields], body)).status, status, `${method} ${target}`);
    }
  });
});

describe('pauses', () => {
  let provider, writ;
  before(async () => { ({ provider, writ } = await node('head_timeout: 5s')); });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  /** Milliseconds of `n` calls in sequence on one connection, sorted. */
  async function timed(port, path, body, headers, n) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const took = [];
    for (let i = 0; i < n; i++) {
      const start = performance.now();
      await new Promise((resolve, reject) => {
        const req = http.request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (res) => {
          assert.equal(res.statusCode, 200);
          res.resume();
          res.on('end', resolve);
        });
        req.on('error', reject);
        req.end(body);
      });
      took.push(since(start));
    }
    agent.destroy();
    return took.sort((a, b) => a - b);
  }

  for (const [name, more] of [['a small body', {}], ['a body of 100 KB', { user: 'u', messages: [{ role: 'user', content: 'x'.repeat(102400) }] }], ['a stream', { stream: true }]]) {
    test(`${name}: nothing near 40 ms is added`, async () => {
      const body = chat(more);
      const headers = { authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const direct = await timed(provider.port, '/v1/chat/completions', body, headers, 50);
      const through = await timed(writ.port, '/v1/chat/completions', body, headers, 50);
      const added = through[25] - direct[25];
      console.log(`      added ${added.toFixed(1)} ms at the median, ${(through[45] - direct[45]).toFixed(1)} ms at p90`);
      assert.ok(added < 20, `${added} ms`);
      const near = through.filter((ms) => ms > 38 && ms < 48).length;
      assert.ok(near < 10, `${near} of 50 took about 40 ms`);
    });
  }
});
