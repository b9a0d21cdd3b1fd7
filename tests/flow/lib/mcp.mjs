// mcp.mjs - callers of /mcp, and the tool servers behind it.
import nodeHttp from 'node:http';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { KEYS, freePort, request } from './writ.mjs';

const modules = path.resolve(import.meta.dirname, '../node_modules');
export const NODE = process.execPath;
export const EVERYTHING = path.join(modules, '@modelcontextprotocol/server-everything/dist/index.js');
export const FILESYSTEM = path.join(modules, '@modelcontextprotocol/server-filesystem/dist/index.js');

/** A YAML list of strings. */
const list = (items) => `[${items.map((s) => JSON.stringify(s)).join(', ')}]`;

/** The server of an npm package over pipes, as a row of `tools:`. */
export function stdio(name, args, more = '', write = []) {
  return `  ${name}: {transport: stdio, region: eu, command: ${list([NODE, ...args])}, files: {read: ${list([modules])}, write: ${list(write)}}${more && `, ${more}`}}`;
}
export function http(name, url, more = '') {
  return `  ${name}: {transport: http, region: eu, url: "${url}"${more && `, ${more}`}}`;
}
/** The section of the configuration. */
export const tools = (...rows) => ['tools:', ...rows].join('\n');

/** A policy that lets somebody list and call anything of these servers. */
export function permit(who, servers) {
  return `permit (principal == ${who}, action, resource)\nwhen { ${servers.map((s) => `resource in Writ::ToolServer::"${s}"`).join(' || ')} };\n`;
}

/** The official client, connected to a path of the gateway. */
export async function connect(writ, { name = 'alice', server = '', capabilities = {}, headers = {} } = {}) {
  const client = new Client({ name: 'flow-test', version: '1.0.0' }, { capabilities });
  const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${writ.port}/mcp${server && `/${server}`}`), {
    requestInit: { headers: { authorization: `Bearer ${KEYS[name] ?? name}`, ...headers } },
  });
  await client.connect(transport);
  return client;
}

/** Posts one body as it is; `session` is an id, or undefined. */
export function post(writ, body, { name = 'alice', server = '', session, headers = {}, method = 'POST', timeout = 0 } = {}) {
  return request({
    port: writ.port, path: `/mcp${server && `/${server}`}`, method, timeout,
    headers: {
      authorization: `Bearer ${KEYS[name] ?? name}`, accept: 'application/json, text/event-stream',
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...(session === undefined ? {} : { 'mcp-session-id': session }), ...headers,
    },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/**
 * Posts, or GETs where there is no body, and returns once the answer has begun, or where nobody waits for it when the request has left:
 * {req, res, status, text(), messages(), ended, destroy()}.
 */
export function open(writ, body, { name = 'alice', server = '', session, unanswered = false, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    let text = '';
    const req = nodeHttp.request({
      host: '127.0.0.1', port: writ.port, path: `/mcp${server && `/${server}`}`, method: body === undefined ? 'GET' : 'POST', agent: false,
      headers: { authorization: `Bearer ${KEYS[name] ?? name}`, accept: body === undefined ? 'text/event-stream' : 'application/json, text/event-stream', 'content-type': 'application/json', ...(session && { 'mcp-session-id': session }), ...headers },
    });
    // Of a stream, the events that have come as a whole.
    const whole = () => (/^text\/event-stream/.test(s.res.headers['content-type'] ?? '') ? text.slice(0, text.lastIndexOf('\n\n') + 1) : text);
    const s = { req, text: () => text, destroy: () => req.destroy(), messages: () => messages({ headers: s.res.headers, body: whole() }) };
    s.ended = new Promise((done) => req.on('close', () => done(text)));
    req.on('response', (res) => {
      s.res = res;
      s.status = res.statusCode;
      res.setEncoding('utf8');
      res.on('data', (piece) => { text += piece; });
      res.on('error', () => {});
      resolve(s);
    });
    req.on('error', unanswered ? () => {} : reject);
    req.end(body === undefined ? undefined : JSON.stringify(body), () => unanswered && resolve(s));
  });
}

/** Begins a session by hand; resolves to its id. */
export async function begin(writ, options = {}) {
  const res = await post(writ, { jsonrpc: '2.0', id: 'begin', method: 'initialize',
    params: { protocolVersion: options.revision ?? '2025-11-25', capabilities: options.capabilities ?? {}, clientInfo: { name: 'raw', version: '1' } } }, options);
  if (res.status !== 200) throw new Error(`initialize: ${res.status} ${res.body}`);
  const session = res.headers['mcp-session-id'];
  const ready = await post(writ, { jsonrpc: '2.0', method: 'notifications/initialized' }, { ...options, session });
  if (ready.status !== 202) throw new Error(`initialized: ${ready.status} ${ready.body}`);
  return session;
}

/** The messages of an answer, be it JSON or a stream of events. */
export function messages(res) {
  if (!/^text\/event-stream/.test(res.headers['content-type'] ?? '')) return [JSON.parse(res.body)];
  return res.body.split('\n\n').flatMap((event) => event.split('\n').filter((l) => l.startsWith('data:')).map((l) => JSON.parse(l.slice(5))));
}

/** server-everything over Streamable HTTP. */
export class Everything {
  static async start() {
    const s = new Everything();
    s.port = await freePort();
    s.child = spawn(NODE, [EVERYTHING, 'streamableHttp'], { env: { ...process.env, PORT: String(s.port) }, stdio: 'ignore' });
    process.on('exit', () => s.child.kill('SIGKILL'));
    for (let tries = 0; tries < 500; tries++) {
      if (await request({ port: s.port, path: '/mcp', timeout: 1000 }).then(() => true, () => false)) return s;
      await sleep(20);
    }
    throw new Error('server-everything does not listen');
  }

  get url() { return `http://127.0.0.1:${this.port}/mcp`; }

  async stop() {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit').catch(() => {});
  }
}
