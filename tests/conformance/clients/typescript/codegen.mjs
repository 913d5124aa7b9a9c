// graphql-codegen: typed documents for both schemas, and all of their types. DOCS is the folder of the schemas; what is
// made lies in the folder that it is run in.
import { fileURLToPath } from 'node:url';

const documents = fileURLToPath(new URL('../documents/', import.meta.url));
const scalars = {
  Date: 'string', DateTime: 'string', Decimal: 'string', Long: 'number', Upload: 'Blob', UUID: 'string',
};

const config = { strictScalars: true, scalars, enumsAsTypes: true, useTypeImports: true };

const typed = (name) => {
  const schema = `${process.env.DOCS}/${name}.graphql`;
  return {
    [`${name}.ts`]: {
      schema,
      documents: `${documents}${name}.graphql`,
      plugins: ['typescript-operations', 'typed-document-node'],
      config,
    },
    [`${name}-schema.ts`]: { schema, plugins: ['typescript'], config },
  };
};

export default { generates: { ...typed('shop'), ...typed('admin') } };
