// Official socket.io-client sockets, as many as the test opens, driven by JSON lines: commands on stdin, what happens on stdout.
//
//   {"op": "open", "client": "a", "url": "http://…", "options": {"transports": ["websocket"]}, "namespaces": ["/", "/ACME"]}
//   {"op": "join" | "leave", "client": "a", "namespace": "/BOLT"}
//   {"op": "emit", "client": "a", "namespace": "/", "event": "subscribe", "arguments": [{}], "id": 1}
//   {"op": "close", "client": "a"}
//
// Each event comes out as [client, namespace, event, arguments]; an acknowledgement as ["a", "/", "ack", [1, …]].
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../../web/frontend/package.json", import.meta.url));
const { Manager } = require("socket.io-client");

const clients = new Map();
const say = (...happening) => process.stdout.write(`${JSON.stringify(happening)}\n`);

function join(client, namespace) {
    const { manager, sockets, auth } = clients.get(client);
    if (sockets.has(namespace)) {
        sockets.get(namespace).connect(); // it was there before: the listeners still are
        return;
    }
    const socket = manager.socket(namespace, auth === undefined ? {} : { auth });
    sockets.set(namespace, socket);
    socket.on("connect", () => say(client, namespace, "connect", []));
    socket.on("connect_error", (error) => say(client, namespace, "connect_error", [{ message: error.message, data: error.data ?? null }]));
    socket.on("disconnect", (reason) => say(client, namespace, "disconnect", [reason]));
    socket.onAny((event, ...values) => say(client, namespace, event, values));
    socket.connect();
}

const commands = {
    open({ client, url, options = {}, namespaces }) {
        const manager = new Manager(url, { reconnection: false, autoConnect: false, ...options });
        clients.set(client, { manager, sockets: new Map(), auth: options.auth });
        manager.on("open", () => {
            say(client, "", "transport", [manager.engine.transport.name]);
            manager.engine.on("upgrade", (transport) => say(client, "", "transport", [transport.name]));
        });
        manager.on("close", (reason, details) => say(client, "", "close", [reason, details?.context?.code ?? details?.code ?? null]));
        for (const namespace of namespaces) join(client, namespace);
    },
    join: ({ client, namespace }) => join(client, namespace),
    leave: ({ client, namespace }) => clients.get(client).sockets.get(namespace).disconnect(),
    emit({ client, namespace, event, arguments: values, id }) {
        const socket = clients.get(client).sockets.get(namespace);
        if (id === undefined) socket.emit(event, ...values);
        else socket.emit(event, ...values, (...answer) => say(client, namespace, "ack", [id, ...answer]));
    },
    close({ client }) {
        for (const socket of clients.get(client).sockets.values()) socket.disconnect();
    },
};

createInterface({ input: process.stdin }).on("line", (line) => {
    const command = JSON.parse(line);
    commands[command.op](command);
}).on("close", () => process.exit(0));
