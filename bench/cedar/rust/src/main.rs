//! What cedar_bench.c measures, with the Rust crate.
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use serde_json::Value;
use std::{fs, str::FromStr, time::Duration, time::Instant};

fn uid(request: &Value, name: &str) -> EntityUid {
    EntityUid::from_json(request[name].clone()).expect(name)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let folder = &args[1];
    let most = Duration::from_secs(args.get(2).map_or(1, |s| s.parse().expect("SECONDS")));
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).expect(name);

    let text = read("policies.cedar");
    let start = Instant::now();
    let policies = PolicySet::from_str(&text).expect("policies");
    let load = start.elapsed();
    let entities = Entities::from_json_str(&read("entities.json"), None).expect("entities");
    let all: Vec<Value> = serde_json::from_str(&read("requests.json")).expect("requests");
    let requests: Vec<Request> = all
        .iter()
        .map(|r| {
            let context = Context::from_json_value(r["context"].clone(), None).expect("context");
            Request::new(uid(r, "principal"), uid(r, "action"), uid(r, "resource"), context, None)
                .expect("request")
        })
        .collect();

    // Few requests of a large set take long: then not all are asked.
    let authorizer = Authorizer::new();
    let (mut passes, mut allowed, mut faults) = (Vec::new(), 0, 0);
    let begun = Instant::now();
    while passes.is_empty() || begun.elapsed() < most {
        let start = Instant::now();
        let mut asked = 0;
        (allowed, faults) = (0, 0);
        for request in &requests {
            let answer = authorizer.is_authorized(request, &policies, &entities);
            allowed += usize::from(answer.decision() == Decision::Allow);
            faults += answer.diagnostics().errors().count();
            asked += 1;
            if passes.is_empty() && start.elapsed() > 4 * most {
                break;
            }
        }
        passes.push(start.elapsed().as_nanos() as f64 / f64::from(asked));
        if (asked as usize) < requests.len() {
            println!(
                "{{\"ns\":{:.1},\"load_us\":{:.1},\"asked\":{asked}}}",
                passes[0],
                load.as_nanos() as f64 / 1e3
            );
            return;
        }
    }
    passes.sort_by(f64::total_cmp);
    println!(
        "{{\"ns\":{:.1},\"load_us\":{:.1},\"allowed\":{allowed},\"faults\":{faults}}}",
        passes[passes.len() / 2],
        load.as_nanos() as f64 / 1e3
    );
}
