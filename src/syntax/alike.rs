//! Whether two trees say the same.

use super::tree::{Expr, ExprKind};

/// Whether two trees are the same apart from spans; parentheses count, NaN equals NaN.
///
/// A loop with a stack of its own, so that the depth of the trees does not matter.
pub fn alike(left: &Expr, right: &Expr) -> bool {
    let mut pairs = vec![(left, right)];
    while let Some((a, b)) = pairs.pop() {
        if !same_form(&a.kind, &b.kind) {
            return false;
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        a.children(|x| left.push(x));
        b.children(|x| right.push(x));
        if left.len() != right.len() {
            return false;
        }
        pairs.extend(left.into_iter().zip(right));
    }
    true
}

/// Whether two nodes are the same, their parts left aside.
fn same_form(a: &ExprKind, b: &ExprKind) -> bool {
    use ExprKind as K;
    match (a, b) {
        (K::Null, K::Null)
        | (K::Negate(_), K::Negate(_))
        | (K::Not(_), K::Not(_))
        | (K::Group(_), K::Group(_))
        | (K::Match { .. }, K::Match { .. })
        | (K::List(_), K::List(_))
        | (K::Map(_), K::Map(_)) => true,
        (K::Bool(a), K::Bool(b)) => a == b,
        (K::Int(a), K::Int(b)) => a == b,
        (K::Long(a), K::Long(b)) => a == b,
        (K::Float(a), K::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (K::Double(a), K::Double(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (K::Text(a), K::Text(b)) | (K::Name(a), K::Name(b)) | (K::Exists(a), K::Exists(b)) => {
            a == b
        }
        (K::Arithmetic(_, a), K::Arithmetic(_, b)) => {
            a.iter().map(|(op, _)| op).eq(b.iter().map(|(op, _)| op))
        }
        (K::Comparison(_, a), K::Comparison(_, b)) => {
            a.iter().map(|(op, _)| op).eq(b.iter().map(|(op, _)| op))
        }
        (K::Logic(_, a), K::Logic(_, b)) => a == b,
        (K::In { negated: a, .. }, K::In { negated: b, .. }) => a == b,
        (
            K::Conditional {
                words: a,
                branches: x,
                ..
            },
            K::Conditional {
                words: b,
                branches: y,
                ..
            },
        ) => a == b && x.len() == y.len(),
        (K::Call { name: a, .. }, K::Call { name: b, .. }) => a == b,
        (K::Lambda { parameters: a, .. }, K::Lambda { parameters: b, .. }) => a
            .iter()
            .map(|(name, _)| name)
            .eq(b.iter().map(|(name, _)| name)),
        _ => false,
    }
}
