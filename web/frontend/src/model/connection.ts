/** One word for the whole table: how far its prices may be believed. */
export type Connection = "live" | "recovering" | "delayed" | "offline";

/**
 * How the link to the server stands: no connection, none because the server asks for a token or said that it restarts or somebody on the
 * way said why not, connected without the prices yet, or prices flowing.
 */
export type LinkPhase = "connecting" | "refused" | "restarting" | "obstructed" | "syncing" | "synced";

/** What stands between the page and the server, as far as anybody said. */
export interface Obstacle {
  /** The server's word for why it lets nobody in; `proxy` and `no_relay` are ours, for answers that are not the server's. */
  reason: string;
  /** The server's own sentence, in English; empty where it gave none. */
  message: string;
  status: number;
}
