package doctor

import (
	"context"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// builtHawser is a directory with the command, as a finding's commands need it.
func builtHawser(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/hawser", "../cmd/hawser").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// The token goes out of the configuration and its file's name into it in one write: with both, or with neither, the agent is not configured, and
// Pacemaker stops the address on every node.
func TestTokenLeavesTheConfigurationAtOnce(t *testing.T) {
	hawser := builtHawser(t)
	for _, name := range []string{"token", "do_token"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.path2 = hawser
			b.edit(t, `name="token_file" value="/etc/hawser/token"`, `name="`+name+`" value="dop_v1_secret"`)
			look := func() []Finding {
				r := Run(t.Context(), []Check{TokenInCIB(func(ctx context.Context) (Declared, error) {
					cib, err := b.Query(ctx)
					require.NoError(t, err)
					return Read(cib)
				})})
				return r.Findings
			}
			found := look()
			require.Len(t, found, 1)
			require.Len(t, found[0].Fix, 2)
			require.NotContains(t, found[0].Fix[1], "dop_v1_secret")
			b.sh(t, found[0].Fix[1])
			b.verify(t)
			require.Empty(t, look())
			cib, err := b.Query(t.Context())
			require.NoError(t, err)
			o, _ := cib.Object("FloatIP")
			params := o.(*crm.Primitive).Params
			require.Equal(t, "/etc/hawser/token", value(params, "token_file"))
			require.Empty(t, value(params, name))
			require.NotEmpty(t, value(params, "ip"), "all else stays")
			require.Empty(t, b.look(t), "and so do the operations and meta attributes")
		})
	}
}
