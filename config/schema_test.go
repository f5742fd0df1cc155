package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/golden"
)

const schemaFile = "../share/hawser.schema.json"

// TestSchema has a library read the schema, and hold it against every file of the tests: what Parse
// accepts it must accept, and what Parse refuses it must refuse, as far as a JSON Schema can say it.
func TestSchema(t *testing.T) {
	text, err := Schema()
	require.NoError(t, err)
	golden.File(t, schemaFile, string(text))

	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("hawser.schema.json", document))
	compiled, err := compiler.Compile("hawser.schema.json")
	require.NoError(t, err)

	for name, text := range accepted() {
		value, err := decode(text)
		require.NoError(t, err, name)
		require.NoError(t, compiled.Validate(value), "%s:\n%s", name, text)
	}
	for _, r := range refusals() {
		value, err := decode(r.text)
		if err == nil {
			err = compiled.Validate(value)
		}
		require.Equal(t, r.beyondSchema, err == nil, "%s:\n%s\n%v", r.name, r.text, err)
	}
}

// decode reads a file as an editor does: YAML's values as those of JSON.
func decode(text string) (any, error) {
	var value any
	decoder := yaml.NewDecoder(strings.NewReader(text), yaml.AllowDuplicateMapKey())
	if err := decoder.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
}
