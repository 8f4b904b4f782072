//! Does a patched object still have the types of its kind?
//!
//! After a strategic merge the server reads the result field by field, not as JSON, and has words of its own for what does not
//! fit. Source: apimachinery `pkg/runtime/converter.go`, 1.34.

use serde_json::Value;

use crate::{
    Kind,
    decode::illegal_base64,
    schema::{self, FieldSchema, Type, TypeSchema},
};

/// What is wrong with the first value that has not the type of its field. Types that read themselves, such as quantities and
/// times, are not looked at.
/// # Errors
/// The converter's words.
pub fn restore(kind: Kind, patched: &Value) -> Result<(), String> {
    match (schema::root(kind), patched) {
        (Some(schema), Value::Object(_)) => object(schema, patched),
        _ => Ok(()),
    }
}

fn object(schema: &TypeSchema, value: &Value) -> Result<(), String> {
    let Value::Object(fields) = value else {
        return Err(format!("cannot restore struct from: {}", kind_of(value)));
    };
    fields
        .iter()
        .filter_map(|(name, value)| Some((schema.field(name)?, value)))
        .try_for_each(|(field, value)| typed(&field.ty, field, false, value))
}

fn typed(ty: &Type, field: &FieldSchema, item: bool, value: &Value) -> Result<(), String> {
    let go = || if item { field.go_item() } else { field.go_type() };
    match (ty, value) {
        (_, Value::Null)
        | (Type::Any | Type::Quantity | Type::IntOrString | Type::Time | Type::MicroTime, _)
        | (Type::Text, Value::String(_))
        | (Type::Boolean, Value::Bool(_))
        | (Type::Float, Value::Number(_)) => Ok(()),
        (Type::Int32 | Type::Int64, Value::Number(number)) => {
            let whole = number.as_f64().is_none_or(|number| number.fract() == 0.0);
            if whole { Ok(()) } else { Err(format!("cannot convert float64 to {}", go())) }
        }
        // UPSTREAM: Go would make a character of a number, so that this is a conversion which is not wanted.
        (Type::Text, Value::Number(number)) if !number.is_f64() => {
            Err(format!("cannot convert int64 to {}", go()))
        }
        (Type::Bytes, Value::String(text)) => match illegal_base64(text) {
            Some(at) => Err(format!("error decoding from json: illegal base64 data at input byte {at}")),
            None => Ok(()),
        },
        (Type::List(ty), Value::Array(items)) => {
            items.iter().try_for_each(|value| typed(ty, field, true, value))
        }
        (Type::Map(ty), Value::Object(entries)) => {
            entries.values().try_for_each(|value| typed(ty, field, true, value))
        }
        (Type::List(_) | Type::Bytes, _) => Err(format!("cannot restore slice from {}", kind_of(value))),
        (Type::Map(_), _) => Err(format!("cannot restore map from {}", kind_of(value))),
        (Type::Object(id), value) => object(id.schema(), value),
        (Type::Text, _) => Err("unrecognized type: string".to_owned()),
        (Type::Boolean, _) => Err("unrecognized type: bool".to_owned()),
        (Type::Int32, _) => Err("unrecognized type: int32".to_owned()),
        (Type::Int64, _) => Err("unrecognized type: int64".to_owned()),
        (Type::Float, _) => Err("unrecognized type: float64".to_owned()),
    }
}

/// The kind of a decoded value, as Go's reflection names it.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_type_that_does_not_fit_has_its_words() {
        let said = |value: Value| restore(Kind::Deployment, &value).expect_err("refused");
        assert_eq!(said(json!({"spec": {"replicas": "three"}})), "unrecognized type: int32");
        assert_eq!(said(json!({"metadata": {"annotations": {"k": 5}}})), "cannot convert int64 to string");
        assert_eq!(said(json!({"metadata": {"labels": {"k": true}}})), "unrecognized type: string");
        let containers = json!({"spec": {"template": {"spec": {"containers": "x"}}}});
        assert_eq!(said(containers), "cannot restore slice from string");
        assert_eq!(said(json!({"spec": {"selector": []}})), "cannot restore struct from: slice");
        assert_eq!(said(json!({"metadata": {"labels": "x"}})), "cannot restore map from string");
        let policy = json!({"spec": {"template": {"spec": {"restartPolicy": 1}}}});
        assert_eq!(said(policy), "cannot convert int64 to v1.RestartPolicy");
        assert_eq!(restore(Kind::Deployment, &json!({"spec": {"replicas": 3}})), Ok(()));
        let secret = restore(Kind::Secret, &json!({"data": {"x": "!!"}})).expect_err("refused");
        assert_eq!(secret, "error decoding from json: illegal base64 data at input byte 0");
    }
}
