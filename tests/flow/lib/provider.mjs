// provider.mjs - plays a model provider that speaks OpenAI's wire format.
//
// A test scripts it per model: `provider.on('m', handler)`.  A handler gets
// the exchange and does what a provider could do, or what a network can do to
// one.  Without a script it answers like the real one.  Every request that
// arrived is kept in `requests`, with its raw head, for the test to look at.
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';

export const text = 'Hello! How can I assist you today?';
export const words = text.split(/(?<= )/);

export function completion(model, content = text) {
  return {
    id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT', object: 'chat.completion', created: 1741569952, model,
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null, annotations: [] }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29, prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 } },
    service_tier: 'default',
  };
}

export function chunk(model, delta, finish = null, extra = {}) {
  return {
    id: 'chatcmpl-123', object: 'chat.completion.chunk', created: 1694268190, model, system_fingerprint: 'fp_44709d6fcb',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...extra,
  };
}

export const sse = (data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** All events of a streamed answer, the way the real provider sends them. */
export function streamed(model, usage) {
  const none = usage ? { usage: null } : {};
  const events = [chunk(model, { role: 'assistant', content: '' }, null, none)];
  for (const word of words) events.push(chunk(model, { content: word }, null, none));
  events.push(chunk(model, {}, 'stop', none));
  if (usage) events.push({ ...chunk(model, {}), choices: [], usage: completion(model).usage });
  return [...events, '[DONE]'].map(sse);
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a handler gets. */
class Exchange {
  constructor(req, res, body) {
    Object.assign(this, { req, res, body, model: body?.model, closed: false });
    res.on('close', () => { this.closed = true; });
  }

  json(status, value, headers = {}) {
    this.res.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_test', ...headers });
    this.res.end(JSON.stringify(value));
  }

  error(status, code, headers = {}) {
    this.json(status, { error: { message: `pretended ${code}`, type: code, param: null, code } }, headers);
  }

  begin() {
    this.res.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_test' });
    this.res.flushHeaders();
  }

  /** Writes the events, `ms` apart, until the other side is gone. */
  async send(events, ms = 0) {
    for (const event of events) {
      if (this.closed) return;
      this.res.write(event);
      if (ms > 0) await pause(ms);
    }
  }

  reset() { this.res.socket.resetAndDestroy(); }
}

async function answer(x) {
  if (x.req.url.endsWith('/embeddings')) {
    x.json(200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5] }], model: x.model, usage: { prompt_tokens: 3, total_tokens: 3 } });
  } else if (x.body.stream) {
    x.begin();
    await x.send(streamed(x.model, x.body.stream_options?.include_usage));
    x.res.end();
  } else {
    x.json(200, completion(x.model));
  }
}

export class Provider {
  requests = [];
  handlers = new Map();
  sessions = new Set();

  /** Over TLS with {key, cert}, and over HTTP/2 with {h2: true} too. */
  static async start({ key, cert, h2 = false } = {}) {
    const p = new Provider();
    const serve = (req, res) => p.#serve(req, res);
    p.server = h2 ? http2.createSecureServer({ key, cert }, serve) : key ? https.createServer({ key, cert }, serve) : http.createServer(serve);
    p.server.keepAliveTimeout = 60000;
    p.server.on('session', (s) => { p.sessions.add(s); s.on('close', () => p.sessions.delete(s)); });
    await new Promise((resolve) => p.server.listen(0, '127.0.0.1', resolve));
    p.port = p.server.address().port;
    p.url = `${key ? 'https' : 'http'}://127.0.0.1:${p.port}/v1`;
    return p;
  }

  on(model, handler) { this.handlers.set(model, handler); }

  async #serve(req, res) {
    req.on('error', () => {});
    res.on('error', () => {});
    try {
      let raw = '';
      for await (const piece of req) raw += piece;
      const body = raw === '' ? null : JSON.parse(raw);
      const x = new Exchange(req, res, body);
      this.requests.push({ method: req.method, url: req.url, headers: req.headers, rawHeaders: req.rawHeaders, raw, body, exchange: x });
      await (this.handlers.get(body?.model) ?? answer)(x);
    } catch (e) {
      res.destroy(e);
    }
  }

  async stop() {
    this.server.closeAllConnections?.();
    for (const s of this.sessions) s.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
