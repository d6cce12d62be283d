"""What an editor does with a JSON Schema, as far as ours go; a keyword that it does not know is an error."""

import re
from typing import Any

_ANNOTATIONS = {"title", "description", "default", "$schema", "$defs", "format", "discriminator", "examples"}
_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def mistakes(schema: dict[str, Any], value: Any, root: dict[str, Any] | None = None, at: str = "") -> list[str]:
    """Everything in `value` that the schema does not allow."""
    root = root or schema
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        return mistakes(target, value, root, at)
    found: list[str] = []
    for keyword, rule in schema.items():
        found += _judge(keyword, rule, schema, value, root, at)
    return found


def _judge(keyword: str, rule: Any, schema: dict[str, Any], value: Any, root: dict[str, Any], at: str) -> list[str]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match keyword:
        case "type":
            ok = isinstance(value, _TYPES[rule]) and (rule == "boolean" or not isinstance(value, bool))
            return [] if ok else [f"{at}: not of type {rule}"]
        case "anyOf" | "oneOf":
            tries = [mistakes(each, value, root, at) for each in rule]
            fits = sum(not each for each in tries)
            return [] if fits == 1 or (fits > 1 and keyword == "anyOf") else [f"{at}: fits {fits} of {len(tries)}"]
        case "enum":
            return [] if value in rule else [f"{at}: {value!r} is none of {rule}"]
        case "const":
            return [] if value == rule else [f"{at}: {value!r} is not {rule!r}"]
        case "properties":
            known = value.items() if isinstance(value, dict) else ()
            return [m for key, each in known if key in rule for m in mistakes(rule[key], each, root, f"{at}.{key}")]
        case "patternProperties":
            known = value.items() if isinstance(value, dict) else ()
            found = [(key, each, its) for key, each in known for like, its in rule.items() if re.search(like, key)]
            return [m for key, each, its in found for m in mistakes(its, each, root, f"{at}.{key}")]
        case "required":
            return [f"{at}.{key}: missing" for key in rule if isinstance(value, dict) and key not in value]
        case "additionalProperties":
            others = set(value) - set(schema.get("properties", {})) if isinstance(value, dict) else set()
            others = {key for key in others if not any(re.search(p, key) for p in schema.get("patternProperties", ()))}
            if rule is False:
                return [f"{at}: unknown key {key}" for key in sorted(others)]
            return [m for key in others for m in mistakes(rule, value[key], root, f"{at}.{key}")] if rule else []
        case "propertyNames":
            return [m for key in value for m in mistakes(rule, key, root, at)] if isinstance(value, dict) else []
        case "items":
            first = len(schema.get("prefixItems", ()))
            rest = value[first:] if isinstance(value, list) else []
            return [m for k, each in enumerate(rest) for m in mistakes(rule, each, root, f"{at}[{k}]")]
        case "prefixItems":
            pairs = zip(rule, value, strict=False) if isinstance(value, list) else ()
            return [m for k, (each, it) in enumerate(pairs) for m in mistakes(each, it, root, f"{at}[{k}]")]
        case "minItems" | "minLength" | "minProperties":
            return [f"{at}: too few"] if isinstance(value, list | str | dict) and len(value) < rule else []
        case "maxItems" | "maxLength":
            return [f"{at}: too many"] if isinstance(value, list | str) and len(value) > rule else []
        case "minimum" | "exclusiveMinimum":
            low = number and (value <= rule if keyword.startswith("ex") else value < rule)
            return [f"{at}: below {rule}"] if low else []
        case "maximum" | "exclusiveMaximum":
            high = number and (value >= rule if keyword.startswith("ex") else value > rule)
            return [f"{at}: above {rule}"] if high else []
        case "pattern":
            return [f"{at}: not like {rule}"] if isinstance(value, str) and not re.search(rule, value) else []
        case _ if keyword in _ANNOTATIONS:
            return []
    raise AssertionError(f"no editor was taught {keyword}")
