// The disk under the ledger of a running node fills up, or fails: 503
// evidence_unavailable, nothing goes out, and what was answered is there.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { Provider } from '../flow/lib/provider.mjs';
import { Wire } from '../flow/lib/wire.mjs';
import { Writ, KEYS } from '../flow/lib/writ.mjs';
import { Load, Report, all, call, missing, pause } from './load.mjs';

const report = new Report();
const exec = (...args) => execFileSync(args[0], args.slice(1), { stdio: 'pipe' }).toString();
const ledger = (writ) => path.join(writ.dir, 'data', 'ledger');

async function node(prepare) {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { m: '{routes: [{provider: openai, model: m}]}' },
    callers: { alice: { models: ['m'] }, bob: { models: [] } },
    prepare,
  });
  writ.restartsExpected = true;
  return { provider, writ };
}

async function close({ provider, writ }) {
  await writ.finish();
  await provider.stop();
}

/** Writes entries as fast as they go, without calls: denials, pipelined. */
async function fill(writ, n) {
  const body = JSON.stringify({ model: 'm'.repeat(128), messages: [{ role: 'user', content: 'x' }] });
  const one = `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${KEYS.bob}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  await Promise.all(Array.from({ length: 4 }, async () => {
    const w = Wire.connect(writ.port);
    for (let i = 0; i < n / 4 && !w.closed; i += 50) {
      w.received = '';
      w.write(one.repeat(50));
      await w.until(() => w.received.split('HTTP/1.1 ').length > 50, 10000);
    }
    w.destroy();
  }));
}

async function full() {
  const name = 'a full disk';
  const mounted = (writ) => {
    exec('mkdir', '-p', ledger(writ));
    exec('mount', '-t', 'tmpfs', '-o', 'size=40m,mode=0700', 'writ-test', ledger(writ));
  };
  let made;
  try {
    const probe = await fs.mkdtemp('/tmp/writ-mount-');
    exec('mount', '-t', 'tmpfs', '-o', 'size=1m', 'writ-test', probe);
    exec('umount', probe);
    await fs.rmdir(probe);
  } catch (e) {
    return report.skip(name, `mount is not permitted: ${e.stderr ?? e.message}`);
  }
  made = await node(mounted);
  const { provider, writ } = made, problems = [];
  try {
    const answered = [];
    let refused;
    for (let i = 0; i < 120 && !refused; i++) {
      const r = await call(writ);
      if (r.status === 200) answered.push(r.id);
      else refused = r;
      if (!refused) await fill(writ, 1000);
    }
    if (refused?.status !== 503 || refused.code !== 'evidence_unavailable') problems.push(`full: ${JSON.stringify(refused)}`);
    const before = provider.requests.length;
    for (let i = 0; i < 20; i++) {
      const r = await call(writ);
      if (r.status !== 503) problems.push(`a call on a full disk: ${r.status}`);
      await pause(50);
    }
    if (provider.requests.length !== before) problems.push(`${provider.requests.length - before} calls went out`);
    if (provider.requests.length !== answered.length) problems.push(`${provider.requests.length} went out, ${answered.length} were answered`);
    const health = await fetch(`http://127.0.0.1:${writ.port}/healthz`).catch((e) => e);
    if (health.status !== 200) problems.push(`healthz: ${health.status}`);

    exec('mount', '-o', 'remount,size=200m', ledger(writ)); // room again
    try {
      await writ.until(async () => (await call(writ)).status === 200, 30000, 'serving again');
    } catch (e) { problems.push(e.message); }
    problems.push(...await missing(writ, { answered, requests: provider.requests.length }));
    console.log(`     ${answered.length} calls, ${(await writ.entries()).length} entries`);
    await writ.stop();
    const v = await writ.verify();
    if (v.code !== 0) problems.push(`verify: ${v.out}${v.err}`);
  } catch (e) {
    problems.push(e.stack);
  } finally {
    if (!writ.ended) await writ.stop();
    exec('umount', ledger(writ));
    await fs.rm(writ.dir, { recursive: true, force: true });
    await provider.stop();
  }
  report.case(`${name}: 503, nothing goes out; with room it serves again`, problems);
}

/** strace on the ledger process, injecting `what`; null when not permitted. */
async function inject(writ, what) {
  const pid = await writ.pid('ledger');
  const strace = spawn('strace', ['-f', '-p', String(pid), '-e', `trace=${what.split(':')[0]}`, '-e', `inject=${what}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  strace.stderr.setEncoding('utf8');
  strace.stderr.on('data', (d) => { said += d; });
  strace.on('error', () => { said += 'no strace'; });
  for (let i = 0; i < 100 && !/attached|denied|not permitted|no strace/.test(said); i++) await pause(30);
  return /attached/.test(said) ? { pid, strace, get said() { return said; } } : null;
}

/** A call of the disk fails, once or from then on. */
async function failing(name, what, { count = /INJECTED/g } = {}) {
  const made = await node();
  const { provider, writ } = made, problems = [];
  const before_load = (await call(writ)).status;
  if (before_load !== 200) problems.push(`before: ${before_load}`);
  const s = await inject(writ, what);
  if (s === null) {
    report.skip(name, 'ptrace is not permitted');
    return close(made);
  }
  const load = new Load(writ, 4);
  try {
    // The process ends for good; another one takes over.
    await writ.until(async () => { const p = await writ.pid('ledger').catch(() => 0); return p !== 0 && p !== s.pid; }, 30000, 'a new ledger process');
    await writ.until(async () => (await call(writ)).status === 200, 30000, 'serving again');
    await pause(200);
  } catch (e) { problems.push(e.message); }
  await load.stop();
  const injected = (s.said.match(count) ?? []).length;
  if (injected === 0) problems.push('nothing was injected');
  // fsyncgate: what failed once must not be asked again by that process.
  const synced = s.said.split('\n').filter((l) => /fdatasync|fsync/.test(l));
  const first = synced.findIndex((l) => /INJECTED/.test(l));
  if (first >= 0 && synced.slice(first + 1).some((l) => / = 0/.test(l))) problems.push('a failed sync was repeated');
  if (!Object.keys(load.statuses).every((k) => /^(0|200|503 evidence_unavailable)$/.test(k))) problems.push(`answers: ${JSON.stringify(load.statuses)}`);
  problems.push(...await missing(writ, { answered: load.answered, requests: provider.requests.length }));
  try { await close(made); } catch (e) { problems.push(e.message); }
  report.case(`${name}: ${JSON.stringify(load.statuses)}, ${injected} injected`, problems);
}

await full();
const faults = [
  ['a sync fails once (EIO)', 'fdatasync:error=EIO:when=3'],
  ['every sync fails (EIO)', 'fdatasync:error=EIO:when=5+'],
  ['a write fails for want of room (ENOSPC)', 'pwrite64,write,pwritev,pwritev2:error=ENOSPC:when=4+'],
  ['a write fails (EIO)', 'pwrite64,write,pwritev,pwritev2:error=EIO:when=6+'],
  ['killed in a sync', 'fdatasync:signal=SIGKILL:when=4'],
];
if (all) for (let n = 1; n <= 20; n++) faults.push([`sync ${n} fails`, `fdatasync:error=EIO:when=${n}`]);
for (const [name, what] of faults) await failing(name, what, { count: /INJECTED|killed by SIGKILL/g });
report.end();
