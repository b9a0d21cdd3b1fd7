// idp.mjs - a real issuer of tokens: oidc-provider, certified OpenID Connect.
//
// The program lies beside the repository, in ../shared/tools, and mints forged
// tokens and breaks its key set on demand.  A checkout may be without it; then
// `idpMissing` says why, loudly, and is what a test's `skip` takes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './writ.mjs';

const program = path.resolve(import.meta.dirname, '../../../../shared/tools/idp.mjs');
const packages = path.resolve(import.meta.dirname, '../node_modules');

export const idpMissing = existsSync(program) ? false : '../shared/tools/idp.mjs is not there';
if (idpMissing) process.stderr.write(`\n*** LEFT OUT: ${idpMissing} ***\n\n`);

/** What a token may be for, and the algorithm that it is signed with. */
export const AUDIENCES = { 'https://gw.example/mcp': 'RS256', 'https://gw.example/llm': 'ES256', 'https://gw.example/ed': 'EdDSA' };

/** All that mint() knows; 'good' is what the others are changed from. */
export const KINDS = [
  'good', 'none', 'None', 'hs256-with-rsa-pub', 'expired', 'future-nbf', 'wrong-iss', 'wrong-aud', 'kid-traversal', 'kid-sqli', 'kid-unknown',
  'jku', 'embedded-jwk', 'crit', 'typ-jwt', 'no-exp', 'aud-array', 'dup-claim', 'sig-stripped', 'alg-mismatch', 'exp-float', 'exp-string', 'rotated',
];

/** All that jwksMode() knows. */
export const MODES = ['ok', '500', 'reset', 'hang', 'garbage', 'empty', 'huge', 'rotated'];

/** The program takes a word that it does not know for the harmless one. */
function known(words, word) {
  if (!words.includes(word)) throw new Error(`the issuer knows ${words.join(', ')}; not ${word}`);
}

export class Idp {
  output = '';

  /** Resolves when it answers.  `ttl` is the life of its tokens in seconds. */
  static async start({ ttl = 300 } = {}) {
    const idp = new Idp();
    idp.port = await freePort();
    idp.ttl = ttl;
    idp.dir = mkdtempSync(path.join(os.tmpdir(), 'writ-idp-'));
    process.on('exit', () => rmSync(idp.dir, { recursive: true, force: true }));
    // Imports are looked up beside the file that has them.
    copyFileSync(program, path.join(idp.dir, 'idp.mjs'));
    symlinkSync(packages, path.join(idp.dir, 'node_modules'));
    await idp.launch();
    return idp;
  }

  /** Also after stop(): the same issuer, with new keys. */
  async launch() {
    const env = { ...process.env, PORT: String(this.port), ISS: this.issuer, TTL: String(this.ttl) };
    delete env.NODE_OPTIONS;
    const child = spawn(process.execPath, [path.join(this.dir, 'idp.mjs')], { cwd: this.dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    process.on('exit', () => child.kill('SIGKILL'));
    this.exited = once(child, 'exit');
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (s) => { this.output += s; });
    }
    const ready = new Promise((resolve) => {
      child.stdout.on('data', () => { if (this.output.includes(`idp ${this.issuer}\n`)) resolve(true); });
    });
    if (!await Promise.race([ready, this.exited.then(() => false)])) throw new Error(`the issuer did not start:\n${this.output}`);
    this.output = '';
  }

  get issuer() { return `http://127.0.0.1:${this.port}`; }
  get jwks() { return `${this.issuer}/jwks`; }

  /** A token of one of KINDS for https://gw.example/mcp; most are forged. */
  async mint(kind) {
    known(KINDS, kind);
    return (await this.#get(`/_test/mint?kind=${encodeURIComponent(kind)}`)).trim();
  }

  /** How its key set is answered from now on; one of MODES. */
  async jwksMode(mode) {
    known(MODES, mode);
    await this.#get(`/_test/jwks?mode=${encodeURIComponent(mode)}`);
  }

  /** An access token by client_credentials; `client` is agent-a, agent-b or gw. */
  async token(client, { audience = 'https://gw.example/mcp', scope } = {}) {
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource: audience, ...(scope && { scope }) });
    const authorization = `Basic ${btoa(`${client}:${client}-secret`)}`;
    const res = await fetch(`${this.issuer}/token`, { method: 'POST', headers: { authorization }, body });
    const value = await res.json();
    if (!res.ok) throw new Error(`no token for ${client}: ${JSON.stringify(value)}`);
    return value.access_token;
  }

  async #get(target) {
    const res = await fetch(this.issuer + target);
    const text = await res.text();
    if (!res.ok) throw new Error(`${target}: ${res.status} ${text}`);
    return text;
  }

  /** An outage; launch() ends it. */
  async stop() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async finish() {
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
