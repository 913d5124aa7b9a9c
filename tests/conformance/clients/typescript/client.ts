// A shop's story, told by the typed clients: money, a log-in, a purchase, and two refusals. Prints what it saw as JSON.
// Arguments: the server, the e-mail address and password of one of the staff, a SKU.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { CreditWalletDocument, FindMemberDocument, StaffLogInDocument } from './admin.js';
import {
  AnythingDocument,
  LogInDocument,
  OrderDocument,
  type PlaceOrderErrorCode,
  PlaceOrderDocument,
  type PlaceOrderInput,
  ProductsDocument,
  RegisterDocument,
  WalletDocument,
} from './shop.js';

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions: { code: string; classification: string } }[];
}

class Endpoint {
  constructor(private readonly url: string, private readonly token?: string) {}

  async ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Answer<Data>> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(this.token ? { authorization: `Bearer ${this.token}` } : {}) },
      body: JSON.stringify({ query: print(document), variables }),
    });
    return (await response.json()) as Answer<Data>;
  }

  async get<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const { data, errors } = await this.ask(document, variables);
    if (errors || !data) throw new Error(JSON.stringify(errors));
    return data;
  }
}

function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('nothing there');
  return value;
}

const [server, staffEmail, staffPassword, sku] = process.argv.slice(2) as [string, string, string, string];
const shopUrl = `${server}/graphql/shop`;
const adminUrl = `${server}/graphql/admin`;
const password = crypto.randomUUID();
const email = `${crypto.randomUUID()}@example.com`;

const visitor = new Endpoint(shopUrl);
const registered = (await visitor.get(RegisterDocument, { input: { email, password } })).register;
const member = present(registered.member);
const listed = (await visitor.get(ProductsDocument, { first: 5, search: sku })).products;
const variant = present(listed.edges.flatMap((edge) => edge.node.variants).find((item) => item.sku === sku));

const wrong = (await visitor.get(LogInDocument, { input: { email, password: 'a guess', transport: 'TOKEN' } })).logIn;
const inside = (await visitor.get(LogInDocument, { input: { email, password, transport: 'TOKEN' } })).logIn;
const shop = new Endpoint(shopUrl, present(inside.token));

const input: PlaceOrderInput = { lines: [{ variantId: variant.id, quantity: 2 }] };
const refused = (await shop.get(PlaceOrderDocument, { input, key: crypto.randomUUID() })).placeOrder;
const codes: PlaceOrderErrorCode[] = refused.errors.map((error) => error.code);

const staffInput = { email: staffEmail, password: staffPassword, transport: 'TOKEN' } as const;
const staff = (await new Endpoint(adminUrl).get(StaffLogInDocument, { input: staffInput })).logIn;
const admin = new Endpoint(adminUrl, present(staff.token));
const found = present((await admin.get(FindMemberDocument, { search: email })).members.nodes[0]);
const credit = { memberId: found.id, amount: { amount: '20.00', currency: 'CNY' }, reason: 'a gift' };
const credited = (await admin.get(CreditWalletDocument, { input: credit, key: crypto.randomUUID() })).creditWallet;

const key = crypto.randomUUID();
const placed = present((await shop.get(PlaceOrderDocument, { input, key })).placeOrder.order);
const again = present((await shop.get(PlaceOrderDocument, { input, key })).placeOrder.order);
const { order } = await shop.get(OrderDocument, { number: placed.number });
const { node } = await shop.get(AnythingDocument, { id: placed.id });
const { viewer } = await shop.get(WalletDocument, {});
const strange = await visitor.ask(OrderDocument, { number: placed.number });

console.log(
  JSON.stringify({
    sameMember: found.id === member.id && inside.member?.id === member.id,
    price: variant.price,
    wrongPassword: wrong.errors.map((error) => error.code),
    withoutMoney: codes,
    credited: credited.wallet?.balance,
    repeated: again.number === placed.number,
    order: { ...order, number: order.number === placed.number, paidAt: order.paidAt !== null },
    node: node?.__typename === 'Order' ? node.number === placed.number : null,
    balance: viewer?.wallet.balance.amount,
    statement: viewer?.wallet.statement.nodes.map((entry) => [entry.kind, entry.amount.amount]),
    asVisitor: strange.errors?.map((error) => error.extensions.code),
  }),
);
