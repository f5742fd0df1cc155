package haproxy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
)

// A start answers a push with yes only where HAProxy has loaded what was pushed.
func TestPushAnsweredByAStart(t *testing.T) {
	w := newWorld(t)
	pushed := w.config(another)
	serves := w.hash(pushed) // and it is in its place
	a := &agent{Settings: instance.Settings{Conffile: w.path("haproxy.cfg")}}
	in := w.instance()
	in.Conffile = a.Conffile
	sum := contract.Sum([]byte(pushed))
	require.NoError(t, a.alreadyServed(in, sum, serves))
	require.ErrorIs(t, a.alreadyServed(in, sum, ""), instance.ErrUnknownLoaded)
	require.ErrorContains(t, a.alreadyServed(in, sum, "0123456789ab"), "it was started with 0123456789ab")
	require.ErrorContains(t, a.alreadyServed(in, contract.Sum([]byte("other")), serves), "its own file")
}
