// shared.mjs - test data that lies beside the repository, in ../shared/tests.
//
// A checkout may be without it.  Then the tests that need it are left out, and
// say so where nobody can overlook it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../../../shared/tests');

/** Unpacks an archive; its folder, or undefined when it is not there. */
export function shared(archive) {
  const file = path.join(root, `${archive}.tar.xz`);
  if (!existsSync(file)) {
    process.stderr.write(`\n*** LEFT OUT: ../shared/tests/${archive}.tar.xz is not there ***\n\n`);
    return undefined;
  }
  const dir = mkdtempSync(path.join(os.tmpdir(), 'writ-shared-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  execFileSync('tar', ['xJf', file, '-C', dir]);
  return path.join(dir, path.basename(archive));
}
