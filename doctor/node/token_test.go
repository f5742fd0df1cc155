package node_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/node"
	"github.com/hawser-ha/hawser/doctor/pacemaker"
	"github.com/hawser-ha/hawser/internal/needs"
)

func TestTokenFile(t *testing.T) {
	needs.Root(t)
	w := newWorld(t)
	w.floatip = nv("ip", "203.0.113.10") + nv("token_file", w.token)
	require.Empty(t, w.finds("token-file"))
	require.NoError(t, os.Chmod(w.token, 0o644))
	w.findsOne("token-file", doctor.Error, "is open to others (mode 0644)", "chmod 0600 "+w.token)
	require.NoError(t, os.Chown(w.token, 65534, 65534))
	w.findsOne("token-file", doctor.Error, "belongs to uid 65534", "chown root:root "+w.token)
	for _, fix := range w.finds("token-file")[0].Fix {
		require.NoError(t, exec.Command("sh", "-c", fix).Run())
	}
	require.Empty(t, w.finds("token-file"), "the commands fix it")
	require.NoError(t, os.Remove(w.token))
	w.findsOne("token-file", doctor.Error, "is missing on this node", "install -m 0600")
	require.Empty(t, w.finds("token-rights"), "one fault is told of once")
}

// The outcome of asking for the rights is reported, for a token in a file, in the configuration and
// in Pacemaker's secrets, but never the token.
func TestTokenRights(t *testing.T) {
	needs.Root(t)
	w := newWorld(t)
	var asked []inventory.Address
	answer, complaint := node.Granted, error(nil)
	w.Rights = func(_ context.Context, a inventory.Address) (node.Right, error) {
		asked = append(asked, a)
		return answer, complaint
	}
	w.floatip = nv("ip", "203.0.113.10") + nv("provider", "lan")
	require.Empty(t, w.finds("token-rights"))
	require.Empty(t, asked, "nobody has to be asked for an address of a LAN")
	w.floatip = nv("ip", "203.0.113.10")
	w.findsOne("token-rights", doctor.Error, "neither token_file nor token",
		"--set-parameter token_file")
	for _, c := range []struct{ params, refused string }{
		{nv("token_file", w.token), "install -D -m 0600 -o root -g root /dev/stdin " + w.token},
		{nv("do_token", "dop_v1_secret"), "hawser configure load update -"},
		{nv("token", "lrm://"), "cibsecret set FloatIP token`"},
	} {
		w.floatip = nv("ip", "203.0.113.10") + c.params
		answer, complaint, asked = node.Granted, nil, nil
		w.findsOne("token-rights", doctor.Note,
			"only a move shows that", "hawser move FloatIP")
		require.Len(t, asked, 1)
		require.True(t,
			asked[0].TokenFile != "" || asked[0].Token == "dop_v1_secret" ||
				asked[0].SecretFile == "/var/lib/pacemaker/lrm/secrets/FloatIP/token",
			"%+v", asked)
		answer, complaint = node.Refused, errors.New("the token is refused")
		w.findsOne("token-rights", doctor.Error, "the token is refused", c.refused)
		answer, complaint = node.NotKnown, errors.New("503")
		w.findsOne("token-rights", doctor.Unknown, "could not be found out: 503", "hawser doctor")
		require.NotContains(t, fmt.Sprint(w.finds("token-rights")), "dop_v1_secret")
	}
}

func TestTokenInTheConfiguration(t *testing.T) {
	w := newWorld(t)
	check := pacemaker.TokenInCIB(func(context.Context) (inventory.Declared, error) {
		cib, err := crm.ParseCIB([]byte(w.cib()))
		require.NoError(t, err)
		return inventory.Read(cib)
	})
	for params, want := range map[string]int{
		nv("token_file", "/etc/hawser/token"): 0, nv("do_token", "dop_v1_secret"): 1,
		nv("do_token", "lrm://"): 0,
	} {
		w.floatip = nv("ip", "203.0.113.10") + params
		found, err := check.Run(t.Context())
		require.NoError(t, err)
		require.Len(t, found, want, params)
		for _, f := range found {
			require.NotContains(t, fmt.Sprint(f), "dop_v1_secret")
		}
	}
}
