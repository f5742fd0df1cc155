package pacemaker

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// The token goes out of the configuration and its file's name into it in one write: with both, or
// with neither, the agent is not configured, and Pacemaker stops the address on every node.
func TestTokenLeavesTheConfigurationAtOnce(t *testing.T) {
	hawser := bench.Hawser(t)
	for _, name := range []string{"token", "do_token"} {
		t.Run(name, func(t *testing.T) {
			b := bench.New(t)
			b.Commands = hawser
			b.Edit(t, `name="token_file" value="/etc/hawser/token"`,
				`name="`+name+`" value="dop_v1_secret"`)
			tokens := func() []doctor.Finding {
				r := doctor.Run(t.Context(), []doctor.Check{
					TokenInCIB(func(ctx context.Context) (inventory.Declared, error) {
						cib, err := b.Query(ctx)
						require.NoError(t, err)
						return inventory.Read(cib)
					}),
				})
				return r.Findings
			}
			found := tokens()
			require.Len(t, found, 1)
			require.Len(t, found[0].Fix, 2)
			require.NotContains(t, found[0].Fix[1], "dop_v1_secret")
			b.Sh(t, found[0].Fix[1])
			b.Verify(t)
			require.Empty(t, tokens())
			cib, err := b.Query(t.Context())
			require.NoError(t, err)
			o, _ := cib.Object("FloatIP")
			params := o.(*crm.Primitive).Params
			require.Equal(t, "/etc/hawser/token", value(params, "token_file"))
			require.Empty(t, value(params, name))
			require.NotEmpty(t, value(params, "ip"), "all else stays")
			require.Empty(t, findings(t, b), "and so do the operations and meta attributes")
		})
	}
}
