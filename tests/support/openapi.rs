//! A document of OpenAPI against which every answer is held.

use serde_json::Value as Json;

/// What a server says of itself.
pub struct Described(pub Json);

impl Described {
    /// Makes sure that an answer, and a request that was taken, are as described.
    #[track_caller]
    pub fn check(&self, method: &str, path: &str, body: &[u8], status: u16, answer: &[u8]) {
        let path = path.split('?').next().unwrap();
        let Some(operation) = self.operation(method, path) else {
            // Nothing is there, and so it was told.
            assert!(
                matches!(status, 401 | 404 | 405),
                "{method} {path}: {status}"
            );
            return;
        };
        let told = &operation["responses"][status.to_string()];
        assert!(
            told.is_object(),
            "{method} {path}: {status} is not described"
        );
        let schema = &told["content"]["application/json"]["schema"];
        if schema.is_object() {
            let answer: Json = serde_json::from_slice(answer).unwrap();
            if let Err(why) = self.fits(&answer, schema, "") {
                panic!("{method} {path} {status}: {why}\n{answer}");
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_object() && status < 300 && !body.is_empty() {
            let text = std::str::from_utf8(body)
                .unwrap()
                .trim_start_matches('\u{feff}');
            let body: Json = serde_json::from_str(text).unwrap();
            if let Err(why) = self.fits(&body, schema, "") {
                panic!("{method} {path} was taken: {why}\n{body}");
            }
        }
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Json> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let open: Vec<&str> = template.split('/').collect();
            let fits = |(open, part): (&&str, &&str)| {
                open == part || (open.starts_with('{') && !part.is_empty())
            };
            open.len() == parts.len() && open.iter().zip(&parts).all(fits)
        };
        let paths = self.0["paths"].as_object().unwrap();
        let found = paths.iter().filter(|(template, _)| fits(template));
        let found = found.min_by_key(|(template, _)| template.matches('{').count());
        found?.1.get(method.to_lowercase())
    }

    /// The part of JSON Schema that the document uses; anything else in it fails.
    pub fn fits(&self, value: &Json, schema: &Json, at: &str) -> Result<(), String> {
        let no = |why: &str| Err(format!("{at}: {why}: {value}"));
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "description" | "format" => {}
                "$ref" => {
                    let name = rule
                        .as_str()
                        .unwrap()
                        .strip_prefix("#/components/schemas/")
                        .unwrap();
                    let meant = &self.0["components"]["schemas"][name];
                    assert!(meant.is_object(), "{name} is not described");
                    self.fits(value, meant, at)?;
                }
                "anyOf" | "oneOf" => {
                    let fitting = rule
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|one| self.fits(value, one, at));
                    let fitting: Vec<_> = fitting.collect();
                    if fitting.iter().all(Result::is_err) {
                        return Err(format!("{fitting:?}"));
                    }
                }
                "type" => {
                    let one = |kind: &Json| match kind.as_str().unwrap() {
                        "null" => value.is_null(),
                        "boolean" => value.is_boolean(),
                        "integer" => value.is_i64() || value.is_u64(),
                        "number" => value.is_number(),
                        "string" => value.is_string(),
                        "array" => value.is_array(),
                        "object" => value.is_object(),
                        other => panic!("{other}"),
                    };
                    if !(rule
                        .as_array()
                        .map_or_else(|| one(rule), |kinds| kinds.iter().any(one)))
                    {
                        return no(&format!("is not {rule}"));
                    }
                }
                "enum" => {
                    if !rule.as_array().unwrap().contains(value) {
                        return no(&format!("is none of {rule}"));
                    }
                }
                "properties" => {
                    for (name, schema) in rule.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.fits(value, schema, &format!("{at}.{name}"))?;
                        }
                    }
                }
                "required" => {
                    for name in rule.as_array().unwrap() {
                        if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                            return no(&format!("lacks {name}"));
                        }
                    }
                }
                "additionalProperties" => {
                    assert_eq!(rule, &Json::Bool(false));
                    for name in value.as_object().into_iter().flat_map(|map| map.keys()) {
                        if schema["properties"].get(name).is_none() {
                            return no(&format!("has {name}"));
                        }
                    }
                }
                "items" => {
                    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                        self.fits(value, rule, &format!("{at}.{index}"))?;
                    }
                }
                bound @ ("minimum" | "maximum") => {
                    let (value, rule) = (value.as_f64(), rule.as_f64().unwrap());
                    let bad = |value| {
                        if bound == "minimum" {
                            value < rule
                        } else {
                            value > rule
                        }
                    };
                    if value.is_some_and(bad) {
                        return no(bound);
                    }
                }
                bound @ ("minLength" | "maxLength" | "minItems" | "maxItems" | "maxProperties") => {
                    let size = match bound.get(3..).unwrap() {
                        "Length" => value.as_str().map(|text| text.chars().count()),
                        "Items" => value.as_array().map(Vec::len),
                        _ => value.as_object().map(serde_json::Map::len),
                    };
                    let rule = usize::try_from(rule.as_u64().unwrap()).unwrap();
                    let bad = |size| {
                        if bound.starts_with("min") {
                            size < rule
                        } else {
                            size > rule
                        }
                    };
                    if size.is_some_and(bad) {
                        return no(bound);
                    }
                }
                other => panic!("{other} in {schema}"),
            }
        }
        Ok(())
    }
}
