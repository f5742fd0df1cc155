// Package schemastest holds what a command has printed with --json against its schema. It is for
// tests.
//
// It imports schemas. There is only this file.
package schemastest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hawser-ha/hawser/share/schemas"
)

// mostWords is how many words a command's name has at most.
const mostWords = 3

// schemaOf is the name of the schema of what a command line prints.
func schemaOf(args []string) string {
	name := "error"
	for n := min(len(args)-1, mostWords); n > 1; n-- {
		if words := strings.Join(args[1:n+1], "-"); slices.Contains(schemas.Names(), words) {
			return words
		}
	}
	for _, word := range args[1:] {
		if slices.Contains(schemas.Names(), word) {
			name = word
			break
		}
	}
	has := func(option string) bool {
		return slices.ContainsFunc(args, func(word string) bool {
			return strings.TrimLeft(strings.SplitN(word, "=", 2)[0], "-") == option
		})
	}
	switch {
	case len(args) > 2 && args[1] == "import" && slices.Contains(schemas.Names(), "import-"+args[2]):
		name = "import-" + args[2]
	case name == "doctor" && has("list"):
		name = "doctor-list"
	case name == "reload" && (has("push") || has("rollback")):
		name = "reload-push"
	}
	return name
}

// Conforms is why what a command line has printed is not the one object that its schema describes,
// nil if it is. Here a field that the schema does not know is wrong too.
func Conforms(args []string, output []byte) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Of(schemaOf(args))))
	if err != nil {
		return err
	}
	closed(schema)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("schema.json", schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(output))
	d.UseNumber()
	var value, more any
	if err := d.Decode(&value); err != nil {
		return fmt.Errorf("this is no JSON: %w:\n%s", err, output)
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more than one object:\n%s", output)
	}
	if err := compiled.Validate(value); err != nil {
		return fmt.Errorf("schema %s: %w\n%s", schemaOf(args), err, output)
	}
	return nil
}

// closed refuses properties that a schema does not name, in it and in all that it consists of.
func closed(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, object := s["properties"]; object {
			s["additionalProperties"] = false
		}
		for _, part := range s {
			closed(part)
		}
	case []any:
		for _, part := range s {
			closed(part)
		}
	}
}
