//! Functions of Metron that this program does not have: what they are for, and what to use instead.

/// Functions whose names begin alike.
struct Absent {
    /// The whole name, or with `_` at the end the beginning of several.
    name: &'static str,
    /// Why they are not here: what follows the name in a sentence.
    because: &'static str,
    /// What to do instead.
    instead: &'static str,
}

const ABSENT: &[Absent] = &[
    Absent {
        name: "CONFIG_GET",
        because: "reads the configuration of a Metron cluster from ZooKeeper, which is not part of this program",
        instead: "settings stand in stellar.toml: %globals shows the globals, `stellar doctor` all that is configured",
    },
    Absent {
        name: "CONFIG_PUT",
        because: "writes the configuration of a Metron cluster to ZooKeeper, which is not part of this program",
        instead: "change stellar.toml; in the shell, %define NAME := value sets a global",
    },
    Absent {
        name: "PARSER_",
        because: "runs or configures parsers of a Metron cluster, which are not part of this program",
        instead: "GROK_MAP and TO_JSON_MAP take lines apart; `stellar map` reads JSON, CSV, TSV and Zeek logs",
    },
    Absent {
        name: "INDEXING_",
        because: "configures the indexing of a Metron cluster, which is not part of this program",
        instead: "the results of `stellar map` and `stellar filter` go to files with -o FILE",
    },
    Absent {
        name: "ENRICHMENT_STELLAR_TRANSFORM_",
        because: "configures the enrichment of a Metron cluster, which is not part of this program",
        instead: "`stellar map --set FIELD=EXPR` adds fields to events; ENRICHMENT_GET looks up what `stellar enrich load` stored",
    },
    Absent {
        name: "HDFS_",
        because: "works on the distributed file system of a Metron cluster, which is not part of this program",
        instead: "LOCAL_READ, LOCAL_READ_LINES, LOCAL_WRITE, LOCAL_LS and LOCAL_RM work on the files that functions.files allows",
    },
    Absent {
        name: "BYTEARRAY_MATCHER",
        because: "searches raw bytes, and values here have none",
        instead: "write the bytes as hexadecimal text and use REGEXP_MATCH, such as REGEXP_MATCH(hex, '(..)*4d5a.*')",
    },
    Absent {
        name: "KAFKA_",
        because: "is not there yet: this version cannot speak to Kafka",
        instead: "pipe messages in, for example from kcat: kcat -C -t TOPIC | stellar filter EXPR",
    },
];

/// What to say, with a hint, of a function that is known but not here.
pub fn absent(name: &str) -> Option<(String, String)> {
    let found = ABSENT.iter().find(|absent| match absent.name {
        many if many.ends_with('_') => name.len() > many.len() && name.starts_with(many),
        one => name == one,
    })?;
    Some((
        format!("{name} {}", found.because),
        found.instead.to_string(),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::engine::Engine;

    #[test]
    fn calling_one_says_what_to_use_instead() {
        let engine = Engine::bare();
        for (call, words) in [
            ("CONFIG_GET('GLOBAL')", "%globals"),
            ("CONFIG_PUT('GLOBAL', '{}')", "%define"),
            ("PARSER_INIT('bro')", "GROK_MAP"),
            ("INDEXING_SET_BATCH('{}', 'hdfs')", "stellar map"),
            (
                "ENRICHMENT_STELLAR_TRANSFORM_PRINT('{}', 'ENRICHMENT')",
                "--set",
            ),
            ("HDFS_READ('/x')", "LOCAL_READ"),
            ("KAFKA_GET('topic')", "kcat"),
        ] {
            let fault = engine.evaluate(call).unwrap_err();
            assert_eq!(fault.code.name(), "E0220", "{call}");
            assert!(
                fault.help.clone().unwrap().contains(words),
                "{call}: {fault:?}"
            );
            let name = call.split('(').next().unwrap();
            assert!(fault.message.starts_with(name), "{}", fault.message);
        }
    }

    #[test]
    fn other_names_stay_unknown() {
        let engine = Engine::bare();
        for name in [
            "CONFIG_GETS",
            "KAFKA_",
            "PARSER",
            "kafka_get",
            "ENRICHMENT_GETS",
        ] {
            assert!(absent(name).is_none(), "{name}");
            let fault = engine.evaluate(&format!("{name}(1)")).unwrap_err();
            assert_eq!(fault.code.name(), "E0201", "{name}");
        }
        // An untaken branch does not matter.
        let value = engine.evaluate("if true then 1 else HDFS_LS('/')").unwrap();
        assert_eq!(crate::eval::text::to_text(&value), "1");
    }

    #[test]
    fn none_of_them_exists() {
        let engine = Engine::bare();
        for spec in engine.registry.specs() {
            assert!(absent(spec.name).is_none(), "{}", spec.name);
        }
    }

    #[test]
    fn help_says_the_same() {
        let engine = Engine::bare();
        let help = |name| crate::functions::help::help(&engine.registry, name, &engine.context);
        assert_eq!(help("CONFIG_GET").unwrap_err().code.name(), "E0220");
        assert!(help("NO_SUCH").unwrap().is_none());
    }
}
