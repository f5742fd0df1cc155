package crm_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// An error that the configuration has had before refuses nothing: the cluster runs with it.
func TestOldErrorsRefuseNothing(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "old-error.xml"))
	require.NoError(t, err)
	tools, _ := onFile(t, text)
	cib, err := tools.Query(t.Context())
	require.NoError(t, err)

	plan, err := load(cib, "primitive x ocf:pacemaker:Dummy")
	require.NoError(t, err)
	warnings, err := tools.Verify(t.Context(), plan)
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "already has an error")
	require.Contains(t, warnings[0], "a-m2")
	require.NoError(t, tools.Apply(t.Context(), plan))

	// A new one refuses beside it, and alone is named.
	now, err := tools.Query(t.Context())
	require.NoError(t, err)
	plan, err = load(now, "xml <primitive id='y' class='ocf' provider='pacemaker' type='Dummy'><operations>"+
		"<op id='y-1' name='monitor' interval='5s'/></operations></primitive>")
	require.NoError(t, err)
	_, err = tools.Verify(t.Context(), plan)
	require.NoError(t, err)
	plan, err = load(now, "rsc_ticket t T: x loss-policy=fence")
	require.NoError(t, err)
	_, err = tools.Verify(t.Context(), plan)
	require.ErrorIs(t, err, crm.ErrRefused)
	require.NotContains(t, err.Error(), "a-m2")

	// A missing device is not forgiven because it has been missing for long.
	plan, err = load(now, "property stonith-enabled=true")
	require.NoError(t, err)
	warnings, err = tools.Verify(t.Context(), plan)
	require.ErrorIs(t, err, crm.ErrNoFencing)
	require.NotEmpty(t, warnings)
	next, err := load(plan.New, "primitive z ocf:pacemaker:Dummy")
	require.NoError(t, err)
	_, err = tools.Verify(t.Context(), next)
	require.ErrorIs(t, err, crm.ErrNoFencing)
}
