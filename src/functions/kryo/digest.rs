//! The bytes of a t-digest, as the tree digest of t-digest 3.1 writes them.

use super::bytes::Input;
use super::damaged;
use crate::diagnostic::Outcome;
use crate::functions::statistics::digest::Centroid;

/// Means and counts in full.
const VERBOSE: u32 = 1;

/// The distances of means as floats, counts of seven bits a byte.
const SMALL: u32 = 2;

/// How much Metron's digests are compressed.
const COMPRESSION: f64 = 150.0;

/// The centroids of a digest of `length` bytes; what follows them is passed over.
pub fn read(input: &mut Input<'_>, length: usize) -> Outcome<Vec<Centroid>> {
    let start = input.offset();
    let bytes = input.take(length)?;
    let mut inner = Input::new(bytes);
    let centroids = centroids(&mut inner);
    centroids.ok_or_else(|| damaged(start, "a t-digest is damaged"))
}

fn centroids(input: &mut Input<'_>) -> Option<Vec<Centroid>> {
    let encoding = u32::from_be_bytes(input.array().ok()?);
    input.double().ok()?;
    let count = u32::from_be_bytes(input.array().ok()?) as usize;
    // Each takes at least five bytes, so a wrong number asks for no memory.
    if count > input.left() / 5 {
        return None;
    }
    let mut means = Vec::with_capacity(count);
    let mut last = 0.0;
    for _ in 0..count {
        means.push(match encoding {
            VERBOSE => input.double().ok()?,
            SMALL => {
                last += f64::from(f32::from_be_bytes(input.array().ok()?));
                last
            }
            _ => return None,
        });
    }
    let mut centroids = Vec::with_capacity(count);
    for mean in means {
        let count = match encoding {
            VERBOSE => u32::from_be_bytes(input.array().ok()?),
            _ => input.varint().ok()?,
        };
        let count = u64::from(count);
        // Java's numbers are signed.
        if !mean.is_finite() || count == 0 || i32::try_from(count).is_err() {
            return None;
        }
        centroids.push(Centroid { mean, count });
    }
    Some(centroids)
}

/// Appends the length of a digest and the digest.
pub fn write(centroids: &[Centroid], out: &mut Vec<u8>) {
    // Java counts with 31 bits: what is more goes into several centroids.
    let most = i32::MAX as u64;
    let parts = |c: &Centroid| {
        let (mean, full, rest) = (c.mean, c.count / most, c.count % most);
        (0..full)
            .map(move |_| (mean, most as u32))
            .chain((rest > 0).then_some((mean, rest as u32)))
    };
    let count: usize = centroids.iter().map(|c| parts(c).count()).sum();
    out.extend((count as u32 * 12 + 16).to_be_bytes());
    out.extend(VERBOSE.to_be_bytes());
    out.extend(COMPRESSION.to_be_bytes());
    out.extend((count as u32).to_be_bytes());
    for (mean, _) in centroids.iter().flat_map(parts) {
        out.extend(mean.to_be_bytes());
    }
    for (_, count) in centroids.iter().flat_map(parts) {
        out.extend(count.to_be_bytes());
    }
}
