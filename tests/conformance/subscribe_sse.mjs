// Subscribes with graphql-sse, the reference client, and prints each answer as a line of JSON.
// Arguments: URL, token, document, variables as JSON, number of connections.
import { createClient } from 'graphql-sse';

const [url, token, query, variables, connections] = process.argv.slice(2);
const say = (line) => console.log(JSON.stringify(line));

for (let connection = 0; connection < Number(connections); connection += 1) {
  const client = createClient({
    url,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 100,
    retry: () => new Promise((resolve) => setTimeout(resolve, 100)),
    on: { connected: (reconnected) => say({ connection, event: 'connected', reconnected }) },
  });
  client.subscribe(
    { query, variables: JSON.parse(variables) },
    {
      next: ({ data, errors }) => say({ connection, event: 'next', data, errors }),
      error: (error) => say({ connection, event: 'error', error: error.message ?? error }),
      complete: () => say({ connection, event: 'complete' }),
    },
  );
}
