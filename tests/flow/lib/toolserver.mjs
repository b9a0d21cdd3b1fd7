// toolserver.mjs - a tool server that speaks the documented wire format by
// hand (Streamable HTTP, MCP 2025-11-25), keeps what it got, and can misbehave.
import http from 'node:http';
import https from 'node:https';
import http2 from 'node:http2';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';

export const schema = (properties = {}, required = []) => ({ type: 'object', properties, required, additionalProperties: false });
export const text = (s, more = {}) => ({ content: [{ type: 'text', text: s }], ...more });

/** Definitions and what each does: (args, {server, id, session, request, res, notify, ask}) => result, or undefined when it answered itself. */
export const standard = {
  read_file: { description: 'Reads a file', inputSchema: schema({ path: { type: 'string' } }, ['path']), call: ({ path }) => text(`content of ${path}`) },
  write_file: { description: 'Writes a file', inputSchema: schema({ path: { type: 'string' }, text: { type: 'string' } }, ['path', 'text']), call: ({ path }) => text(`wrote ${path}`) },
  delete_file: { description: 'Deletes a file', inputSchema: schema({ path: { type: 'string' } }), call: () => text('deleted') },
};

export class ToolServer {
  requests = []; // {method, headers, body}, bodies parsed
  calls = []; // {name, arguments}
  sessions = new Set();
  streams = new Map(); // GET streams by session

  static async start(definitions = standard, options = {}) {
    const s = new ToolServer();
    s.tools = { ...definitions };
    s.options = { capabilities: { tools: { listChanged: true } }, sessions: true, ...options };
    s.pending = new Map();
    const take = (req, res) => s.#take(req, res);
    s.server = options.http2 ? http2.createSecureServer(options.tls, take) : options.tls ? https.createServer(options.tls, take) : http.createServer(take);
    s.server.listen(options.port ?? 0, '127.0.0.1');
    await once(s.server, 'listening');
    s.port = s.server.address().port;
    return s;
  }

  get url() { return `http${this.options.tls ? 's' : ''}://127.0.0.1:${this.port}/mcp`; }

  async stop() {
    for (const res of this.streams.values()) res.end();
    this.server.closeAllConnections?.();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** A notification on every GET stream. */
  announce(method, params) {
    for (const res of this.streams.values()) res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method, ...(params && { params }) })}\n\n`);
  }

  #take(req, res) {
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (s) => { body += s; });
    req.on('end', () => this.#answer(req, res, body).catch((e) => { if (!res.headersSent) res.writeHead(500); res.end(String(e)); }));
    req.on('error', () => {});
    res.on('error', () => {});
  }

  async #answer(req, res, body) {
    const session = req.headers['mcp-session-id'];
    const message = body ? JSON.parse(body) : undefined;
    this.requests.push({ method: req.method, url: req.url, headers: req.headers, body: message, raw: body });
    if (this.options.before && (await this.options.before(req, res, message)) === true) return undefined;
    if (this.options.sessions && message?.method !== 'initialize' && !this.sessions.has(session)) return res.writeHead(404).end();
    if (req.method === 'DELETE') { this.sessions.delete(session); return res.writeHead(200).end(); }
    if (req.method === 'GET') {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      this.streams.set(session, res);
      return res.on('close', () => this.streams.delete(session));
    }
    if (message.method === undefined) {
      this.pending.get(message.id)?.(message);
      this.pending.delete(message.id);
      return res.writeHead(202).end();
    }
    if (message.id === undefined) return res.writeHead(202).end();
    const result = await this.#result(message, req, res, session);
    if (result === undefined || res.writableEnded) return undefined;
    const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, ...(result.error ? { error: result.error } : { result }) });
    if (res.headersSent) return res.end(`data: ${answer}\n\n`);
    return res.writeHead(200, { 'content-type': 'application/json', ...(message.method === 'initialize' && this.options.sessions ? { 'mcp-session-id': [...this.sessions].at(-1) } : {}) }).end(answer);
  }

  async #result({ method, id, params }, request, res, session) {
    const stream = () => { if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' }); };
    const send = (m) => { stream(); res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...m })}\n\n`); };
    const more = {
      server: this, id, session, request, res, meta: params?._meta,
      notify: (name, p) => send({ method: name, params: p }),
      ask: (name, p) => new Promise((resolve) => {
        const asked = randomUUID();
        this.pending.set(asked, resolve);
        send({ id: asked, method: name, params: p });
      }),
    };
    switch (method) {
      case 'initialize': {
        if (this.options.sessions) this.sessions.add(randomUUID());
        return { protocolVersion: this.options.revision ?? '2025-11-25', capabilities: this.options.capabilities, serverInfo: { name: 'pretended', version: '1' } };
      }
      case 'ping': return {};
      case 'tools/list': return { tools: Object.entries(this.tools).map(([name, { call: _, ...t }]) => ({ name, ...t })) };
      case 'tools/call': {
        this.calls.push({ name: params.name, arguments: params.arguments });
        const tool = this.tools[params.name];
        return tool ? tool.call(params.arguments, more) : { error: { code: -32602, message: `no tool ${params.name}` } };
      }
      default: return this.options.other ? this.options.other(method, params, more) : { error: { code: -32601, message: 'unknown method' } };
    }
  }
}
