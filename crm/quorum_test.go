package crm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

func TestNothingIsWrittenWithoutQuorum(t *testing.T) {
	seed := strings.Replace(string(crmtest.Seed("lb-1")), `have-quorum="1"`, `have-quorum="0"`, 1)
	plan := func(seed string) crm.Plan {
		cib, err := crm.ParseCIB([]byte(seed))
		require.NoError(t, err)
		p, err := crm.Diff(cib, crm.Spec{Objects: []crm.Object{&crm.Property{Name: "stonith-enabled", Value: "false"}}})
		require.NoError(t, err)
		return p
	}
	noTools := &crm.Tools{Dir: t.TempDir(), Env: []string{}}
	err := noTools.Apply(t.Context(), plan(seed))
	require.ErrorIs(t, err, crm.ErrNoQuorum)
	require.ErrorContains(t, err, "bring more nodes back")

	// A cluster that is told to go on without quorum does, and a file has none to lose.
	ignoring := strings.Replace(seed, "<crm_config/>", `<crm_config><cluster_property_set id="cib-bootstrap-options">`+
		`<nvpair id="q" name="no-quorum-policy" value="ignore"/></cluster_property_set></crm_config>`, 1)
	require.ErrorIs(t, noTools.Apply(t.Context(), plan(ignoring)), crm.ErrNotInstalled)
	aFile := &crm.Tools{Dir: t.TempDir(), Env: []string{"CIB_file=/nonexistent"}}
	require.ErrorIs(t, aFile.Apply(t.Context(), plan(seed)), crm.ErrNotInstalled)
}
