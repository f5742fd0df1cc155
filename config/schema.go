package config

import (
	"bytes"
	"encoding/json"
	"maps"
)

// schema is a part of a JSON Schema.
type schema map[string]any

// with returns the schema with more keywords.
func (s schema) with(more schema) schema {
	all := maps.Clone(s)
	maps.Copy(all, more)
	return all
}

// schemaID is where the schema can be found.
const schemaID = "https://raw.githubusercontent.com/hawser-ha/hawser/main/share/hawser.schema.json"

// Schema returns the JSON Schema of hawser.yaml: draft 7, the newest that the YAML plug-ins of
// editors have in common. It refuses less than Parse: it cannot compare values with each other.
func Schema() ([]byte, error) {
	root := section(new(File).keys()).with(schema{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"$id":         schemaID,
		"title":       "hawser.yaml",
		"description": "What a cluster of HAProxy load balancers should run",
		"type":        "object",
	})
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(root)
	return b.Bytes(), err
}

// section is the schema of a mapping with the keys. It may be empty, as in "haproxy:".
func section(keys []key) schema {
	properties := schema{}
	var required []string
	for _, k := range keys {
		property := k.kind.schema.with(schema{"description": k.description(false)})
		if property["type"] == "integer" {
			property["default"] = json.Number(k.def)
		} else {
			property["default"] = k.def
		}
		if k.def == "" {
			delete(property, "default")
		}
		properties[k.name] = property
		if k.required {
			required = append(required, k.name)
		}
	}
	s := schema{
		"type":                 []string{"object", "null"},
		"properties":           properties,
		"additionalProperties": false,
	}
	if required != nil {
		s["type"], s["required"] = "object", required
	}
	return s
}
