package crm_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
)

// crowded is a file with a large configuration.
func crowded(t *testing.T) (tools *crm.Tools, path string) {
	t.Helper()
	tools, path = onFile(t, crmtest.Crowd(200, "lb-1", "lb-2"))
	tools.Saved = path
	return tools, path
}

// Of a large cluster Configuration reads no status, and what it reads is planned for, verified and
// written as what Query reads.
func TestConfigurationIsQueryWithoutTheStatus(t *testing.T) {
	ctx := context.Background()
	tools, _ := crowded(t)
	whole, err := tools.Query(ctx)
	require.NoError(t, err)
	cib, err := tools.Configuration(ctx)
	require.NoError(t, err)
	require.Equal(t, whole.Version, cib.Version)
	require.Equal(t, whole.Quorate(), cib.Quorate())
	require.Equal(t, crm.FormatShell(whole.Objects()), crm.FormatShell(cib.Objects()))
	require.Contains(t, string(whole.XML()), "<status>")
	require.NotContains(t, string(cib.XML()), "<status>")

	spec := crm.Spec{Objects: crmtest.Tutorial(), Tag: "hawser"}
	like, err := crm.Diff(whole, spec)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	require.True(t, plan.Same(like))
	_, err = tools.Verify(ctx, plan)
	require.NoError(t, err)
	require.NoError(t, tools.Apply(ctx, plan))
	after, err := tools.Query(ctx)
	require.NoError(t, err)
	require.Equal(t, crm.FormatShell(plan.New.Objects()), crm.FormatShell(after.Objects()))
	require.Equal(t, 400, strings.Count(string(after.XML()), "<lrm_resource "), "the status stays")
}

// The scheduler would take nodes without a status for nodes that must be fenced.
func TestConfigurationIsNotSimulated(t *testing.T) {
	ctx := context.Background()
	tools, _ := crowded(t)
	cib, err := tools.Configuration(ctx)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, crm.Spec{Objects: crmtest.Tutorial(), Tag: "hawser"})
	require.NoError(t, err)
	_, err = tools.Check(ctx, plan)
	require.ErrorContains(t, err, "without its status")
	_, _, err = tools.Rehearse(ctx, plan)
	require.ErrorContains(t, err, "without its status")
}

func TestConfigurationOfASmallClusterIsAskedForOnce(t *testing.T) {
	tools, path := onFile(t, crmtest.Seed("lb-1"))
	tools.Saved = path
	cib, err := tools.Configuration(context.Background())
	require.NoError(t, err)
	require.Contains(t, string(cib.XML()), "<status>")
}

// Between the version and the configuration somebody else may edit the latter.
func TestConfigurationEditedWhileItIsRead(t *testing.T) {
	ctx := context.Background()
	tools, path := crowded(t)
	cibadmin := needs.Command(t, "cibadmin")
	edited := filepath.Join(t.TempDir(), "edited")
	tools.Dir = t.TempDir()
	for tool, body := range map[string]string{
		"cibadmin": cibadmin + ` "$@" || exit
[ "$2" != --xpath ] || [ -e ` + edited + ` ] || {
	touch ` + edited + `
	exec ` + cibadmin + ` --create --scope resources \
		--xml-text '<primitive id="theirs" class="ocf" provider="pacemaker" type="Dummy"/>'
}`,
		"crm_diff": "exec " + needs.Command(t, "crm_diff") + ` "$@"`,
	} {
		path := filepath.Join(tools.Dir, tool)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700))
	}
	cib, err := tools.Configuration(ctx)
	require.NoError(t, err)
	require.FileExists(t, edited)
	_, there := cib.Object("theirs")
	require.True(t, there, "the configuration was read after the edit")
	plan, err := crm.Diff(cib, crm.Spec{Objects: crmtest.Tutorial(), Tag: "hawser"})
	require.NoError(t, err)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.ErrorIs(t, tools.Apply(ctx, plan), crm.ErrStale)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}
