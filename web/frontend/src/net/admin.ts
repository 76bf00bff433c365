/** Adding and removing symbols over HTTP, for whoever knows the admin token. */
import type { Refused } from "../model/wire";
import type { AskServer } from "./ask-server";

/** Why a change was refused. `message` is the server's own sentence, in English. */
export interface Refusal {
  code: string;
  message: string;
}

export type Change = { add: string; feed: string } | { remove: string };

/** Asks for `change`; undefined where it was granted. The token travels in a header, never in an address. Never rejects. */
export async function requestChange(send: AskServer, token: string, change: Change): Promise<Refusal | undefined> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  try {
    const answer = await ("add" in change
      ? send("api/symbols", { method: "POST", headers, body: JSON.stringify({ symbol: change.add, feed: change.feed }) })
      : send(`api/symbols/${encodeURIComponent(change.remove)}`, { method: "DELETE", headers }));
    if (answer.ok) return undefined;
    const { error } = (await answer.json()) as Refused;
    return { code: error.code, message: error.message };
  } catch (error) {
    return { code: "unreachable", message: error instanceof Error ? error.message : String(error) };
  }
}
