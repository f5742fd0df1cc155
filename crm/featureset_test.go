package crm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// A CIB in a file may have the feature set of an old Pacemaker, or none.
func TestOldFeatureSets(t *testing.T) {
	for _, set := range []string{"", `crm_feature_set="3.0.8"`, `crm_feature_set="3.0.5"`, `crm_feature_set="x"`} {
		t.Run(set, func(t *testing.T) {
			seed := strings.Replace(string(crmtest.Seed("lb-1")), `crm_feature_set="3.16.1"`, set, 1)
			tools, _ := onFile(t, []byte(seed))
			cib, err := tools.Query(t.Context())
			require.NoError(t, err)
			plan, err := load(cib, "property stonith-enabled=false\nprimitive x ocf:pacemaker:Dummy")
			require.NoError(t, err)
			_, err = tools.Check(t.Context(), plan)
			require.NoError(t, err)
			require.NoError(t, tools.Apply(t.Context(), plan))
			now, err := tools.Query(t.Context())
			require.NoError(t, err)
			require.Equal(t, crm.FormatShell(plan.New.Objects()), crm.FormatShell(now.Objects()))
		})
	}
}

// What Pacemaker does not take is not tried for ever.
func TestAPatchThatIsRefusedForAnotherReason(t *testing.T) {
	tools, path := onFile(t, crmtest.Seed("lb-1"))
	cib, err := tools.Query(t.Context())
	require.NoError(t, err)
	plan, err := load(cib, "property stonith-enabled=false")
	require.NoError(t, err)
	_, err = tools.Verify(t.Context(), plan)
	require.NoError(t, err)
	refusing := script(t, "cibadmin", `[ "$1" = --patch ] && { echo 'Application of update diff failed' >&2; exit 1; }; cat `+path)
	refusing.Env = []string{"CIB_file=" + path}
	err = refusing.Apply(t.Context(), plan)
	require.NotErrorIs(t, err, crm.ErrStale)
	require.ErrorContains(t, err, "although the configuration is still the one that it was made for: Application of update diff failed")
}

func TestACIBOfANewerPacemaker(t *testing.T) {
	_, err := script(t, "cibadmin", "echo 'Call failed: Protocol not supported' >&2; exit 76").Query(t.Context())
	require.ErrorIs(t, err, crm.ErrRefused)
	require.ErrorContains(t, err, "of a newer version of Pacemaker")
}
