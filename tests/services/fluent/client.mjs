// client.mjs MODE PORT COUNT [key=… user=… password=… ca=… ack]: sends events and waits for them.
import { readFileSync } from "node:fs";
import { FluentClient } from "@fluent-org/logger";

const [mode, port, count, ...rest] = process.argv.slice(2);
const options = Object.fromEntries(rest.map((word) => word.split("=")));
const security = options.key && {
  clientHostname: "node.example",
  sharedKey: options.key,
  username: options.user,
  password: options.password,
};
const tls = options.ca && { ca: readFileSync(options.ca), servername: "localhost" };
let trouble;
const client = new FluentClient("npm", {
  socket: { host: "127.0.0.1", port: Number(port), timeout: 5000, tls },
  eventMode: mode,
  security,
  ack: "ack" in options ? { ackTimeout: 20000 } : undefined,
  onSocketError: (error) => { trouble = error; },
});
const late = setTimeout(() => { console.log(`late: ${trouble}`); process.exit(1); }, Number(options.late ?? 30000));
try {
  const sent = [];
  for (let n = 0; n < Number(count); n++) {
    sent.push(client.emit(mode, { n, text: "žluť", deep: { list: [1, null, true, 1.5] } }));
  }
  await Promise.all(sent);
  await client.flush();
  await client.disconnect();
  console.log("sent");
} catch (error) {
  console.log(`failed: ${error}`);
  process.exitCode = 1;
}
clearTimeout(late);
