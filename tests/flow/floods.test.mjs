// HTTP/2 frames that cost a peer nothing and us something: the connection is
// ended, other callers do not notice, and the processor is idle again.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Provider, pause } from './lib/provider.mjs';
import {
  ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Wire, bytes, frame, frames, headerBlock,
} from './lib/wire.mjs';
import { Writ, KEYS, request } from './lib/writ.mjs';

const number = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const setting = (id, value) => { const b = Buffer.alloc(6); b.writeUInt16BE(id, 0); b.writeUInt32BE(value, 2); return b; };
const block = (more = [], path = '/healthz', method = 'GET') => headerBlock([[':method', method], [':scheme', 'http'], [':authority', 'a'], [':path', path],
  ['authorization', `Bearer ${KEYS.alice}`], ...more]);
const hello = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), frame(SETTINGS, ACK, 0)]);

/** Frames for the streams 1, 3, 5, ... */
const each = (n, what) => Array.from({ length: n }, (_, i) => Buffer.concat(what(2 * i + 1)));

const floods = {
  'rapid resets': () => each(20000, (id) => [frame(HEADERS, END_HEADERS | END_STREAM, id, block()), frame(RST_STREAM, 0, id, number(8))]),
  'rapid resets of calls': () => each(5000, (id) => [frame(HEADERS, END_HEADERS, id, block([['content-type', 'application/json']], '/v1/chat/completions', 'POST')), frame(RST_STREAM, 0, id, number(8))]),
  'streams that we have to reset': () => each(20000, (id) => [frame(HEADERS, END_HEADERS | END_STREAM, id, block([['connection', 'x']]))]),
  pings: () => Array.from({ length: 50000 }, () => frame(PING, 0, 0, Buffer.alloc(8))),
  settings: () => Array.from({ length: 50000 }, () => frame(SETTINGS, 0, 0, setting(3, 100))),
  'empty data': () => [frame(HEADERS, END_HEADERS, 1, block([['content-type', 'application/json']], '/v1/chat/completions', 'POST')), ...Array.from({ length: 50000 }, () => frame(DATA, 0, 1))],
  'a head without end': () => [frame(HEADERS, 0, 1, block()), ...Array.from({ length: 20000 }, () => frame(CONTINUATION, 0, 1, headerBlock([['x', 'y'.repeat(100)]])))],
  'an empty head without end': () => [frame(HEADERS, 0, 1, block()), ...Array.from({ length: 50000 }, () => frame(CONTINUATION, 0, 1))],
  priorities: () => Array.from({ length: 50000 }, (_, i) => frame(2, 0, 2 * (i % 1000) + 1, Buffer.alloc(5))),
  'window updates of one byte': () => Array.from({ length: 50000 }, () => frame(WINDOW_UPDATE, 0, 0, number(1))),
  'frames of an unknown type': () => Array.from({ length: 50000 }, () => frame(0x42, 0, 0, Buffer.alloc(10))),
};

describe('floods', () => {
  let provider, writ, pid;
  before(async () => {
    provider = await Provider.start();
    writ = await Writ.start({
      providers: { openai: { url: provider.url } },
      models: { m: '{routes: [{provider: openai, model: m}]}' },
      callers: { alice: { models: ['m'] } },
      more: 'workers: 1\nserver: {head_timeout: 2s, write_idle: 1s, idle_timeout: 2s}', // the flood and the others share a thread
    });
    pid = await writ.pid('gateway');
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  const ticks = () => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return Number(f[11]) + Number(f[12]); };
  const kb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

  for (const [name, make] of Object.entries(floods)) {
    test(`${name}: the connection ends, others are served`, async () => {
      const all = make();
      const w = Wire.connect(writ.port).write(hello);
      const before = kb();
      let worst = 0;
      for (let i = 0; i < all.length && !w.closed; i += 500) {
        w.write(Buffer.concat(all.slice(i, i + 500)));
        if (i % 5000 === 0) {
          const start = performance.now();
          assert.equal((await request({ port: writ.port, path: '/healthz' })).status, 200);
          worst = Math.max(worst, performance.now() - start);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(await w.ended(3000), 'ended');
      assert.ok(worst < 1000, `another caller waited ${worst} ms`);
      const away = frames(w.received).find((f) => f.type === GOAWAY);
      if (away) assert.ok([0, 1, 2, 6, 9, 11].includes(away.payload.readUInt32BE(4)), `GOAWAY ${away.payload.readUInt32BE(4)}`);
      assert.ok(kb() - before < 100 << 10, `${kb() - before} KB more`);
    });
  }

  test('a bomb of compressed fields is refused', async () => {
    // One long field into the table, then named again and again: 100 bytes sent, megabytes meant.
    const put = Buffer.concat([Buffer.from([0x40]), Buffer.from([1]), bytes('x'), Buffer.from([0x7f, 0x80 + ((3500 - 127) % 128), Math.floor((3500 - 127) / 128)]), bytes('y'.repeat(3500))]);
    const w = Wire.connect(writ.port).write(hello);
    w.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, Buffer.concat([block(), put, Buffer.alloc(5000, 0xbe)])));
    await w.until(() => frames(w.received).some((f) => f.type === RST_STREAM || f.type === GOAWAY || (f.type === HEADERS && f.stream === 1)), 3000);
    const answer = frames(w.received).find((f) => f.stream === 1 || f.type === GOAWAY);
    assert.ok(answer, 'refused');
    w.destroy();
  });

  test('a caller whose window stays shut is cut', async () => {
    const w = Wire.connect(writ.port);
    w.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, setting(4, 0)), frame(HEADERS, END_HEADERS | END_STREAM, 1, block([], '/v1/models'))]));
    assert.ok(await w.ended(6000), 'cut');
    await writ.until(async () => (await writ.status()).calls.open === 0, 3000, 'settled');
  });

  test('a hundred streams at a time, and no more', async () => {
    provider.on('m', () => {});
    const body = bytes(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] }));
    const w = Wire.connect(writ.port).write(hello);
    const call = (id) => Buffer.concat([frame(HEADERS, END_HEADERS, id, block([['content-type', 'application/json']], '/v1/chat/completions', 'POST')), frame(DATA, END_STREAM, id, body)]);
    for (let i = 0; i < 100; i++) w.write(call(2 * i + 1));
    await writ.until(() => provider.requests.length >= 100, 5000, 'a hundred calls');
    w.write(call(201)); // nghttp2 takes it for an error of the connection
    await w.until(() => frames(w.received).some((f) => f.type === GOAWAY || (f.type === RST_STREAM && f.stream === 201)), 3000);
    assert.equal(provider.requests.length, 100);
    w.destroy();
    await writ.until(() => provider.requests.every((r) => r.exchange.closed), 5000, 'all cancelled');
    provider.handlers.delete('m');
  });

  test('after all of it the processor is idle', async () => {
    await pause(300);
    const before = ticks();
    await pause(1000);
    assert.ok(ticks() - before < 20, `${ticks() - before} ticks of 100`);
    assert.equal(await writ.pid('gateway'), pid);
  });
});
