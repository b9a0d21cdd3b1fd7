// The store is away when a node starts, goes away later, or is behind the
// evidence when a process dies: nobody is served who is not known, calls go
// on, and no change of an identity is lost.
import fs from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Provider } from '../flow/lib/provider.mjs';
import { Writ, KEYS, freePort, request } from '../flow/lib/writ.mjs';
import { Load, Report, all, call, missing, pause, randomness } from './load.mjs';

const report = new Report(), random = randomness();
const rounds = all ? 20 : 3;

async function node(options = {}) {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { m: '{routes: [{provider: openai, model: m}]}' },
    callers: { alice: { kind: 'agent', models: ['m'] }, bob: { kind: 'agent', models: ['m'] }, carol: { kind: 'agent', models: ['m'], key: 'writ-test-carol-0123456789abcdef' } },
    ...options,
  });
  writ.restartsExpected = true;
  return { provider, writ };
}

const file = (writ) => path.join(writ.dir, 'data', 'store.db');

/** Runs `what` and turns what it throws into a problem. */
async function attempt(name, what) {
  const problems = [];
  let made;
  try {
    made = await what(problems);
  } catch (e) {
    problems.push(e.stack);
  }
  if (made) {
    try {
      problems.push(...await missing(made.writ, { answered: [], requests: made.provider.requests.length }));
      await made.writ.finish();
    } catch (e) {
      problems.push(e.message);
    }
    await made.provider.stop();
  }
  report.case(name, problems);
}

/** It does not serve, for as long as it takes to be sure, and says why. */
async function refuses(writ, problems, says) {
  try {
    await writ.until(() => says.test(writ.stderr), 10000, 'said');
  } catch (e) {
    problems.push(e.message);
  }
  for (let i = 0; i < 5; i++) {
    const health = await Promise.race([request({ port: writ.port, path: '/healthz' }).then((r) => r.status, () => 0), pause(300).then(() => 0)]);
    if (health !== 0) problems.push(`healthz: ${health}`);
  }
  const status = await writ.status().catch(() => null);
  if (status && status.serving !== 'no') problems.push(`status: ${JSON.stringify(status)}`);
}

/** Starts without waiting until it serves. */
async function begin(writ) {
  const healthy = writ.healthy;
  writ.ended = false;
  writ.healthy = () => true;
  await writ.launch();
  writ.healthy = healthy;
}

await attempt('a store that is no store: the node does not serve and says so; mended, it serves', async (problems) => {
  const made = await node();
  const { writ } = made;
  await writ.stop();
  const good = await fs.readFile(file(writ));
  for (const suffix of ['-wal', '-shm']) await fs.rm(file(writ) + suffix, { force: true });
  await fs.writeFile(file(writ), Buffer.alloc(65536, 'not a database '));
  await begin(writ);
  await refuses(writ, problems, /"event":"store"/);
  await fs.writeFile(file(writ), good);
  await writ.until(() => writ.healthy().catch(() => false), 20000, 'serving');
  if ((await call(writ)).status !== 200) problems.push('a caller is not served');
  return made;
});

await attempt('a database that does not answer: the node does not serve and says so', async (problems) => {
  const made = await node();
  const { writ } = made;
  await writ.stop();
  const text = await fs.readFile(writ.file, 'utf8');
  await fs.writeFile(writ.file, `${text}\nstore: "postgres://writ@127.0.0.1:${await freePort()}/writ"\n`);
  await begin(writ);
  await refuses(writ, problems, /"event":"store"/);
  await writ.stop();
  await fs.writeFile(writ.file, text);
  writ.ended = false;
  await writ.launch();
  if ((await call(writ)).status !== 200) problems.push('a caller is not served');
  return made;
});

/** Nobody else writes until the function that it gives is called. */
function block(writ) {
  const db = new DatabaseSync(file(writ));
  db.exec('PRAGMA busy_timeout = 20000; BEGIN IMMEDIATE');
  return () => { db.exec('ROLLBACK'); db.close(); };
}

async function change(writ, who, what) {
  const res = await writ.admin('POST', `agents/acme/${who}/${what}`, { reason: 'a test' });
  if (res.status !== 200 || JSON.parse(res.body).durable !== true) throw new Error(`${what} ${who}: ${res.status} ${res.body}`);
}

/** Who may call now: 'alice 200, bob 401'. */
async function standing(writ, keys) {
  const found = [];
  for (const [name, key] of Object.entries(keys)) found.push(`${name} ${(await call(writ, { key })).status}`);
  return found.join(', ');
}

await attempt('a store that goes away: calls go on, changes hold, and are stored when it is back', async (problems) => {
  const made = await node();
  const { writ } = made;
  const keys = { alice: KEYS.alice, bob: KEYS.bob, dora: 'writ-test-dora-0123456789abcdef' };
  const load = new Load(writ, 4);
  const release = block(writ);
  try {
    await change(writ, 'bob', 'suspend');
    await writ.register('dora', { kind: 'agent', key: keys.dora });
    const before = load.ok;
    await writ.until(() => load.ok > before + 100, 20000, 'answering');
    const now = await standing(writ, keys);
    if (now !== 'alice 200, bob 401, dora 403') problems.push(`while it is away: ${now}`);
  } finally {
    release();
    await load.stop();
  }
  if (Object.keys(load.statuses).join() !== '200') problems.push(`answers: ${JSON.stringify(load.statuses)}`);
  const states = () => {
    const db = new DatabaseSync(file(writ), { readOnly: true });
    try {
      return Object.fromEntries(db.prepare('SELECT id, state FROM identity').all().map((r) => [r.id, r.state]));
    } finally {
      db.close();
    }
  };
  await writ.until(() => states()['acme/bob'] === 'suspended' && states()['acme/dora'] === 'active', 20000, 'stored');
  return made;
});

for (let round = 0; round < rounds; round++) {
  const victims = ['gateway', 'everything'], victim = victims[round % victims.length];
  await attempt(`${victim} is killed while the store is behind: what was registered and suspended is replayed`, async (problems) => {
    const made = await node();
    const { writ } = made;
    const keys = { alice: KEYS.alice, bob: KEYS.bob, carol: 'writ-test-carol-0123456789abcdef' };
    await change(writ, 'carol', 'suspend');
    const release = block(writ);
    await change(writ, 'bob', 'suspend');
    await change(writ, 'carol', 'resume');
    for (let i = 0; i < 5; i++) await writ.register(`new-${i}`, { kind: 'agent', key: `writ-test-new-${i}-0123456789abcdef` });
    const before = await standing(writ, keys);
    if (before !== 'alice 200, bob 401, carol 200') problems.push(`before: ${before}`);
    await pause(random() * 200);
    const pids = (await writ.status()).processes.filter((p) => victim === 'everything' || p.process === victim);
    for (const { pid } of pids) process.kill(pid, 'SIGKILL');
    if (victim === 'everything') {
      writ.child.kill('SIGKILL');
      await writ.exited;
      release();
      writ.ended = false;
      await writ.launch();
    } else {
      release();
      await writ.until(async () => (await writ.pid('gateway').catch(() => pids[0].pid)) !== pids[0].pid && writ.healthy(), 20000, 'serving again');
    }
    const after = await standing(writ, keys);
    if (after !== before) problems.push(`after: ${after}`);
    const { agents } = JSON.parse((await writ.admin('GET', 'agents')).body);
    for (let i = 0; i < 5; i++) {
      if (agents.find((a) => a.id === `acme/new-${i}`)?.state !== 'active') problems.push(`new-${i} is lost`);
    }
    return made;
  });
}
report.end();
