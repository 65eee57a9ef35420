//! What evaluating a program may do beside giving a value.

use super::program::{Branches, CallNode, Container, In, LambdaCode, Node, Program};

/// What the functions in a program may do. Functions defined in the language count as those that may do everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effects {
    /// The value depends on the variables alone, and nothing is changed but collections among them.
    pub pure: bool,
    /// No function keeps, returns or changes collections among its arguments.
    pub borrows: bool,
    /// A function asks a server, and many of its questions are better asked together: see [`Later`](super::Later).
    pub asks: bool,
    /// Evaluating it twice does what evaluating it once does.
    pub repeats: bool,
}

impl Program {
    /// What evaluating it may do.
    pub fn effects(&self) -> Effects {
        let mut effects = Effects {
            pure: true,
            borrows: true,
            asks: false,
            repeats: true,
        };
        effects.see(&self.root);
        effects
    }
}

impl Effects {
    fn see(&mut self, node: &Node) {
        match node {
            Node::Constant(_) | Node::Slot(_) | Node::Local(_) | Node::Raise(_) => {}
            Node::Exists(inner) => self.see(inner),
            Node::Negate(inner) | Node::NullPlus(inner) => self.see(&inner.0),
            Node::Not(inner) => self.see(inner),
            Node::Traced(inner) => self.see(&inner.1),
            Node::Arithmetic(all) => {
                self.see(&all.first);
                all.rest.iter().for_each(|(_, node)| self.see(node));
            }
            Node::Binary(both) => {
                self.see(&both.left);
                self.see(&both.right);
            }
            Node::Comparison(all) => {
                self.see(&all.first);
                all.rest.iter().for_each(|(_, node)| self.see(node));
            }
            Node::CompareConstant(comparison) => self.see(&comparison.1),
            Node::Logic(all) => all.0.iter().for_each(|node| self.see(node)),
            Node::In(membership) => {
                let In {
                    item, container, ..
                } = membership.as_ref();
                self.see(item);
                if let Container::Node(node) = container {
                    self.see(node);
                }
            }
            Node::Branches(all) => {
                let Branches {
                    branches,
                    otherwise,
                    ..
                } = all.as_ref();
                for (condition, result) in branches {
                    self.see(condition);
                    self.see(result);
                }
                self.see(otherwise);
            }
            Node::List(items) => items.iter().for_each(|node| self.see(node)),
            Node::Map(entries) => {
                for (key, value) in entries {
                    self.see(key);
                    self.see(value);
                }
            }
            Node::Call(call) => {
                let CallNode {
                    builtin, arguments, ..
                } = call.as_ref();
                self.pure &= builtin.pure;
                self.borrows &= builtin.borrows;
                self.asks |= builtin.asks;
                self.repeats &= builtin.repeats;
                arguments.iter().for_each(|node| self.see(node));
            }
            Node::CallByName(_) => {
                (self.pure, self.borrows, self.repeats) = (false, false, false);
            }
            Node::Lambda(code) => {
                let LambdaCode { body, .. } = code.as_ref();
                self.see(body);
            }
        }
    }
}
