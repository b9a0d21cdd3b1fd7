// pki.mjs - certificates for one test, made by the openssl command.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** A folder with authorities and what they signed; files are NAME.crt, NAME.key. */
export class Pki {
  static async make() {
    const p = new Pki();
    p.dir = await mkdtemp(path.join(os.tmpdir(), 'writ-pki-'));
    return p;
  }

  file(name) { return path.join(this.dir, name); }
  read(name) { return readFileSync(this.file(name), 'utf8'); }
  pair(name) { return { key: this.read(`${name}.key`), cert: this.read(`${name}.crt`) }; }
  #openssl(...args) { execFileSync('openssl', args, { cwd: this.dir, stdio: ['ignore', 'ignore', 'pipe'] }); }

  authority(name) {
    this.#openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`,
      '-addext', 'basicConstraints=critical,CA:true', '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
  }

  /** A certificate of `authority` for use as server or client. */
  issue(name, { authority, usage = 'serverAuth', alt = 'IP:127.0.0.1,DNS:localhost' }) {
    this.#openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
      '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(this.file(`${name}.ext`), `basicConstraints=CA:false\nkeyUsage=digitalSignature\nextendedKeyUsage=${usage}\nsubjectAltName=${alt}\n`);
    this.#openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial',
      '-extfile', `${name}.ext`, '-days', '2', '-out', `${name}.crt`);
  }

  remove() { return rm(this.dir, { recursive: true, force: true }); }
}
