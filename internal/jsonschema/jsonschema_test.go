package jsonschema_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/jsonschema"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func maker() *jsonschema.Maker {
	return jsonschema.New("github.com/hawser-ha/hawser", filepath.Join("..", ".."))
}

// What nobody has described is an error, and so is what a program could not rely on.
func TestWhatIsNotDescribed(t *testing.T) {
	m := maker()
	m.Fields(reflect.TypeFor[crm.Action]())
	require.ErrorContains(t, m.Err(), "crm.Action.Task has no name for JSON")

	m = maker()
	m.Fields(reflect.TypeFor[struct {
		Here string `json:"here"`
	}]())
	require.Error(t, m.Err(), "a type without a name has no comments")

	type local struct {
		Maybe *string        `json:"maybe"`
		Any   map[string]any `json:"any"`
	}
	m = maker()
	m.Fields(reflect.TypeFor[local]())
	require.ErrorContains(t, m.Err(), "Maybe may be null")
	require.ErrorContains(t, m.Err(), "map[string]interface {} is described by nothing here")
}

func TestText(t *testing.T) {
	text, err := jsonschema.Text(jsonschema.Object{
		{Name: "type", Value: "type"}, {Name: "<a> & \"b\"", Value: []int{1}},
		{Name: "inner", Value: jsonschema.Object{}},
	})
	require.NoError(t, err)
	require.Equal(t, "{\n  \"type\": \"type\",\n  \"<a> & \\\"b\\\"\": [\n    1\n  ],\n  \"inner\": {}\n}\n",
		string(text))
}

// The comment of a type is said of what programs read, without the type's name.
func TestDescribe(t *testing.T) {
	m := maker()
	require.Equal(t, "how an operation ended.", m.Describe(reflect.TypeFor[outcome.Kind]()))
	require.NoError(t, m.Err())
}
