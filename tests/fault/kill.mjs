// kill -9 of random processes at random moments under load: the node comes
// back, every answered call is in the ledger, the provider saw nothing that is
// not there, and the log verifies.
import { Provider } from '../flow/lib/provider.mjs';
import { Writ } from '../flow/lib/writ.mjs';
import { Load, Report, all, call, missing, pause, randomness, seed } from './load.mjs';

const kills = all ? 200 : 20, per_node = 20;
const random = randomness(), report = new Report();
const pick = (list) => list[Math.floor(random() * list.length)];
console.log(`seed ${seed}, ${kills} kills`);

async function serves(writ) {
  await writ.until(async () => {
    const s = await writ.status().catch(() => null);
    return s?.serving === 'yes' && s.ledger.answers && s.keeper && (await call(writ)).status === 200;
  }, 30000, 'serving again');
}

/** Kills one process, or all at once; the node serves again when it returns. */
async function kill(writ, victim) {
  const processes = (await writ.status()).processes.filter((p) => p.pid > 0);
  for (const p of processes) {
    if (victim !== 'everything' && p.process !== victim) continue;
    try { process.kill(p.pid, 'SIGKILL'); } catch { /* it is just being restarted */ }
  }
  if (victim === 'everything' || victim === 'supervisor') {
    try { writ.child.kill('SIGKILL'); } catch { /* it was among them */ }
    await writ.exited;
    await pause(victim === 'supervisor' ? 300 : 0); // the others notice that they are alone
    writ.ended = false;
    await writ.launch();
  }
  await serves(writ);
}

async function node(n) {
  const provider = await Provider.start();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { m: '{routes: [{provider: openai, model: m}]}' },
    callers: { alice: { models: ['m'] } },
  });
  writ.restartsExpected = true;
  const load = new Load(writ, 8, 10); // the log is read again after every kill
  for (let i = 0; i < n; i++) {
    await pause(20 + random() * 400);
    const victim = pick(['gateway', 'ledger', 'ledger', 'keeper', 'runner', 'supervisor', 'everything']);
    const before = load.ok, problems = [];
    try {
      await kill(writ, victim);
      await writ.until(() => load.ok > before + 5, 30000, 'answering the load');
      problems.push(...await missing(writ, { answered: load.answered.slice(), requests: 0 }));
    } catch (e) {
      problems.push(e.message);
    }
    report.case(`kill -9 of ${victim} after ${before} calls`, problems);
    if (problems.length > 0) break;
  }
  await load.stop();
  const problems = await missing(writ, { answered: load.answered, requests: provider.requests.length });
  const odd = Object.keys(load.statuses).filter((s) => !/^(0|200|502 .*|503 .*)$/.test(s));
  if (odd.length > 0) problems.push(`unexpected answers: ${JSON.stringify(load.statuses)}`);
  try {
    await writ.until(async () => (await writ.status()).ledger.open_intents === 0, 5000, 'every intent closed');
    await writ.finish();
  } catch (e) {
    problems.push(e.message);
  }
  report.case(`the whole of it: ${JSON.stringify(load.statuses)}`, problems);
  await provider.stop();
}

for (let left = kills; left > 0; left -= per_node) await node(Math.min(left, per_node));
report.end();
