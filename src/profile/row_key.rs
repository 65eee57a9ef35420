//! The row keys of HBase, as Metron's `SaltyRowKeyBuilder` makes them.
//!
//! Salt, profile, entity, groups and the number of the period stand one behind the other without lengths or separators.

use md5::{Digest, Md5};

/// What spreads the rows of a period over regions: a number within `divisor` of 0 that hangs on the period alone.
/// `None` for a divisor of 0.
pub fn salt(period: i64, divisor: i32) -> Option<i32> {
    let digest = Md5::digest(period.to_be_bytes());
    let [first, second, ..] = digest.0;
    i32::from(i16::from_be_bytes([first, second])).checked_rem(divisor)
}

/// The key of a row; `groups` are the texts of all groups in one. `None` for a divisor of 0.
pub fn row_key(
    divisor: i32,
    profile: &str,
    entity: &str,
    groups: &str,
    period: i64,
) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(12 + profile.len() + entity.len() + groups.len());
    key.extend(salt(period, divisor)?.to_be_bytes());
    for text in [profile, entity, groups] {
        key.extend(text.as_bytes());
    }
    key.extend(period.to_be_bytes());
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Recorded from Metron's class.
    #[test]
    fn salts_are_those_of_metron() {
        let known: [(i64, u32, i32); 8] = [
            (0, 0x0000_00ea, 4),
            (1, 0xffff_fe42, -6),
            (2, 0xffff_fde5, -9),
            (7, 0xffff_ff39, -9),
            (1_669_628, 0xffff_fcaa, -4),
            (1_795_340, 0xffff_fd87, -3),
            (i64::MAX, 0xffff_ffc7, -7),
            (-1, 0xffff_fd63, -9),
        ];
        for (period, of_thousand, of_ten) in known {
            assert_eq!(salt(period, 1000), Some(of_thousand as i32), "{period}");
            assert_eq!(salt(period, 10), Some(of_ten), "{period}");
            assert_eq!(salt(period, -10), Some(of_ten), "{period}");
            assert_eq!(salt(period, 1), Some(0), "{period}");
            assert_eq!(salt(period, 0), None, "{period}");
        }
        let from = 1_669_628;
        let negative = (from..from + 1000).filter(|n| salt(*n, 1000) < Some(0));
        assert_eq!(negative.count(), 499);
    }

    #[test]
    fn keys_are_those_of_metron() {
        let key = |groups| {
            hex(&row_key(1000, "profile", "entity", groups, 1_669_628).unwrap_or_default())
        };
        assert_eq!(
            key(""),
            "fffffcaa70726f66696c65656e7469747900000000001979fc"
        );
        assert_eq!(
            key("weekends"),
            "fffffcaa70726f66696c65656e746974797765656b656e647300000000001979fc"
        );
        assert_eq!(
            key("38080.0truenull[1, 2]"),
            "fffffcaa70726f66696c65656e7469747933383038302e30747275656e756c6c5b312c20325d00000000001979fc"
        );
        let utf8 = row_key(1000, "pé", "e€", "", 1).unwrap_or_default();
        assert_eq!(hex(&utf8), "fffffe4270c3a965e282ac0000000000000001");
        assert_eq!(row_key(0, "p", "e", "", 1), None);
        // Nothing separates the parts.
        assert_eq!(
            row_key(1000, "p", "ge1", "", 1),
            row_key(1000, "pg", "e1", "", 1)
        );
    }
}
