import type { Obstacle } from "../model/connection";

/** A proxy's ways to say that it does not reach what is behind it. */
const PROXYS: ReadonlySet<number> = new Set([502, 503, 504]);
/** What happens to everybody while a server is started anew. */
const PASSING: ReadonlySet<string> = new Set(["shutting_down"]);

/** Reads the answer that a connection was refused with; undefined where it is none that a reader need hear of. */
export function readObstacle(status: number, body: string): Obstacle | undefined {
  const said = readRefusal(body);
  if (said) return PASSING.has(said.reason) ? undefined : { ...said, status };
  return { reason: PROXYS.has(status) ? "proxy" : "no_relay", message: "", status };
}

/** `{code, message, reason}`, as handshakes are refused, or `{error: {code, message}}`, as everything else is. */
function readRefusal(body: string): Pick<Obstacle, "reason" | "message"> | undefined {
  try {
    const { reason, message, error } = JSON.parse(body) as { reason?: unknown; message?: unknown; error?: { code?: unknown; message?: unknown } };
    const [word, sentence] = error ? [error.code, error.message] : [reason, message];
    return typeof word === "string" ? { reason: word, message: typeof sentence === "string" ? sentence : "" } : undefined;
  } catch {
    return undefined; // not JSON, or none of ours: not the server's
  }
}
