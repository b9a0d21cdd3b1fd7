// Cedar alone: the official tests, one request, and random worlds beside
// another engine.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { BIN, run } from './lib/writ.mjs';
import { shared } from './lib/shared.mjs';

let dir;
before(async () => { dir = await fs.mkdtemp(path.join(os.tmpdir(), 'writ-cedar-')); });
after(() => fs.rm(dir, { recursive: true, force: true }));

test('the hand-written suites of Cedar pass', async (t) => {
  const root = shared('cedar/hand-written');
  if (!root) return t.skip('no ../shared');
  const base = existsSync(path.join(root, 'tests')) ? root : path.dirname(root);
  const found = await fs.readdir(path.join(base, 'tests'), { recursive: true });
  const files = found.filter((f) => f.endsWith('.json')).map((f) => path.join(base, 'tests', f));
  const r = await run(['cedar', 'run-tests', '--root', base, ...files]);
  assert.equal(r.code, 0, r.out + r.err);
  assert.match(r.out, /^96 passed, 0 failed\n$/); // 74 requests, 22 verdicts
});

test('one request is answered from files', async () => {
  const put = async (name, text) => {
    await fs.writeFile(path.join(dir, name), text);
    return path.join(dir, name);
  };
  const given = ['--policies', await put('p.cedar', 'permit(principal in G::"g", action, resource);'),
    '--entities', await put('e.json', '[{"uid": {"type": "U", "id": "u"}, "attrs": {}, "parents": [{"type": "G", "id": "g"}]}]')];
  const ask = async (who) => {
    const request = await put('q.json', JSON.stringify({ principal: `U::"${who}"`, action: 'Action::"a"', resource: 'R::"r"', context: {} }));
    const r = await run(['cedar', 'authorize', ...given, '--request', request, '--json']);
    return [r.code, JSON.parse(r.out)];
  };
  assert.deepEqual(await ask('u'), [0, { decision: 'allow', reason: ['policy0'], errors: [], faults: [] }]);
  assert.deepEqual(await ask('v'), [1, { decision: 'deny', reason: [], errors: [], faults: [] }]);
});

test('random worlds are decided and validated as cedar-wasm does', async (t) => {
  const program = path.join(path.dirname(BIN), 'differential_cedar');
  if (!existsSync(program)) {
    process.stderr.write(`\n*** LEFT OUT: ${program} is not built ***\n\n`);
    return t.skip('it is not built');
  }
  const script = path.resolve(import.meta.dirname, '../differential/cedar.mjs');
  const [code, out] = await new Promise((resolve) => {
    execFile(process.execPath, [script, program, '2000', '1', '1'], (error, stdout, stderr) => resolve([error ? error.code : 0, stdout + stderr]));
  });
  assert.equal(code, 0, out);
  assert.match(out, /\n[0-9]{4,} passed, 0 failed\n$/);
});
