// Requests that two readers could read differently: ../shared/tests/
// reliability/http-desync, 170 cases over HTTP/1 and 29 over HTTP/2, each with
// the credential of a caller who may call, so that nothing but the framing
// stands between the case and a provider.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Provider, text } from './lib/provider.mjs';
import { shared } from './lib/shared.mjs';
import { Wire, h2call } from './lib/wire.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const dir = shared('reliability/http-desync');
const cases = dir ? JSON.parse(readFileSync(path.join(dir, 'cases.json'), 'utf8')) : { h1: [], h2: [] };
const bearer = `Bearer ${KEYS.alice}`;
const chat = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });

/** The case at `to`, as a known caller sends it. */
function aimed(c, to) {
  let raw = c.raw.replace(/\/(?=[ \t\r\n\0#\xff]|aaaaaaaa)/g, to);
  if (c.id === 'pri-partial') return raw;
  const fields = `\r\nAuthorization: ${bearer}${/^POST/.test(raw) ? '\r\nContent-Type: application/json' : ''}\r\n\r\n`;
  return c.id === 'ok-pipeline2' ? raw.replaceAll('\r\n\r\n', fields) : raw.replace('\r\n\r\n', fields);
}

const probe = 'GET /healthz HTTP/1.1\r\nHost: a.test\r\n\r\n';

/** Plays one case; what is wrong with what happened, in words. */
async function play(port, c, to) {
  const found = [], wanted = c.id === 'ok-pipeline2' ? 2 : 1;
  const w = Wire.connect(port).write(aimed(c, to));
  const first = await w.final(wanted, 3000);
  if (c.close) await w.ended(2000);
  else await w.ended(60);
  const kept = !w.closed;

  const status = first[0]?.status ?? 0;
  const json = status === 400 && kept && c.expect.includes(200);
  if (!c.expect.includes(status) && !json) found.push(`status ${status}`);
  if (c.close && !w.closed && first.length > 0) found.push('left open');
  if (kept && first.length > 0) {
    // Whatever the body was, it was taken whole: the next request is read as one.
    const [next] = (await w.write(probe).final(wanted + 1, 3000)).slice(wanted);
    if (next?.status !== 200 || next.body !== 'ok\n') found.push(`what followed was answered ${next?.status ?? 'not at all'}`);
  }
  const all = w.answers.filter((a) => a.status >= 200);
  if (all.length > wanted + (kept ? 1 : 0)) found.push(`answers ${all.map((a) => a.status)}`);
  if (w.answers.some((a) => a.status === 101)) found.push('switched protocols');
  if (w.answers.rest) found.push('bytes that are no answer');
  w.destroy();
  return found.map((f) => `${c.id} at ${to}: ${f}`);
}

/** Plays all, a few at a time. */
async function playAll(port, list, at) {
  const left = [...list], found = [];
  const one = async () => {
    for (let c = left.shift(); c; c = left.shift()) found.push(...await play(port, c, at(c)));
  };
  await Promise.all(Array.from({ length: 8 }, one));
  return found;
}

describe('hygiene', { skip: dir ? false : '../shared is not there' }, () => {
  let provider, writ;

  before(async () => {
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { m: '{routes: [{provider: openai, model: m}]}' },
      callers: { alice: { models: ['m'] } },
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  test('170 cases over HTTP/1, at the models: no findings', async () => {
    assert.equal(cases.h1.length, 170);
    const found = await playAll(writ.port, cases.h1, (c) => (/POST/.test(c.raw) ? '/v1/chat/completions' : '/v1/models'));
    assert.deepEqual(found, []);
    assert.deepEqual(provider.requests.map((r) => r.url), []);
  });

  test('170 cases over HTTP/1, where GET and POST are answered 200: no findings', async () => {
    assert.deepEqual(await playAll(writ.port, cases.h1, () => '/healthz'), []);
  });

  test('29 cases over HTTP/2 by prior knowledge: all rejected, none forwarded', async () => {
    assert.equal(cases.h2.length, 29);
    const found = [];
    await Promise.all(cases.h2.map(async (c) => {
      const pseudo = new Map([[':method', 'POST'], [':scheme', 'http'], [':authority', 'a.test'], [':path', '/v1/chat/completions']]);
      const plain = [['authorization', bearer], ['content-type', 'application/json']];
      for (const [name, value] of c.headers) {
        if (name.startsWith(':')) pseudo.set(name, value);
        else plain.push([name, value]);
      }
      const r = await h2call(writ.port, [...pseudo, ...plain], c.body || chat);
      const rejected = r.reset !== undefined || r.goaway !== undefined || (r.status >= 400 && r.status < 500);
      if (!rejected) found.push(`${c.id}: ${JSON.stringify(r)}`);
    }));
    assert.deepEqual(found, []);
    assert.deepEqual(provider.requests.map((r) => r.url), []);
  });
});

describe('framing', () => {
  let provider, writ;
  const chunked = chat.match(/.{1,7}/g).map((p) => `${p.length.toString(16)};x=y\r\n${p}\r\n`).join('');
  const head = (more) => `POST /v1/chat/completions HTTP/1.1\r\nHost: a.test\r\nAuthorization: ${bearer}\r\nContent-Type: application/json\r\n${more}\r\n`;

  before(async () => {
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { m: '{routes: [{provider: openai, model: m}]}' },
      callers: { alice: { models: ['m'] } },
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  const plain = head(`Content-Length: ${chat.length}\r\n`) + chat;
  const ways = {
    'a length': [plain, 1],
    'chunks with extensions': [`${head('Transfer-Encoding: chunked\r\n')}${chunked}0\r\n\r\n`, 1],
    'chunks and trailers that would be fields': [`${head('Transfer-Encoding: chunked\r\nTrailer: X-T\r\n')}${chunked}0\r\nX-T: v\r\n\r\n`, 1],
    'a line end before the request': [`\r\n${plain}`, 1],
    'three in one write': [plain.repeat(3), 3],
    'one byte at a time': [plain, 1],
  };
  for (const [name, [raw, n]] of Object.entries(ways)) {
    test(`${name}: the provider gets one reading of it`, async () => {
      const before = provider.requests.length;
      const w = Wire.connect(writ.port);
      for (const piece of name.startsWith('one byte') ? raw : [raw]) {
        w.write(piece);
        if (piece.length === 1) await new Promise((resolve) => setImmediate(resolve));
      }
      const got = await w.final(n);
      w.destroy();
      assert.deepEqual(got.map((a) => a.status), Array(n).fill(200));
      assert.equal(JSON.parse(got[0].body).choices[0].message.content, text);
      const sent = provider.requests.slice(before);
      assert.equal(sent.length, n);
      for (const r of sent) {
        assert.equal(r.raw, chat);
        assert.equal(r.headers['content-length'], String(chat.length));
        const names = r.rawHeaders.filter((_, i) => i % 2 === 0).map((s) => s.toLowerCase());
        assert.equal(new Set(names).size, names.length, `${names}`);
        for (const bad of ['transfer-encoding', 'trailer', 'te', 'upgrade', 'expect', 'x-t']) assert.ok(!names.includes(bad), bad);
      }
    });
  }

  test('a caller who waits for 100 gets it, and one who was refused does not', async () => {
    const w = Wire.connect(writ.port).write(head(`Content-Length: ${chat.length}\r\nExpect: 100-continue\r\n`));
    await w.until(() => w.answers.length > 0);
    assert.equal(w.answers[0].status, 100);
    const [a] = await w.write(chat).final();
    assert.equal(a.status, 200);
    w.destroy();

    const no = Wire.connect(writ.port).write(head(`Content-Length: ${chat.length}\r\nExpect: 100-continue\r\n`).replace(KEYS.alice, 'nobody'));
    const [refused] = await no.final();
    assert.equal(refused.status, 401);
    assert.equal(no.answers.length, 1);
    no.destroy();
  });

  test('HTTP/2 by prior knowledge answers as HTTP/1 does', async () => {
    const r = await h2call(writ.port, [[':method', 'POST'], [':scheme', 'http'], [':authority', 'a.test'], [':path', '/v1/chat/completions'],
      ['authorization', bearer], ['content-type', 'application/json']], chat);
    assert.equal(r.status, 200);
    assert.equal(JSON.parse(r.body).choices[0].message.content, text);
    assert.equal(provider.requests.at(-1).raw, chat);
  });
});
