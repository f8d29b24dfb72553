// Deploys serverless.yml (as JSON on stdin) with tencent-component-toolkit, against the API server at 127.0.0.1:PORT.
//
// What the component multi-scf 0.3.11 does between the file and the library is written out below: the deploy service fetches
// it, so it is on no package registry. Uploading the code to COS is left out: nothing in the file is about it.
"use strict";
const http = require("http"), https = require("https"), net = require("net"), fs = require("fs");
const port = Number(process.argv[2]);

// Each request for the cloud goes to the API server, which sees in the Host header whom it was for. No socket leaves the machine.
https.request = (options, done) =>
  http.request({ method: options.method, path: options.path, headers: { ...options.headers, host: options.host }, host: "127.0.0.1", port }, done);
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const to = (Array.isArray(args[0]) ? args[0][0] : args[0]) || {};
  if (to.host !== "127.0.0.1" || Number(to.port) !== port) {
    process.stderr.write(`a connection to somewhere else: ${to.host}:${to.port}\n`);
    process.exit(3);
  }
  return connect.apply(this, args);
};

async function main() {
  const file = JSON.parse(fs.readFileSync(0, "utf8"));
  const { Scf, TriggerManager } = require("tencent-component-toolkit");
  const credentials = { SecretId: "id", SecretKey: "key", Token: "token" };
  const inputs = file.inputs;
  const common = { type: inputs.type || "event", namespace: "default", runtime: inputs.runtime, description: inputs.description };

  const scf = new Scf(credentials, inputs.region);
  const names = {};
  for (const [key, settings] of Object.entries(inputs.functions)) {
    const f = { ...common, ...settings, code: { bucket: "code", object: "package.zip" } };
    f.name = f.name || `${file.name}-${file.stage}-${file.app}-${key}`;
    names[key] = { name: f.name, type: f.type };
    await scf.deploy(f);
  }
  const triggers = inputs.triggers.map((trigger) => ({ ...trigger, namespace: "default", function: names[trigger.function] }));
  await new TriggerManager(credentials, inputs.region).bulkCreateTriggers(triggers);
}

console.log = () => {}; // the library tells what it does
main().catch((e) => {
  process.stderr.write(`${e.stack}\n`);
  process.exit(1);
});
