//! A search that can be stopped, for long texts and large expressions.

use super::{MAX_CACHE, MAX_PROGRAM, parse};
use parking_lot::Mutex;
use regex_automata::Input;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};

/// How many bytes are looked at before asking whether to go on.
const STRIDE: usize = 256;

/// An automaton whose states are made as they are needed, walked byte by byte.
#[derive(Debug)]
pub(super) struct Patient {
    automaton: DFA,
    /// The states made so far, for whoever searches next.
    states: Mutex<Option<Cache>>,
}

impl Patient {
    /// Makes it of a pattern that was compiled before.
    pub fn new(pattern: &str) -> Option<Patient> {
        let hir = parse::parse(pattern).ok()?;
        let config = thompson::Config::new()
            .nfa_size_limit(Some(MAX_PROGRAM))
            .which_captures(WhichCaptures::None);
        let nfa: NFA = thompson::Compiler::new()
            .configure(config)
            .build_from_hir(&hir)
            .ok()?;
        let config = Config::new()
            .cache_capacity(MAX_CACHE)
            .skip_cache_capacity_check(true);
        let automaton = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        Some(Patient {
            automaton,
            states: Mutex::new(None),
        })
    }

    /// Whether the expression fits anywhere; `None` when `go_on` says no before.
    pub fn is_match_while(&self, text: &[u8], go_on: impl FnMut() -> bool) -> Option<bool> {
        let kept = self.states.lock().take();
        let mut cache = kept.unwrap_or_else(|| self.automaton.create_cache());
        let found = self.walk(&mut cache, text, go_on);
        *self.states.lock() = Some(cache);
        found
    }

    fn walk(
        &self,
        cache: &mut Cache,
        text: &[u8],
        mut go_on: impl FnMut() -> bool,
    ) -> Option<bool> {
        let automaton = &self.automaton;
        let mut state = automaton
            .start_state_forward(cache, &Input::new(text))
            .ok()?;
        for stride in text.chunks(STRIDE) {
            if !go_on() {
                return None;
            }
            for byte in stride {
                state = automaton.next_state(cache, state, *byte).ok()?;
                if state.is_match() {
                    return Some(true);
                }
                if state.is_dead() {
                    return Some(false);
                }
            }
        }
        let last = automaton.next_eoi_state(cache, state).ok()?;
        Some(last.is_match())
    }
}
