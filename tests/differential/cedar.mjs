// cedar.mjs - our Cedar beside @cedar-policy/cedar-wasm, on random worlds.
//
//   node cedar.mjs PROGRAM [CASES [SEED [JOBS]]]
//
// PROGRAM is built from cedar.c.  The last line is `N passed, N failed`; a
// case is one request, one verdict of the validators, or one text (of
// policies, a schema, entities) that is right or not.  Each difference is told with its seed and its world.
import { fork } from 'node:child_process';
import { Ours, version } from './engines.mjs';
import { compareSeeds, makeCases, noFigures } from './compare.mjs';

const CASES_PER_SEED = 10; // about
const STEP = 500; // seeds that one job takes at a time

async function work(program) {
  const ours = new Ours(program);
  process.on('message', async ({ from, to }) => {
    if (from === undefined) {
      await ours.close();
      process.exit(0);
    }
    const found = [];
    const figures = await compareSeeds(ours, from, to, (one) => found.push(one));
    process.send({ figures, found: found.slice(0, 20) });
  });
}

function tell({ seed, world, lines }) {
  console.log(`== seed ${seed}\n${lines.slice(0, 5).join('\n')}`);
  if (process.env.WORLDS) console.log(JSON.stringify(world, null, 1).replaceAll('\\n', '\n'));
}

async function lead(program, cases, seed, jobs) {
  const figures = noFigures();
  const done = () => figures.requests + figures.verdicts + figures.texts;
  let next = seed;
  const started = Date.now();
  const step = Math.min(STEP, Math.ceil(cases / CASES_PER_SEED / jobs));
  await Promise.all(Array.from({ length: jobs }, () => new Promise((resolve, reject) => {
    const child = fork(new URL(import.meta.url), ['--job', program]);
    const send = () => {
      if (done() >= cases) return child.send({});
      child.send({ from: next, to: next + step });
      next += step;
    };
    child.on('message', (m) => {
      for (const key of Object.keys(figures)) figures[key] += m.figures[key];
      m.found.forEach(tell);
      if (process.stderr.isTTY) process.stderr.write(`\r${done()} cases`);
      send();
    });
    child.on('exit', (code, signal) => (code === 0 ? resolve() : reject(new Error(`a job ended: ${signal ?? code}`))));
    send();
  })));
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`cedar-wasm ${version}, seeds ${seed} to ${next - 1}, ${seconds} s`);
  console.log(`${figures.requests} requests (${figures.allowed} allowed, ${figures.erred} with policies that err, ${figures.failed} refused), `
    + `${figures.verdicts} sets of policies validated (${figures.invalid} with errors), ${figures.texts} texts parsed (${figures.refused} refused)`);
  console.log(`${done() - figures.different} passed, ${figures.different} failed`);
  process.exitCode = figures.different === 0 ? 0 : 1;
}

const [program, ...rest] = process.argv.slice(2);
if (program === '--job') await work(rest[0]);
else if (program === '--case') console.log(JSON.stringify(makeCases(Number(rest[0])), null, 1).replaceAll('\\n', '\n'));
else await lead(program, Number(rest[0] ?? 200000), Number(rest[1] ?? 1), Number(rest[2] ?? 2));
