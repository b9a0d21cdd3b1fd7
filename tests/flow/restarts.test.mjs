// Processes that die at the wrong moment, and what the supervisor makes of it.
import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import path from 'node:path';
import { Provider, pause, streamed } from './lib/provider.mjs';
import { BIN, Writ, freePort, request, run } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
const ask = (writ) => writ.client().chat.completions.create({ model: 'm', messages }).then(() => 200, (e) => e.status);

async function node(options = {}) {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { m: '{routes: [{provider: openai, model: m}]}', slow: '{routes: [{provider: openai, model: slow}]}' },
    callers: { alice: { models: ['m', 'slow'] } },
    ...options,
  });
  return { provider, writ };
}

/** The pids of the node's processes by name, from /proc: also while no gateway answers. */
async function processes(writ) {
  const found = {};
  for (const pid of (await fs.readdir('/proc')).filter((n) => /^\d+$/.test(n))) {
    const args = (await fs.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (args.includes(`--data=${path.join(writ.dir, 'data')}`)) found[args[1].slice('--role='.length)] = Number(pid);
  }
  return found;
}

/** Shuts a socket of another process down, as a full queue or a broken message would. */
function breakSocket(pid, fd) {
  const script = `
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.syscall(438, os.pidfd_open(int(sys.argv[1])), int(sys.argv[2]), 0)
if fd < 0: sys.exit(os.strerror(ctypes.get_errno()))
socket.socket(fileno=fd).shutdown(socket.SHUT_RDWR)`;
  return new Promise((resolve) => execFile('python3', ['-c', script, pid, fd].map(String), (e, out, err) => resolve({ code: e ? 1 : 0, err })));
}

const kill = (pid, signal = 'SIGKILL') => process.kill(pid, signal);

describe('restarts', () => {
  test('the most workers and listeners that can be configured', async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const { provider, writ } = await node({ more: 'workers: 32', listen: ports.map((p) => `{address: "127.0.0.1:${p}"}`).join(', ') });
    for (const port of ports) assert.equal((await request({ port, path: '/healthz' })).status, 200);
    assert.equal(await ask(writ), 200);
    await writ.finish();
    await provider.stop();
  });

  test('Ctrl-C, which reaches every process, drains', async () => {
    const { provider, writ } = await node();
    await writ.stop();
    writ.ended = false;
    writ.child = spawn(BIN, ['serve', '--config', writ.file], { cwd: writ.dir, env: { ...process.env, ...writ.env }, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    writ.child.stderr.on('data', (s) => { writ.stderr += s; });
    writ.exited = once(writ.child, 'exit').then(([code, signal]) => { writ.ended = true; return { code, signal }; });
    await writ.until(() => writ.healthy(), 20000, 'serving');
    provider.on('slow', async (x) => { x.begin(); await x.send(streamed('slow', true), 60); x.res.end(); });
    const stream = await writ.client().chat.completions.create({ model: 'slow', messages, stream: true });
    let said = 0;
    for await (const _ of stream) if (said++ === 1) kill(-writ.child.pid, 'SIGINT');
    assert.equal(said, 9);
    assert.equal((await writ.exited).code, 0);
    assert.equal((await writ.entries()).filter((e) => e.kind === 'outcome').at(-1).status, 'ok');
    await writ.finish();
    await provider.stop();
  });

  test('started without standard descriptors, no process takes something else for them', async () => {
    const { provider, writ } = await node();
    await writ.stop();
    writ.ended = false;
    writ.child = spawn('/bin/sh', ['-c', 'exec "$0" serve --config "$1" <&- >&- 2>&-', BIN, writ.file], { cwd: writ.dir, env: { ...process.env, ...writ.env }, stdio: 'ignore' });
    writ.exited = once(writ.child, 'exit').then(([code, signal]) => { writ.ended = true; return { code, signal }; });
    await writ.until(() => writ.healthy(), 20000, 'serving');
    for (const pid of Object.values(await processes(writ)))
      for (const fd of [0, 1, 2]) assert.equal(await fs.readlink(`/proc/${pid}/fd/${fd}`), '/dev/null');
    assert.equal((await fs.stat(path.join(writ.dir, 'data', 'control.sock'))).mode & 0o777, 0o600);
    await writ.finish();
    await provider.stop();
  });

  test('a gateway that starts while ledger and keeper are away serves when they are back', async () => {
    const { provider, writ } = await node({ more: 'workers: 2' });
    writ.restartsExpected = true;
    for (let round = 0; round < 3; round++) { // later each time: now they stay away for a while
      for (const name of ['ledger', 'keeper']) {
        const now = await writ.until(async () => (await processes(writ))[name], 10000, `${name} is back`);
        kill(now);
      }
    }
    kill((await processes(writ)).gateway);
    await writ.until(async () => (await Promise.all(Array.from({ length: 8 }, () => ask(writ)))).every((s) => s === 200), 15000, 'serving');
    assert.equal((await writ.status()).processes.find((p) => p.process === 'gateway').restarts, 1, writ.stderr);
    await writ.finish();
    await provider.stop();
  });

  test('a ledger that restarts while the gateway starts is not lost to any worker', async () => {
    const { provider, writ } = await node({ more: 'workers: 2' });
    writ.restartsExpected = true;
    const { keeper, ledger, gateway } = await processes(writ);
    kill(keeper, 'SIGSTOP'); // a gateway does not come further than its question to the keeper
    kill(gateway);
    const started = await writ.until(async () => { const now = await processes(writ); return now.gateway && now.gateway !== gateway && now.gateway; }, 5000, 'a new gateway');
    await pause(300);
    kill(ledger);
    await writ.until(async () => { const now = await processes(writ); return now.ledger && now.ledger !== ledger; }, 5000, 'a new ledger');
    await pause(300);
    kill(keeper, 'SIGCONT');
    await writ.until(() => writ.healthy(), 10000, 'serving');
    for (let i = 0; i < 16; i++) assert.equal(await ask(writ), 200);
    assert.equal((await processes(writ)).gateway, started);
    await writ.finish();
    await provider.stop();
  });

  test('the supervisor is killed: all end, and the next one starts at once', async () => {
    const { provider, writ } = await node();
    const before = await processes(writ);
    kill(before.ledger, 'SIGSTOP'); // its last write takes a while
    kill(before.supervisor);
    await writ.exited;
    setTimeout(() => kill(before.ledger, 'SIGCONT'), 1000);
    writ.ended = false;
    await writ.launch();
    const after = await processes(writ);
    for (const name of Object.keys(before)) assert.notEqual(before[name], after[name]);
    assert.equal(await ask(writ), 200);
    await writ.finish();
    await provider.stop();
  });

  test('listeners that the file names otherwise by now: a restarted gateway knows which is which', async () => {
    const other = await freePort();
    const { provider, writ } = await node({ listen: `{address: "127.0.0.1:${other}"}` });
    writ.restartsExpected = true;
    const text = await fs.readFile(writ.file, 'utf8');
    await fs.writeFile(writ.file, text.replace(/^listen: .*$/m, `listen: [{address: "127.0.0.1:${other}"}, {address: "127.0.0.1:${writ.port}"}]`));
    kill(await writ.pid('gateway'));
    await writ.until(() => writ.healthy().catch(() => false), 10000, 'serving');
    assert.equal(await ask(writ), 200);
    // One of them is gone: there is no saying how it should be served.
    await fs.writeFile(writ.file, text.replace(/^listen: .*$/m, `listen: [{address: "127.0.0.1:${writ.port}"}]`));
    kill(await writ.pid('gateway'));
    assert.equal((await writ.exited).code, 1);
    assert.match(writ.stderr, /keeps its addresses/);
    writ.ended = false;
    await writ.launch();
    assert.equal(await ask(writ), 200);
    await writ.finish();
    await provider.stop();
  });

  test('tables of a newer version: the node ends, with its workers, and touches nothing', async () => {
    const { provider, writ } = await node({ more: 'server: {drain: 1m}' });
    await writ.stop();
    const store = path.join(writ.dir, 'data', 'store.db');
    const db = new DatabaseSync(store);
    db.exec('INSERT INTO schema_version (version, applied_us) VALUES (1000, 1)');
    db.close();
    const since = Date.now();
    const { code, err } = await run(['serve', '--config', writ.file], { cwd: writ.dir, env: writ.env });
    assert.equal(code, 1);
    assert.match(err, /newer/);
    assert.ok(Date.now() - since < 10000, 'at once, and not when the drain is over');
    assert.equal((await writ.entries()).at(-1).event, 'stop', 'an end in order');
    const again = new DatabaseSync(store);
    again.exec('DELETE FROM schema_version WHERE version = 1000');
    again.close();
    writ.ended = false;
    await writ.launch();
    assert.equal(await ask(writ), 200);
    await writ.finish();
    await provider.stop();
  });

  test('a reload and a stop at the same moment', async () => {
    const { provider, writ } = await node();
    const callers = { ...writ.options.callers };
    await writ.configure({ models: { ...writ.options.models, ...Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`m${i}`, '{routes: [{provider: openai, model: m}]}'])) }, callers });
    for (let i = 0; i < 4; i++) {
      writ.signal('SIGHUP');
      await pause(20 * i);
      assert.equal(await writ.stop(), 0, writ.stderr);
      writ.ended = false;
      await writ.launch();
    }
    await writ.finish();
    await provider.stop();
  });

  test('rule_25: a ledger that restarts under a stream leaves it its one, true outcome', async () => {
    const { provider, writ } = await node({ more: 'workers: 2' });
    writ.restartsExpected = true;
    provider.on('slow', async (x) => { x.begin(); await x.send(streamed('slow', true), 100); x.res.end(); });
    const streams = Array.from({ length: 6 }, () => writ.client().chat.completions.create({ model: 'slow', messages, stream: true }));
    let n = 0;
    await Promise.all(streams.map(async (s) => { for await (const _ of await s) if (n++ === 6) kill(await writ.pid('ledger')); }));
    await writ.until(async () => (await writ.status()).ledger.open_intents === 0, 5000, 'all closed');
    assert.deepEqual((await writ.entries()).filter((e) => e.kind === 'outcome').map((e) => e.status), Array(6).fill('ok'));
    await writ.finish();
    await provider.stop();
  });

  test('a connection that breaks while both of its ends live is made anew', async (t) => {
    const { provider, writ } = await node({ more: 'workers: 2' });
    const { gateway } = await processes(writ);
    for (const fd of [6, 7, 8, 9, 10, 11]) { // ledger and keeper, of each worker and of the control thread
      const { code, err } = await breakSocket(gateway, fd);
      if (code !== 0) { t.skip(`SKIPPED, pidfd_getfd: ${err}`); break; }
    }
    await pause(100);
    await writ.until(async () => (await Promise.all(Array.from({ length: 16 }, () => ask(writ)))).every((s) => s === 200), 10000, 'serving');
    await writ.until(async () => { const s = await writ.status(); return s.ledger.answers && s.keeper && s.ledger.open_intents === 0; }, 10000, 'all connected');
    assert.equal((await processes(writ)).gateway, gateway);
    await writ.finish();
    await provider.stop();
  });
});
