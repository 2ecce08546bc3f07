import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";

/** web-server.ts PORT FOLDER: serves the JSON files of a folder, as http_sd wants them. */
const [port, folder = ""] = process.argv.slice(2);

createServer(({ url = "" }, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(readFileSync(join(folder, basename(url))));
}).listen(Number(port), "127.0.0.1");
