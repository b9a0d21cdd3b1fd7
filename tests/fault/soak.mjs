// Minutes of mixed load: plain calls, streams, callers who hang up, refusals,
// reloads.  Memory and descriptors of each process must not grow.
//
// Usage: WRIT_BIN=... node soak.mjs [SECONDS]; only with TESTS=all otherwise.
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { Provider, streamed } from '../flow/lib/provider.mjs';
import { Writ, KEYS } from '../flow/lib/writ.mjs';
import { Load, Report, all, call, missing, pause, randomness } from './load.mjs';

const seconds = Number(process.argv[2] ?? (all ? 300 : 0));
const report = new Report(), random = randomness();
const processes = ['gateway', 'ledger', 'keeper', 'runner', 'supervisor'];

function figures(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { kb: Number(/VmRSS:\s+(\d+)/.exec(status)[1]), threads: Number(/Threads:\s+(\d+)/.exec(status)[1]), fds: readdirSync(`/proc/${pid}/fd`).length };
}

/** Streams that are given up after a few pieces. */
async function hangUps(writ, on) {
  const body = JSON.stringify({ model: 'slow', stream: true, messages: [{ role: 'user', content: 'Hello' }] });
  while (on()) {
    await new Promise((resolve) => {
      const req = http.request({ host: '127.0.0.1', port: writ.port, path: '/v1/chat/completions', method: 'POST', agent: false,
        headers: { authorization: `Bearer ${KEYS.alice}`, 'content-type': 'application/json', 'content-length': body.length } });
      req.on('response', (res) => { res.on('error', () => {}); res.once('data', () => setTimeout(() => { req.destroy(); }, random() * 50)); });
      req.on('error', () => {});
      req.on('close', resolve);
      req.end(body);
    });
  }
}

async function refusals(writ, on) {
  while (on()) {
    for (const key of [KEYS.bob, 'nobody-with-this-key-000000']) await call(writ, { key });
    await pause(5);
  }
}

async function soak() {
  const provider = await Provider.start();
  provider.on('slow', async (x) => { x.begin(); while (!x.closed) await x.send([streamed('m', true)[1]], 10); });
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { m: '{routes: [{provider: openai, model: m}]}', slow: '{routes: [{provider: openai, model: slow}]}' },
    callers: { alice: { models: ['m', 'slow'] }, bob: { models: [] } },
  });
  const load = new Load(writ, 16);
  let on = true, reloads = 0;
  const others = [hangUps(writ, () => on), hangUps(writ, () => on), refusals(writ, () => on), (async () => {
    for (; on; reloads++) { writ.signal('SIGHUP'); await pause(2000); }
  })()];
  const pids = Object.fromEntries(await Promise.all(processes.map(async (p) => [p, p === 'supervisor' ? writ.child.pid : await writ.pid(p)])));
  const taken = [];
  const start = Date.now();
  while (Date.now() - start < seconds * 1000) {
    await pause(seconds * 1000 / 20);
    provider.requests.splice(0); // the pretended provider must not grow either
    taken.push(Object.fromEntries(Object.entries(pids).map(([p, pid]) => [p, figures(pid)])));
    const g = taken.at(-1);
    console.log(`${((Date.now() - start) / 1000).toFixed(0).padStart(4)} s  ${load.ok} calls  ${processes.map((p) => `${p} ${(g[p].kb / 1024).toFixed(1)} MB ${g[p].fds} fds`).join('  ')}`);
  }
  on = false;
  await load.stop();
  await Promise.all(others);
  await pause(500);
  const problems = [];
  const warm = taken[Math.floor(taken.length / 4)], last = taken.at(-1);
  for (const p of processes) {
    if (last[p].kb > warm[p].kb * 1.15 + 2048) problems.push(`${p} grew from ${warm[p].kb} to ${last[p].kb} KB`);
    if (last[p].fds > warm[p].fds + 64) problems.push(`${p} went from ${warm[p].fds} to ${last[p].fds} descriptors`);
    // One more lives for a moment, to build what a reload puts in place.
    const early = taken.slice(0, taken.length / 4).map((g) => g[p].threads), late = taken.slice(-taken.length / 4).map((g) => g[p].threads);
    if (Math.min(...late) > Math.max(...early)) problems.push(`${p} has ${Math.min(...late)} threads, had ${Math.max(...early)}`);
  }
  if (Object.keys(load.statuses).some((s) => s !== '200')) problems.push(`answers: ${JSON.stringify(load.statuses)}`);
  const s = await writ.until(async () => { const now = await writ.status(); return now.calls.open === 0 && now; }, 10000, 'idle');
  if (s.ledger.open_intents > 0) problems.push(`${s.ledger.open_intents} intents open`);
  problems.push(...await missing(writ, { answered: load.answered, requests: 0 }));
  await writ.finish();
  await provider.stop();
  report.case(`${seconds} s: ${load.ok} calls, ${reloads} reloads, ${(load.ok / seconds).toFixed(0)} calls/s`, problems);
}

if (seconds > 0) await soak();
else report.skip('soak', 'only with TESTS=all');
report.end();
