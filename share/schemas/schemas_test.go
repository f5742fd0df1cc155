package schemas_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/adopt"
	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/cluster/draft"
	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/cluster/move"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/cluster/quorum"
	"github.com/hawser-ha/hawser/cluster/rollout"
	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/golden"
	"github.com/hawser-ha/hawser/internal/jsonout"
	"github.com/hawser-ha/hawser/internal/jsonschema"
	"github.com/hawser-ha/hawser/keepalived"
	"github.com/hawser-ha/hawser/share/schemas"
)

const (
	module = "github.com/hawser-ha/hawser"
	where  = "https://raw.githubusercontent.com/hawser-ha/hawser/main/share/schemas/"
	suffix = ".schema.json"
)

// documents are the objects of the commands: the name of the schema, the commands that print it, and
// the type beside the envelope, nil for an error alone.
var documents = []struct {
	name, command string
	report        reflect.Type
}{
	{"plan", "`plan`", reflect.TypeFor[deploy.Report]()},
	{"apply", "`apply`", reflect.TypeFor[deploy.Applied]()},
	{"destroy", "`destroy`", reflect.TypeFor[deploy.Removed]()},
	{"adopt", "`adopt`", reflect.TypeFor[adopt.Report]()},
	{"init", "`init`", reflect.TypeFor[draft.Report]()},
	{"check", "`check`", reflect.TypeFor[config.Checked]()},
	{"import-crm", "`import crm`", reflect.TypeFor[adopt.Imported]()},
	{"import-keepalived", "`import keepalived`", reflect.TypeFor[keepalived.Report]()},
	{"status", "`status`", reflect.TypeFor[status.Report]()},
	{"reload", "`reload`", reflect.TypeFor[rollout.ReloadReport]()},
	{"reload-push", "`reload --push`, `reload --rollback`", reflect.TypeFor[rollout.PushReport]()},
	{"move", "`move`", reflect.TypeFor[move.Report]()},
	{"order", "`standby`, `online`, `maintenance`, `cleanup`, `stop`, `start`",
		reflect.TypeFor[order.Report]()},
	{"timing", "`timing`", reflect.TypeFor[corosync.Failover]()},
	{"doctor", "`doctor`", reflect.TypeFor[doctor.Report]()},
	{"doctor-list", "`doctor --list`", reflect.TypeFor[doctor.CheckList]()},
	{"quorum-status", "`quorum status`", reflect.TypeFor[quorum.Status]()},
	{"machines", "`quorum device add`, `quorum device remove`, `corosync add`, `corosync remove`",
		reflect.TypeFor[machines.Report]()},
	{"error", "what is no command", nil},
}

// schema makes the schema of a command's object.
func schema(t *testing.T, name, command string, report reflect.Type) []byte {
	t.Helper()
	m := jsonschema.New(module, filepath.Join("..", ".."))
	properties, always := m.Fields(reflect.TypeFor[jsonout.Envelope]())
	properties[0].Value = append(properties[0].Value.(jsonschema.Object),
		jsonschema.Member{Name: "const", Value: jsonout.SchemaVersion})
	failure, _ := m.Fields(reflect.TypeFor[jsonout.Ending]())
	either := []any{jsonschema.Object{{Name: "required", Value: []string{"error"}}}}
	if report != nil {
		own, required := m.Fields(report)
		for _, p := range own {
			if !slices.Contains(always, p.Name) { // the envelope describes it
				properties = append(properties, p)
			}
		}
		required = slices.DeleteFunc(required,
			func(name string) bool { return slices.Contains(always, name) })
		either = append(either, jsonschema.Object{{Name: "required", Value: required}})
	}
	properties = append(properties, failure...)
	s := jsonschema.Object{
		{Name: "$schema", Value: "https://json-schema.org/draft/2020-12/schema"},
		{Name: "$id", Value: where + name + suffix},
		{Name: "title", Value: "--json of " + strings.ReplaceAll(command, "`", "")},
		{Name: "type", Value: "object"},
		{Name: "properties", Value: properties},
		{Name: "required", Value: always},
		{Name: "anyOf", Value: either},
		{Name: "$defs", Value: m.Defs()},
	}
	require.NoError(t, m.Err())
	text, err := jsonschema.Text(s)
	require.NoError(t, err)
	return text
}

// TestSchemas makes the schemas of the types, and has a library read them.
func TestSchemas(t *testing.T) {
	for _, d := range documents {
		text := schema(t, d.name, d.command, d.report)
		golden.File(t, d.name+suffix, string(text))
		document, err := validator.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err)
		compiler := validator.NewCompiler()
		require.NoError(t, compiler.AddResource(where+d.name+suffix, document))
		_, err = compiler.Compile(where + d.name + suffix)
		require.NoError(t, err, d.name)
	}
	table := "| command | fields |\n|---|---|\n"
	for _, d := range documents {
		if d.report != nil {
			m := jsonschema.New(module, filepath.Join("..", ".."))
			own, _ := m.Fields(d.report)
			var names []string
			for _, p := range own {
				if p.Name != "time" && p.Name != "node" {
					names = append(names, "`"+p.Name+"`")
				}
			}
			table += "| " + d.command + " | " + strings.Join(names, ", ") + " |\n"
		}
	}
	golden.Part(t, "../../docs/json.md", "<!-- fields: written by HAWSER_UPDATE=1 go test "+
		"./share/schemas -->\n", "<!-- fields: end -->", table)
	files, err := filepath.Glob("*" + suffix)
	require.NoError(t, err)
	require.Len(t, files, len(documents), "each file is one of these")
}

// Each command has a schema, and each schema a command.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range schemas.Names() {
		text := schemas.Of(name)
		require.NotEmpty(t, text, name)
		seen[string(text)] = true
	}
	require.Len(t, seen, len(documents))
	require.Nil(t, schemas.Of("../schemas/plan"))
	require.Nil(t, schemas.Of("nosuch"))
}
