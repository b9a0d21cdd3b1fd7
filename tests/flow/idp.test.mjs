// The issuer that other tests lean on does what they think it does: its tokens
// are what their names say, and its key set fails as told.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import * as jose from 'jose';
import { AUDIENCES, Idp, KINDS, MODES, idpMissing } from './lib/idp.mjs';

const audience = 'https://gw.example/mcp';

/** What a careful reader says of each kind; null: nothing is wrong with it. */
const verdicts = {
  good: null, 'aud-array': null, 'exp-float': null,
  none: 'ERR_JOSE_ALG_NOT_ALLOWED', None: 'ERR_JOSE_ALG_NOT_ALLOWED', 'hs256-with-rsa-pub': 'ERR_JOSE_ALG_NOT_ALLOWED',
  expired: 'ERR_JWT_EXPIRED', 'future-nbf': 'ERR_JWT_CLAIM_VALIDATION_FAILED', 'wrong-iss': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'wrong-aud': 'ERR_JWT_CLAIM_VALIDATION_FAILED', 'kid-traversal': 'ERR_JWKS_NO_MATCHING_KEY', 'kid-sqli': 'ERR_JWKS_NO_MATCHING_KEY',
  'kid-unknown': 'ERR_JWKS_NO_MATCHING_KEY', jku: null, 'embedded-jwk': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', crit: 'ERR_JOSE_NOT_SUPPORTED',
  'typ-jwt': 'ERR_JWT_CLAIM_VALIDATION_FAILED', 'no-exp': 'ERR_JWT_CLAIM_VALIDATION_FAILED', 'dup-claim': null,
  'sig-stripped': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'alg-mismatch': 'ERR_JWKS_NO_MATCHING_KEY', 'exp-string': 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  rotated: 'ERR_JWKS_NO_MATCHING_KEY',
};

const part = (token, n) => Buffer.from(token.split('.')[n], 'base64url').toString();

const check = (name, what) => test(name, { skip: idpMissing }, what);

describe('the test issuer', () => {
  let idp, keys;
  before(async () => {
    if (idpMissing) return;
    idp = await Idp.start();
    keys = jose.createLocalJWKSet(await (await fetch(idp.jwks)).json());
  });
  after(() => idp?.finish());

  const verify = (token, expected = {}) => jose.jwtVerify(token, keys, {
    issuer: idp.issuer, audience, typ: 'at+jwt', algorithms: Object.values(AUDIENCES), requiredClaims: ['exp'], ...expected,
  });

  check('describes itself', async () => {
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const about = await (await fetch(`${idp.issuer}/.well-known/${name}`)).json();
      assert.equal(about.issuer, idp.issuer);
      assert.equal(about.jwks_uri, idp.jwks);
    }
  });

  check('mints every kind of token', async () => {
    assert.deepEqual(Object.keys(verdicts).sort(), [...KINDS].sort());
    for (const kind of KINDS) {
      const token = await idp.mint(kind);
      assert.equal(token.split('.').length, 3, kind);
      const code = await verify(token).then(() => null, (e) => e.code);
      assert.equal(code, verdicts[kind], kind);
    }
  });

  // What the library above has no opinion on.
  check('mints what only a stricter reader refuses', async () => {
    assert.match(part(await idp.mint('dup-claim'), 1), /"sub":"agent-a","sub":"admin"/);
    assert.match(part(await idp.mint('jku'), 0), /"jku":"http:/);
    assert.match(part(await idp.mint('exp-float'), 1), /"exp":\d+\.5/);
    assert.match(part(await idp.mint('embedded-jwk'), 0), /"jwk":\{/);
  });

  check('gives its clients tokens', async () => {
    for (const [aud, alg] of Object.entries(AUDIENCES)) {
      const { payload, protectedHeader } = await verify(await idp.token('agent-a', { audience: aud }), { audience: aud });
      assert.equal(protectedHeader.alg, alg);
      assert.equal(payload.client_id, 'agent-a');
      assert.equal(payload.exp - payload.iat, 300);
    }
    const { payload } = await verify(await idp.token('agent-b', { scope: 'tools:read' }));
    assert.deepEqual([payload.sub, payload.scope], ['agent-b', 'tools:read']);
    await assert.rejects(idp.token('nobody'), /invalid_client/);
  });

  check('breaks its key set as told', async () => {
    const say = async (mode) => {
      const res = await fetch(idp.jwks, { signal: AbortSignal.timeout(mode === 'hang' ? 300 : 60000) });
      return res.ok ? res.text() : res.status;
    };
    const seen = {};
    for (const mode of MODES) {
      await idp.jwksMode(mode);
      seen[mode] = await say(mode).catch((e) => e.name);
    }
    assert.deepEqual(JSON.parse(seen.ok).keys.map((k) => k.kid), ['rs-1', 'es-1', 'ed-1']);
    assert.equal(seen['500'], 500);
    assert.equal(seen.reset, 'TypeError');
    assert.equal(seen.hang, 'TimeoutError');
    assert.throws(() => JSON.parse(seen.garbage));
    assert.deepEqual(JSON.parse(seen.empty), { keys: [] });
    assert.ok(seen.huge.length > 10e6);
    assert.deepEqual(JSON.parse(seen.rotated).keys.map((k) => k.kid), ['rs-2']);
    await assert.rejects(idp.jwksMode('slow'), /not slow/);

    // The new key is the one that 'rotated' tokens are signed with.
    const after = jose.createLocalJWKSet(JSON.parse(seen.rotated));
    await jose.jwtVerify(await idp.mint('rotated'), after, { issuer: idp.issuer, audience });
    await idp.jwksMode('ok');
    assert.equal(await say(), seen.ok);
  });

  check('goes away and comes back with other keys', async () => {
    const { port } = idp;
    await idp.stop();
    await assert.rejects(fetch(idp.jwks));
    await idp.launch();
    assert.equal(idp.port, port);
    await assert.rejects(verify(await idp.mint('good')), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  });
});
