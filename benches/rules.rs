//! Events a second through rules in Lua, on one core, from parsed events and from JSON Lines.
//!
//! `cargo bench --bench rules`. `benches/gopher` runs the same bodies in gopher-lua: `cd benches/gopher && go run .`
//!
//! A condition with which a function begins is decided without Lua where it only reads the event; the events here fail
//! it, but one of twenty that `group` feeds. In the rows `… in Lua` the functions begin with a statement that only Lua
//! can run, so that every event gets there.
#![allow(clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stellar::rule::event::Event;
use stellar::rule::lua::{Options, Running};

/// Tests one field.
const FIELD: &str =
    "function on_logline(e) if e:get('observer.event.id') == '4688' then log('x') end end";

/// Lowers a text and looks for an expression in it.
const SEARCH: &str = "function on_logline(e)
  if e:gets('initiator.command.executed'):lower():search('(?i)mimikatz|sekurlsa') then log('x') end
end";

/// Feeds one event of twenty.
const GROUP: &str = "
function on_logline(e) if e:get('observer.event.id') == '4104' then g:feed(e) end end
function on_grouped(d) if d.aggregatedData.unique.total > 100000 then alert({}) end end
g = grouper.new({'observer.host.ip'}, {'target.image.name'}, '@timestamp,RFC3339', '1m', on_grouped)";

/// The bodies of the others behind a statement that counts the events.
const FIELD_IN_LUA: &str = "n = 0 function on_logline(e) n = n + 1
  if e:get('observer.event.id') == '4688' then log('x') end
end";
const SEARCH_IN_LUA: &str = "n = 0 function on_logline(e) n = n + 1
  if e:gets('initiator.command.executed'):lower():search('(?i)mimikatz|sekurlsa') then log('x') end
end";
const NOTHING_IN_LUA: &str = "n = 0 function on_logline(e) n = n + 1 end";

const EVENTS: usize = 1000;

fn lines() -> Vec<String> {
    let line = |n: usize| {
        let id = if n.is_multiple_of(20) { "4104" } else { "4689" };
        format!(
            r#"{{"@timestamp":"2024-05-01T10:{:02}:{:02}Z","observer":{{"host":{{"ip":"10.0.0.{}","hostname":"srv{}"}},"event":{{"id":"{id}","type":"SYSCALL"}}}},"initiator":{{"user":{{"name":"bob"}},"command":{{"executed":"C:\\Windows\\System32\\CMD.exe /c whoami {n}"}}}},"target":{{"image":{{"name":"a{}.exe"}}}}}}"#,
            n / 60 % 60,
            n % 60,
            n % 50,
            n % 50,
            n % 7
        )
    };
    (0..EVENTS).map(line).collect()
}

fn load(text: &str) -> Running {
    Running::load(text, Options::default()).expect("a good rule")
}

fn rules(criterion: &mut Criterion) {
    let lines = lines();
    let read = |line: &String| Event::read(line.as_bytes()).expect("a good event");
    let events: Vec<Event> = lines.iter().map(read).collect();
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(EVENTS as u64));
    let single = [
        ("field", FIELD),
        ("search", SEARCH),
        ("group", GROUP),
        ("nothing in Lua", NOTHING_IN_LUA),
        ("field in Lua", FIELD_IN_LUA),
        ("search in Lua", SEARCH_IN_LUA),
    ];
    group.bench_function("reading lines", |b| {
        b.iter(|| lines.iter().for_each(|line| drop(black_box(read(line)))));
    });
    for (name, text) in single {
        let mut rule = load(text);
        group.bench_function(name, |b| {
            b.iter(|| {
                events
                    .iter()
                    .for_each(|event| drop(black_box(rule.event(event))))
            });
        });
        group.bench_function(format!("{name} from lines"), |b| {
            b.iter(|| {
                lines
                    .iter()
                    .for_each(|line| drop(black_box(rule.event(&read(line)))))
            });
        });
    }
    let bodies = [FIELD, SEARCH, GROUP].into_iter().cycle().take(100);
    let mut hundred: Vec<Running> = bodies.map(load).collect();
    group.sample_size(10);
    group.bench_function("100 rules", |b| {
        b.iter(|| {
            for event in &events {
                hundred
                    .iter_mut()
                    .for_each(|rule| drop(black_box(rule.event(event))));
            }
        });
    });
    group.bench_function("100 rules from lines", |b| {
        b.iter(|| {
            for event in lines.iter().map(read) {
                hundred
                    .iter_mut()
                    .for_each(|rule| drop(black_box(rule.event(&event))));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);
