import { addressOf } from "./base-url";

/** No answer has ended after this long: none will. As long as a connection is given at most (`net/transport-policy.ts`). */
export const ANSWER_LIMIT_MS = 20_000;

/** Asks this server for `path` (`api/quotes`). */
export type AskServer = (path: string, init?: RequestInit) => Promise<Response>;

/** Rejects where there is no answer, also where that is never said: a network may swallow a question without a word. */
export const askServer: AskServer = (path, init) => fetch(addressOf(path), { ...init, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
