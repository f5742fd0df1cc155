package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// onlyJSON fails unless the output is one JSON object that says why there was a conflict, beside a
// report where there is something to report.
func onlyJSON(t *testing.T, output []byte, report bool) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(output))
	var value map[string]any
	require.NoError(t, d.Decode(&value), "%s", output)
	require.Equal(t, "conflict", value["error"].(map[string]any)["kind"], "%s", output)
	if report {
		require.Greater(t, len(value), 4, "%s", output)
	} else {
		require.Len(t, value, 4, "%s", output)
	}
	require.ErrorIs(t, d.Decode(&value), io.EOF, "there is more than JSON:\n%s", output)
}

// TestConflictsWithJSON: what the plan would be now is for people, so with --json it is not among
// what a program reads.
func TestConflictsWithJSON(t *testing.T) {
	// parameter sets a parameter of HAProxy, as another reload or push would.
	parameter := func(c *crmtest.Fake, name, value string) error {
		cib, err := c.Query(t.Context())
		if err != nil {
			return err
		}
		p, _ := cib.Primitive("haproxy")
		edited := *p
		edited.Params = append(crm.Attrs{}, p.Params...)
		edited.Params.Set(name, value)
		return c.Edit(&edited)
	}
	for _, tc := range []struct {
		name      string
		args      func(conf string) []string
		fresh     bool // nothing is configured yet
		meanwhile func(c *crmtest.Fake) error
		report    bool
		next      string // of the plan that there would be now
	}{
		{"apply", func(string) []string { return []string{"apply", "-f", lanConfig(t)} }, true,
			func(c *crmtest.Fake) error {
				return c.Edit(&crm.Property{Name: "stonith-enabled", Value: "false"})
			}, true, "primitive haproxy"},
		{"move", func(string) []string { return []string{"move", "FloatIP", "lb-2"} }, false,
			func(c *crmtest.Fake) error {
				return c.Edit(&crm.Location{Name: contract.MovePrefix + "FloatIP", Resource: "FloatIP",
					Score: "5", Node: "lb-2"})
			}, true, "location hawser-move-FloatIP"},
		{"reload", func(string) []string { return []string{"reload"} }, false,
			func(c *crmtest.Fake) error {
				return parameter(c, contract.ParamGeneration, "another")
			}, false, "primitive haproxy"},
		{"push", func(conf string) []string { return []string{"reload", "--push", conf} }, false,
			func(c *crmtest.Fake) error {
				return parameter(c, contract.ParamPush, contract.NewPushOrder(contract.PushCheck,
					contract.Sum(nil)).String())
			}, true, "primitive haproxy"},
	} {
		for _, asJSON := range []bool{true, false} {
			name := tc.name
			if asJSON {
				name += " --json"
			}
			t.Run(name, func(t *testing.T) {
				conf := filepath.Join(t.TempDir(), "haproxy.cfg")
				require.NoError(t, os.WriteFile(conf, []byte("defaults\n"), 0o600))
				c := crmtest.New("lb-1", "lb-2")
				if !tc.fresh {
					objects := crmtest.Tutorial()
					objects[1].(*crm.Primitive).Params.Set(contract.ParamConffile, conf)
					objects[3].(*crm.Primitive).Meta = crm.Attrs{{Name: "resource-stickiness",
						Value: "100"}}
					require.NoError(t, c.Edit(objects...))
				}
				c.OnApply(func() {
					c.OnApply(nil)
					if err := tc.meanwhile(c); err != nil {
						t.Error(err)
					}
				})
				sys, stdout, stderr := testSystem(t, c)
				sys.Root, sys.colour = true, true
				args := append([]string{"hawser"}, tc.args(conf)...)
				args = append(args, "--yes")
				if asJSON {
					args = append(args, "--json")
				}
				require.Equal(t, exitConflict, run(args, sys), stderr.String())
				shown := stdout.String()
				if asJSON {
					onlyJSON(t, stdout.Bytes(), tc.report)
					shown = stderr.String()
					require.NotContains(t, shown, "\x1b[", "a colour is for stdout")
				}
				require.Contains(t, shown, "\nThe plan would now be:\n")
				require.Contains(t, shown, tc.next)
				require.Contains(t, stderr.String(),
					"hawser: somebody else changed the configuration meanwhile")
			})
		}
	}
}
