// Runs the audits of graphql-http, the reference implementation of GraphQL over HTTP, and prints what is not right.
import { auditServer } from 'graphql-http';

// A GET is answered only with a header that no page of another site can send unasked; all other requests are sent as they are.
const fetchFn = (url, options = {}) =>
  (options.method ?? 'GET') === 'GET'
    ? fetch(url, { ...options, headers: { ...options.headers, 'kameng-preflight': '1' } })
    : fetch(url, options);

const results = await auditServer({ url: process.argv[2], fetchFn });
const failed = results.filter((result) => result.status !== 'ok');
console.log(
  JSON.stringify({
    count: results.length,
    failed: await Promise.all(
      failed.map(async ({ id, name, status, reason, response }) => ({
        id, name, status, reason, http: response.status, body: await response.text().catch(() => ''),
      })),
    ),
  }),
);
