// Subscribes with graphql-ws, the reference client, and prints each answer as a line of JSON.
// Arguments: URL, token, document, variables as JSON, number of connections.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token, query, variables, connections] = process.argv.slice(2);
const say = (line) => console.log(JSON.stringify(line));

for (let connection = 0; connection < Number(connections); connection += 1) {
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 100,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
    shouldRetry: () => true,
    on: {
      connected: () => say({ connection, event: 'connected' }),
      closed: ({ code }) => say({ connection, event: 'closed', code }),
    },
  });
  client.subscribe(
    { query, variables: JSON.parse(variables) },
    {
      next: ({ data, errors }) => say({ connection, event: 'next', data, errors }),
      error: (error) => say({ connection, event: 'error', error: error.code ?? error.message ?? error }),
      complete: () => say({ connection, event: 'complete' }),
    },
  );
}
