package crm_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/golden"
)

// archives runs a test on each archive in a directory of testdata. The last file of each is what the
// test returns.
func archives(t *testing.T, dir string, do func(t *testing.T, files map[string]string) string) {
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			require.NoError(t, err)
			files := map[string]string{}
			for _, f := range archive.Files {
				files[f.Name] = string(f.Data)
			}
			last := &archive.Files[len(archive.Files)-1]
			got := do(t, files)
			if golden.Updating() {
				last.Data = []byte(got)
				require.NoError(t, os.WriteFile(path, txtar.Format(archive), 0o644)) //nolint:gosec // for everybody
			}
			require.Equal(t, string(last.Data), got)
		})
	}
}

// Each archive has statements, the cluster that they are loaded into, if that is not the small one,
// and what they change: the objects that come out of it, as Pacemaker has them then, or the error.
func TestStatements(t *testing.T) {
	archives(t, "statements", func(t *testing.T, files map[string]string) string {
		cluster := files["cluster.xml"]
		if cluster == "" {
			text, err := os.ReadFile(filepath.Join("testdata", "small-cluster.xml"))
			require.NoError(t, err)
			cluster = string(text)
		}
		tools, _ := onFile(t, []byte(cluster))
		cib, err := tools.Query(t.Context())
		require.NoError(t, err)
		plan, err := load(cib, files["statements"])
		if err != nil {
			return err.Error() + "\n"
		}
		_, err = tools.Verify(t.Context(), plan)
		require.NoError(t, err, "%s", plan.New.XML())
		require.NoError(t, tools.Apply(t.Context(), plan))
		now, err := tools.Query(t.Context())
		require.NoError(t, err)
		again, err := load(now, files["statements"])
		if err == nil && !strings.HasPrefix(files["statements"], "monitor ") {
			require.True(t, again.Empty(), "the second time: %v", again.Changes)
		}
		var out strings.Builder
		for _, c := range plan.Changes {
			if c.New == nil {
				out.WriteString("deleted: " + crm.Title(c.Old) + "\n")
				continue
			}
			is, ok := now.Counterpart(c.New)
			require.True(t, ok)
			out.WriteString(is.String() + "\n")
			out.Write(now.Elements([]crm.Object{is}))
		}
		return out.String()
	})
}

// load is what `hawser configure load` would change.
func load(cib *crm.CIB, text string) (crm.Plan, error) {
	script, err := crm.ParseShell("statements", []byte(text))
	if err != nil {
		return crm.Plan{}, err
	}
	objects, err := script.On(cib)
	if err != nil {
		return crm.Plan{}, err
	}
	spec, err := crm.Edit(cib, objects, script.Delete)
	if err != nil {
		return crm.Plan{}, err
	}
	return crm.Diff(cib, spec)
}

// Each archive has a configuration, and how it is shown: what is shown reads back as the same there,
// and as the same in an empty cluster.
func TestShown(t *testing.T) {
	archives(t, "shown", func(t *testing.T, files map[string]string) string {
		tools, _ := onFile(t, []byte(files["cluster.xml"]))
		cib, err := tools.Query(t.Context())
		require.NoError(t, err)
		shown := crm.FormatShell(cib.Objects())
		plan, err := load(cib, shown)
		require.NoError(t, err, shown)
		require.True(t, plan.Empty(), "%v\n%s", plan.Changes, shown)

		masked := crm.FormatShell(crm.Shown(cib.Objects()))
		plan, err = load(cib, masked)
		require.NoError(t, err, masked)
		require.True(t, plan.Empty(), "%v\n%s", plan.Changes, masked)

		elsewhere, err := crm.ParseCIB(crmtest.Seed())
		require.NoError(t, err)
		plan, err = load(elsewhere, shown)
		if err != nil {
			return masked + "elsewhere: " + err.Error() + "\n"
		}
		require.Equal(t, shown, crm.FormatShell(plan.New.Objects()))
		return masked
	})
}
