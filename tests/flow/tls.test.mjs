// TLS on both sides: what callers connect to, and what the gateway accepts of
// providers.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { Pki } from './lib/pki.mjs';
import { Provider, completion, text, streamed } from './lib/provider.mjs';
import { Wire } from './lib/wire.mjs';
import { Writ, KEYS, freePort } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
const fields = { authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json' };

/** One request over TLS with Node's own client. */
function call({ port, ca, path = '/healthz', body, ...options }) {
  return new Promise((resolve, reject) => {
    const req = https.request({ host: '127.0.0.1', port, ca, path, method: body ? 'POST' : 'GET', headers: fields, agent: false, ...options }, (res) => {
      let got = '';
      res.on('data', (d) => { got += d; });
      res.on('end', () => resolve({ status: res.statusCode, body: got }));
    });
    req.on('error', reject);
    req.end(body);
  });
}

/**
 * A TLS server whose answers have no length and end with the connection:
 * `clean` by TLS's own end, or by TCP's alone.
 */
async function ending({ key, cert }) {
  const c = { clean: true };
  const server = net.createServer((raw) => {
    const s = new tls.TLSSocket(raw, { isServer: true, key, cert });
    for (const one of [raw, s]) one.on('error', () => {});
    s.once('data', () => {
      s.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(completion('m'))}`, () => {
        if (c.clean) s.end();
        else setTimeout(() => raw.end(), 20);
      });
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  c.url = `https://127.0.0.1:${server.address().port}/v1`;
  c.stop = () => new Promise((resolve) => { server.close(resolve); });
  return c;
}

const names = ['one', 'two', 'wrong', 'system', 'named', 'cutter'];

/** One request on an HTTP/2 session; `piece` gets what arrives. */
function stream(session, path, body, piece = () => {}) {
  return new Promise((resolve, reject) => {
    const s = session.request({ ':method': body ? 'POST' : 'GET', ':path': path, ...fields });
    let status, got = '';
    s.on('response', (h) => { status = h[':status']; });
    s.on('data', (d) => { got += d; piece(d); });
    s.on('end', () => resolve({ status, body: got }));
    s.on('error', reject);
    s.end(body && JSON.stringify(body));
  });
}

describe('tls', () => {
  let pki, provider, second, stranger, cutter, writ, open, asking, strict;

  before(async () => {
    pki = await Pki.make();
    for (const name of ['ca', 'other']) pki.authority(name);
    pki.issue('server', { authority: 'ca' });
    pki.issue('upstream', { authority: 'ca' });
    pki.issue('elsewhere', { authority: 'ca', alt: 'DNS:elsewhere.example' });
    pki.issue('client', { authority: 'ca', usage: 'clientAuth', alt: 'URI:spiffe://example.org/agent' });
    pki.issue('foreign', { authority: 'other', usage: 'clientAuth' });
    provider = await Provider.start(pki.pair('upstream'));
    second = await Provider.start({ ...pki.pair('upstream'), h2: true });
    stranger = await Provider.start(pki.pair('elsewhere'));
    cutter = await ending(pki.pair('upstream'));
    [open, asking, strict] = [await freePort(), await freePort(), await freePort()];
    const listener = (port, more = '') => `{address: "127.0.0.1:${port}", tls: {cert: ${pki.file('server.crt')}, key: ${pki.file('server.key')}${more}}}`;
    const clients = `, client_ca: ${pki.file('ca.crt')}, client_auth:`;
    const trust = (ca) => `tls: {ca: ${pki.file(`${ca}.crt`)}}`;
    const route = (name) => `{routes: [{provider: ${name}, model: m}], attempts: 1}`;
    writ = await Writ.start({
      listen: [listener(open), listener(asking, `${clients} optional`), listener(strict, `${clients} required`)].join(', '),
      providers: {
        one: { url: provider.url, more: trust('ca') },
        two: { url: second.url, more: trust('ca') },
        wrong: { url: provider.url, more: trust('other') },
        system: { url: provider.url },
        named: { url: stranger.url, more: trust('ca') },
        cutter: { url: cutter.url, more: trust('ca') },
      },
      models: Object.fromEntries(names.map((n) => [n, route(n)])),
      callers: { alice: { models: names } },
      more: 'server: {head_timeout: 1s}',
    });
  });
  after(async () => {
    await writ.finish();
    for (const p of [provider, second, stranger, cutter]) await p.stop();
    await pki.remove();
  });

  const ca = () => pki.read('ca.crt');
  const chat = (model, more = {}) => writ.client().chat.completions.create({ model, messages, ...more });

  describe('towards callers', () => {
    test('the SDK over HTTPS, plain and streamed', async () => {
      const agent = new https.Agent({ ca: ca(), keepAlive: true });
      const request = (target, init) => new Promise((resolve, reject) => {
        const req = https.request(target, { method: init.method, headers: Object.fromEntries(new Headers(init.headers)), agent }, (res) => {
          resolve(new Response(new ReadableStream({
            start(c) { res.on('data', (d) => c.enqueue(d)); res.on('end', () => c.close()); res.on('error', (e) => c.error(e)); },
          }), { status: res.statusCode, headers: res.headers }));
        });
        req.on('error', reject);
        req.end(init.body);
      });
      const client = writ.client('alice', { baseURL: `https://127.0.0.1:${open}/v1`, fetch: request });
      const plain = await client.chat.completions.create({ model: 'one', messages });
      assert.equal(plain.choices[0].message.content, text);
      let said = '';
      for await (const c of await client.chat.completions.create({ model: 'one', messages, stream: true })) said += c.choices[0]?.delta?.content ?? '';
      assert.equal(said, text);
      agent.destroy();
    });

    test('HTTP/2 by ALPN: plain, streamed, twenty at a time', async () => {
      const session = http2.connect(`https://127.0.0.1:${open}`, { ca: ca() });
      await new Promise((resolve, reject) => session.on('connect', resolve).on('error', reject));
      assert.equal(session.alpnProtocol, 'h2');
      const plain = await stream(session, '/v1/chat/completions', { model: 'one', messages });
      assert.equal(plain.status, 200);
      assert.equal(JSON.parse(plain.body).choices[0].message.content, text);

      let pieces = 0;
      provider.on('m', async (x) => { x.begin(); await x.send(streamed('m', x.body.stream_options?.include_usage), 10); x.res.end(); });
      const events = await stream(session, '/v1/chat/completions', { model: 'one', messages, stream: true }, () => pieces++);
      provider.handlers.delete('m');
      assert.equal(events.status, 200);
      assert.match(events.body, /data: \[DONE\]\n\n$/);
      assert.ok(pieces > 5, `${pieces} pieces`);

      const many = await Promise.all(Array.from({ length: 20 }, () => stream(session, '/v1/chat/completions', { model: 'one', messages })));
      assert.deepEqual(many.map((r) => r.status), Array(20).fill(200));
      const big = await stream(session, '/v1/chat/completions', { model: 'one', messages: [{ role: 'user', content: 'x'.repeat(500000) }] });
      assert.equal(big.status, 200);
      session.close();
    });

    test('a caller who resets its HTTP/2 stream ends the upstream call', async () => {
      provider.on('m', async (x) => { x.begin(); while (!x.closed) await x.send([streamed('m', true)[1]], 10); });
      const session = http2.connect(`https://127.0.0.1:${open}`, { ca: ca() });
      const s = session.request({ ':method': 'POST', ':path': '/v1/chat/completions', ...fields });
      s.end(JSON.stringify({ model: 'one', messages, stream: true }));
      await new Promise((resolve) => s.once('data', resolve));
      s.on('error', () => {});
      s.close(http2.constants.NGHTTP2_CANCEL);
      await writ.until(() => provider.requests.at(-1).exchange.closed, 2000, 'cancelled upstream');
      provider.handlers.delete('m');
      assert.equal((await stream(session, '/healthz')).status, 200); // the connection lives on
      session.close();
    });

    test('TLS 1.2 and 1.3 are spoken, older ones and bare ciphers are not', async () => {
      const shake = (options) => new Promise((resolve) => {
        const s = tls.connect({ host: '127.0.0.1', port: open, ca: ca(), ...options }, () => { resolve(s.getProtocol()); s.destroy(); });
        s.on('error', (e) => resolve(e.code ?? 'error'));
      });
      assert.equal(await shake({ maxVersion: 'TLSv1.2' }), 'TLSv1.2');
      assert.equal(await shake({}), 'TLSv1.3');
      const refused = [{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }, { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }];
      for (const options of refused) assert.match(await shake(options), /^(?!TLSv)/);
    });

    test('plain HTTP on a TLS port is answered by closing, and a hello byte by byte works', async () => {
      const s = net.connect(open, '127.0.0.1');
      let got = '';
      s.on('data', (d) => { got += d.toString('latin1'); });
      s.on('error', () => {});
      s.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await new Promise((resolve) => s.once('close', resolve));
      assert.ok(!got.startsWith('HTTP/'));

      const { Duplex } = await import('node:stream');
      const raw = net.connect({ port: open, host: '127.0.0.1', noDelay: true });
      const slow = new Duplex({
        read() {},
        async write(chunk, _, done) {
          for (const byte of chunk) { raw.write(Buffer.from([byte])); await new Promise((r) => setImmediate(r)); }
          done();
        },
      });
      raw.on('data', (d) => slow.push(d)).on('end', () => slow.push(null)).on('error', () => {});
      const secure = tls.connect({ socket: slow, ca: ca(), host: '127.0.0.1', checkServerIdentity: () => undefined });
      secure.write('GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
      let answer = '';
      secure.on('error', () => {});
      for await (const d of secure) { answer += d; if (answer.endsWith('ok\n')) break; }
      assert.match(answer, /^HTTP\/1\.1 200 /);
      raw.destroy();
    });

    test('a handshake that does not begin, or stops, is ended', async () => {
      const silent = Wire.connect(open), half = Wire.connect(open).write('\x16\x03\x01\x02\x00\x01\x00');
      assert.ok(await silent.ended(4000), 'silent');
      assert.ok(await half.ended(4000), 'half');
    });

    test('a client certificate is optional here and required there', async () => {
      const mine = pki.pair('client'), foreign = pki.pair('foreign');
      assert.equal((await call({ port: asking, ca: ca() })).status, 200);
      assert.equal((await call({ port: asking, ca: ca(), ...mine })).status, 200);
      await assert.rejects(call({ port: asking, ca: ca(), ...foreign }));
      assert.equal((await call({ port: strict, ca: ca(), ...mine })).status, 200);
      await assert.rejects(call({ port: strict, ca: ca() }));
      await assert.rejects(call({ port: strict, ca: ca(), ...foreign }));
      await assert.rejects(call({ port: strict, ca: ca(), ...pki.pair('server') })); // not meant for clients
    });

    test('a key that does not fit the certificate changes nothing at a reload', async () => {
      const failed = (await writ.status()).config.reloads_failed;
      const { copyFileSync } = await import('node:fs');
      copyFileSync(pki.file('server.key'), pki.file('old.key'));
      copyFileSync(pki.file('client.key'), pki.file('server.key'));
      writ.signal('SIGHUP');
      await writ.until(async () => (await writ.status()).config.reloads_failed > failed, 5000, 'refused');
      assert.match(writ.stderr, /does not fit the certificate/);
      assert.equal((await call({ port: open, ca: ca() })).status, 200);
      copyFileSync(pki.file('old.key'), pki.file('server.key'));
    });
  });

  describe('towards providers', () => {
    test('HTTP/1.1 and HTTP/2, with an authority of our own', async () => {
      for (const [model, p, version] of [['one', provider, '1.1'], ['two', second, '2.0']]) {
        assert.equal((await chat(model)).choices[0].message.content, text);
        assert.equal(p.requests.at(-1).exchange.req.httpVersion, version);
        let said = '';
        for await (const c of await chat(model, { stream: true })) said += c.choices[0]?.delta?.content ?? '';
        assert.equal(said, text);
      }
    });

    test('twenty calls at a time share one HTTP/2 connection a worker', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, () => chat('two')));
      assert.equal(all.length, 20);
      const workers = (await writ.status()).workers?.length ?? 32;
      assert.ok(second.sessions.size <= workers, `${second.sessions.size} connections`);
    });

    test('a caller who leaves resets the HTTP/2 stream, not the connection', async () => {
      second.on('m', async (x) => { x.begin(); while (!x.closed) await x.send([streamed('m', true)[1]], 10); });
      const n = second.sessions.size;
      for await (const _ of await chat('two', { stream: true })) break;
      await writ.until(() => second.requests.at(-1).exchange.closed, 2000, 'cancelled upstream');
      second.handlers.delete('m');
      assert.ok(second.sessions.size >= Math.min(n, 1));
      assert.equal((await chat('two')).choices[0].message.content, text);
    });

    test('an answer that TCP cut off is not taken for whole, one that TLS ended is', async () => {
      assert.equal((await chat('cutter')).choices[0].message.content, text);
      cutter.clean = false;
      await assert.rejects(chat('cutter'), (e) => e.status === 502 && e.code === 'upstream_failed');
    });

    test('a certificate that nobody we trust has signed, or for another name, is refused', async () => {
      const before = [provider, stranger].map((p) => p.requests.length);
      for (const model of ['wrong', 'system', 'named']) {
        await assert.rejects(chat(model), (e) => e.status === 502 && e.code === 'upstream_connect', model);
      }
      assert.deepEqual([provider, stranger].map((p) => p.requests.length), before);
      const entries = await writ.entries();
      const failed = entries.filter((e) => e.kind === 'outcome' && e.status !== 'ok' && e.error?.code === 'upstream_connect');
      assert.ok(failed.length >= 3, JSON.stringify(entries.slice(-2)));
    });
  });
});
