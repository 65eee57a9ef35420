//! Two small tables to enrich the logs with: whose laptop an address is, and what a domain is known for.

use crate::World;
use crate::people::{OFFICES, SERVERS};
use crate::places::Category;
use crate::random::mix;
use std::fmt::Write;

/// The servers and the laptops of the busiest people, `count` rows as CSV.
pub fn assets(world: &World, count: u64) -> String {
    let mut table = "src_ip,owner,department,office,criticality\n".to_owned();
    let mut rows = Vec::new();
    for server in &SERVERS {
        let owner = server.account.rsplit('\\').next().unwrap_or_default();
        // All but the resolvers stand in Prague.
        let office = match server.host.split('-').next() {
            Some("ber") => OFFICES[1].name,
            Some("nyc") => OFFICES[2].name,
            _ => OFFICES[0].name,
        };
        rows.push(format!(
            "{},{owner},{},{office},{}",
            server.ip, server.department, server.criticality
        ));
    }
    let mut offices = [0, 1, 2].map(|office| world.people.by_rank(office));
    // Prague is as large as the other two together.
    for office in [0, 1, 0, 2]
        .into_iter()
        .cycle()
        .take(2 * world.people.all.len())
    {
        if let Some(person) = offices[office].next() {
            let criticality = match person.department {
                "Security" | "Finance" => "high",
                "Engineering" | "Operations" | "Legal" => "medium",
                _ => "low",
            };
            rows.push(format!(
                "{},{},{},{},{criticality}",
                person.ip, person.name, person.department, OFFICES[person.office].name
            ));
        }
    }
    for row in rows.into_iter().take(count as usize) {
        table.push_str(&row);
        table.push('\n');
    }
    table
}

/// The most popular sites, `count` rows as CSV.
pub fn domains(world: &World, count: u64) -> String {
    let mut table = "domain,category,first_seen,owner\n".to_owned();
    let owners = [
        "Example Org",
        "Example Com, Inc.",
        "Netz \"Example\" GmbH",
        "Příklad s.r.o.",
    ];
    let sites = world.sites.intranet.iter().chain(&world.sites.all);
    for (rank, site) in sites.enumerate().take(count as usize) {
        let luck = mix(rank as u64 + 4242);
        let owner = match site.category {
            Category::Intranet => "Corp",
            _ => owners[rank % owners.len()],
        };
        let owner = match owner.contains(['"', ',']) {
            true => format!("\"{}\"", owner.replace('"', "\"\"")),
            false => owner.to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{},{},20{:02}-{:02}-{:02},{owner}",
            site.name,
            site.category.name(),
            18 + luck % 8,
            1 + luck / 8 % 12,
            1 + luck / 96 % 28
        );
    }
    table
}
