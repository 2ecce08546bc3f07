import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudServer } from "./cloud";

/** `main.ts FOLDER`: the stand-in on port 443 of this machine's loopback, with the certificate in a folder. */
const [folder = ""] = process.argv.slice(2);
const pem = (name: string) => readFileSync(join(folder, name), "utf8");
const server = new CloudServer({
  folder,
  certificate: { cert: pem("cert.pem"), key: pem("key.pem") },
  token: pem("token"),
  organization: "acme",
});
process.on("SIGTERM", () => {
  server.close();
  console.log("{}");
});
server.listen(443, "127.0.0.1").then(() => console.log("listening"));
