// Relay's rules for a schema: SCHEMA=shop.graphql eslint -c eslint.config.mjs shop.graphql, one schema a process, since
// the plugin remembers the edge types of the first.
import { parser, rules } from '@graphql-eslint/eslint-plugin';

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser, parserOptions: { graphQLConfig: { schema: process.env.SCHEMA } } },
    plugins: { '@graphql-eslint': { rules } },
    rules: {
      '@graphql-eslint/relay-arguments': 'error',
      '@graphql-eslint/relay-connection-types': 'error',
      // Short lists, such as the errors of a payload, are lists: pages are for what grows.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
      '@graphql-eslint/relay-page-info': 'error',
    },
  },
];
