//! How much the raw estimate of HyperLogLog++ is off, by measured tables.

use std::sync::LazyLock;

/// Raw estimates and the biases at them.
struct Table {
    estimates: Vec<f64>,
    biases: Vec<f64>,
}

/// The tables of precisions from 4.
static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let rows: Vec<Vec<f64>> = include_str!("bias.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').filter_map(|n| n.parse().ok()).collect())
        .collect();
    let pairs = rows.as_chunks::<2>().0.iter();
    pairs
        .map(|[estimates, biases]| Table {
            estimates: estimates.clone(),
            biases: biases.clone(),
        })
        .collect()
});

/// Below these counts empty registers are the better measure, by precisions from 4.
const THRESHOLDS: [f64; 15] = [
    10.0, 20.0, 40.0, 80.0, 220.0, 400.0, 900.0, 1800.0, 3100.0, 6500.0, 11500.0, 20000.0, 50000.0,
    120_000.0, 350_000.0,
];

/// How many neighbours are averaged.
const NEIGHBOURS: usize = 6;

/// Below which count empty registers are the better measure; `None` when there is no table.
pub fn threshold(p: u32) -> Option<f64> {
    THRESHOLDS.get((p as usize).wrapping_sub(4)).copied()
}

/// The bias of a raw estimate: the mean at its six nearest neighbours.
pub fn of(estimate: f64, p: u32) -> f64 {
    let Some(table) = TABLES.get((p as usize).wrapping_sub(4)) else {
        return 0.0;
    };
    let mut near: Vec<(f64, usize)> = table
        .estimates
        .iter()
        .enumerate()
        .map(|(i, known)| ((estimate - known).powi(2), i))
        .collect();
    // Of neighbours at the same distance only the last counts, as in stream-lib.
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    near.dedup_by_key(|(distance, _)| *distance);
    let biases = near
        .iter()
        .take(NEIGHBOURS)
        .filter_map(|(_, i)| table.biases.get(*i));
    biases.sum::<f64>() / NEIGHBOURS as f64
}
