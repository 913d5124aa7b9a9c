// Being told of events: subscriptions over server-sent events, one stream for all parts that listen to the same.

const ENOUGH = 8;
const streams = new Map();

const pause = (milliseconds, signal) =>
  new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
  });

/** The events of one answer as it comes in, each as [name, data]. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    waiting += piece.value;
    const whole = waiting.split("\n\n");
    waiting = whole.pop();
    for (const text of whole) {
      const lines = text.split("\n");
      const value = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim()).join("\n");
      if (value("event")) {
        yield [value("event"), value("data")];
      }
    }
  }
}

async function listen(stream) {
  const { signal } = stream.ending;
  let failures = 0;
  while (!signal.aborted && failures < ENOUGH) {
    try {
      const answer = await fetch(stream.address, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
        body: stream.body,
        signal,
      });
      if (!answer.ok || !answer.body) {
        throw new Error(String(answer.status));
      }
      for await (const [name, data] of events(answer.body)) {
        const told = name === "next" ? JSON.parse(data) : null;
        if (name === "complete" || !told?.data) {
          return; // it has ended, or is refused: asking again would change nothing
        }
        failures = 0;
        stream.listeners.forEach((listener) => listener());
      }
    } catch {
      failures += 1;
    }
    await pause(Math.min(30_000, 1000 * 2 ** failures) * (0.5 + Math.random() / 2), signal);
  }
}

/**
 * Call a function each time a subscription tells something.
 *
 * @param {string} schema "shop" or "admin".
 * @param {string} query The subscription's text.
 * @param {string} variables JSON.
 * @param {() => void} listener
 * @returns {() => void} What ends it.
 */
export function subscribe(schema, query, variables, listener) {
  const body = JSON.stringify({ query, variables: JSON.parse(variables || "{}") });
  const key = `${schema} ${body}`;
  let stream = streams.get(key);
  if (!stream) {
    stream = { address: `/graphql/${schema}`, body, listeners: new Set(), ending: new AbortController() };
    streams.set(key, stream);
    listen(stream).finally(() => streams.get(key) === stream && streams.delete(key));
  }
  stream.listeners.add(listener);
  return () => {
    stream.listeners.delete(listener);
    if (!stream.listeners.size) {
      streams.delete(key);
      stream.ending.abort();
    }
  };
}
