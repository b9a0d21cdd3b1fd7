// What cedar_bench.c measures, with cedar-wasm.  Its policies are preparsed;
// the entities of a request go in with each call, as its interface has it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, folder, seconds = "1"] = process.argv.slice(2);
const wasm = createRequire(join(packages, "x.js"))("@cedar-policy/cedar-wasm/nodejs");
const most = Number(seconds) * 1e9;
const read = (name) => readFileSync(join(folder, name), "utf8");
const now = () => Number(process.hrtime.bigint());

const text = read("policies.cedar");
let start = now();
if (wasm.preparsePolicySet("bench", { staticPolicies: text }).type !== "success")
  throw new Error("policies.cedar does not load");
const load = now() - start;
const entities = JSON.parse(read("entities.json"));
const requests = JSON.parse(read("requests.json"));

// Few requests take long: then not all are asked.
const passes = [];
let allowed = 0, faults = 0, asked = 0;
for (const begun = now(); passes.length === 0 || now() - begun < most;) {
  start = now();
  allowed = faults = asked = 0;
  for (const request of requests) {
    const answer = wasm.statefulIsAuthorized({
      ...request, entities, preparsedPolicySetId: "bench", validateRequest: false,
    });
    if (answer.type !== "success") throw new Error(JSON.stringify(answer));
    allowed += answer.response.decision === "allow" ? 1 : 0;
    faults += answer.response.diagnostics.errors.length;
    asked++;
    if (passes.length === 0 && now() - start > 4 * most) break;
  }
  passes.push((now() - start) / asked);
  if (asked < requests.length) break;
}
passes.sort((a, b) => a - b);
const figures = { ns: passes[passes.length >> 1], load_us: load / 1e3 };
console.log(JSON.stringify(asked < requests.length ? { ...figures, asked }
  : { ...figures, allowed, faults }));
