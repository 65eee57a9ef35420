use super::*;
use crate::diagnostic::plain;

fn load(text: &str) -> Result<File, Vec<Fault>> {
    let source = Arc::new(Source::named("p.yaml", text));
    let actions = Actions::new(&[crate::pipeline::actions::ACTIONS]);
    from_source(&source, &actions)
}

fn faults(text: &str) -> String {
    let faults = load(text).err().unwrap_or_default();
    let texts: Vec<String> = faults.iter().map(|fault| plain(fault)).collect();
    texts.join("\n")
}

#[test]
fn all_faults_come_at_once_with_places_and_suggestions() {
    let text = "pipelines:\n  a:\n    - {name: input_dumy, tag: a}\n  b:\n    - {name: input_dummy, data: {x: 1}, bogus: 1}\n    - {name: parser_json, match: b, key: c, mode: mergee}\nvariable: {}\n";
    let found = faults(text);
    for part in [
        "no action is named input_dumy",
        "did you mean input_dummy?",
        "input_dummy has no parameter bogus",
        "input_dummy lacks tag",
        "did you mean merge?",
        "a file has no key variable",
        "did you mean variables?",
        "p.yaml:3:14",
    ] {
        assert!(found.contains(part), "{part} in\n{found}");
    }
}

#[test]
fn variables_are_filled_into_values() {
    let file = load(
        "variables: {who: world, n: 42}\npipelines:\n  a:\n    - {name: input_dummy, tag: '{who}_tag', data: {'{who}': '{n}{{x}} {unknown}', b: 'a{3}b'}}\n",
    );
    let file = file.unwrap();
    let step = &file.pipelines[0].steps[0];
    assert_eq!(step.parameters.text("tag").unwrap(), "world_tag");
    let data = step.parameters.map("data");
    assert_eq!(data[0].0.as_text(), Some("{who}"));
    assert_eq!(data[0].1.as_text(), Some("42{x} {unknown}"));
    assert_eq!(data[1].1.as_text(), Some("a{3}b"));
}

#[test]
fn empty_files_and_other_shapes_are_faults() {
    assert!(faults("").contains("holds nothing"));
    assert!(faults("[1]").contains("a file of pipelines is a map"));
    assert!(faults("variables: {}").contains("has no pipelines"));
    assert!(faults("pipelines: {a: 1}").contains("is a list of steps"));
    assert!(faults("pipelines: {a: [{match: b}]}").contains("needs the name of an action"));
}

#[test]
fn secrets_are_not_shown() {
    for text in [
        "pipelines:\n  a:\n    - {name: output_forward, match: a, shared_key: geheim, bogus: 1}\n",
        "pipelines:\n  a:\n    - {name: input_forward, bogus: 1, shared_key: geheim, users: {joe: geheim}}\n",
        "pipelines:\n  a:\n    - {name: output_forward, match: a, username: x, password: geheim}\n      broken: [\n",
        "pipelines:\n  a:\n    - name: input_forward\n      users: geheim\n      port: x\n",
        "pipelines:\n  a:\n    - name: input_forward\n      shared_key: ${GEHEIM_IS_NOT_SET}\n      host: [\n",
    ] {
        let found = faults(text);
        assert!(found.contains("p.yaml:"), "{text}\n{found}");
        assert!(!found.to_lowercase().contains("geheim"), "{text}\n{found}");
    }
}

#[test]
fn variables_do_not_fill_the_memory() {
    let file = format!(
        "variables: {{x: {}}}\npipelines:\n  a:\n    - {{name: input_dummy, tag: t, data: {{a: '{}'}}}}\n",
        "v".repeat(100_000),
        "{x}".repeat(20_000)
    );
    assert!(faults(&file).contains("too many bytes"));
}

#[test]
fn keys_that_stand_twice_are_told() {
    let text = "x: &x {tag: b}\npipelines:\n  a:\n    - {name: input_dummy, tag: a, data: {k: 1, k: 2}}\n  a:\n    - {<<: *x, name: input_dummy, tag: a, tag: c, data: 1}\n";
    let text = text.replace("x: &x {tag: b}\n", "variables: &x {tag: b}\n");
    let file = load(&text).unwrap();
    let at = |fault: &Fault| {
        let at = fault.position().unwrap();
        assert!(fault.message.contains("second time"), "{}", fault.message);
        (at.line, at.column)
    };
    let places: Vec<_> = file.warnings.iter().map(at).collect();
    // What a merge brings may be given anew.
    assert_eq!(places, [(4, 48), (6, 43), (5, 3)]);
    assert_eq!(file.pipelines.len(), 1);
}

#[test]
fn numbers_that_cannot_be_are_named() {
    let text = "pipelines:\n  a:\n    - {name: input_dummy, tag: a, data: {}}\n    - {name: filter_spike, match: a, tag: 3, alert: {}, spike_height: .nan, spike_type: up, timeframe: -5}\n    - {name: filter_frequency, match: a, tag: b, alert: {}, num_events: 99999999999999999999, timeframe: 1}\n";
    let found = faults(text);
    for part in [
        "tag is a text, not an integer",
        "spike_height is a number, not NaN",
        "text such as 5m, not -5",
        "num_events is a whole number, not 99999999999999999999",
    ] {
        assert!(found.contains(part), "{part} in\n{found}");
    }
}
