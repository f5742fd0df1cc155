// Package floatiptest holds the conformance suite that every floating-IP provider passes, and a
// cloud in memory whose provider passes it too and stands in for a real one in tests of the agent.
//
// Only tests import it. Open conformance.go first.
package floatiptest

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/floatip"
)

// World is two servers and an address that either may hold; at first neither does.
type World struct {
	// IP is the address.
	IP netip.Addr
	// A and B are the provider as it runs on each of the two servers.
	A, B floatip.Provider
	// Exclusive is whether the provider lets one server at a time hold the address: then an assign
	// displaces the holder, otherwise it is refused while another server has the address.
	Exclusive bool
	// Seen holds other names under which the provider shows a server, by the name that the server's
	// Self returns.
	Seen map[string]string
	// Outage makes the provider unable to find out from A who holds the address, or to assign it,
	// until the returned function is called. A release fails too, except where it is a matter of
	// the server alone (not Exclusive).
	Outage func(t *testing.T) (end func())
}

// patience is how long a provider may take in these tests to finish what it began.
const patience = 10 * time.Second

// Conformance runs the suite. newWorld makes a fresh world for each test and cleans up after it by
// t.Cleanup.
func Conformance(t *testing.T, newWorld func(t *testing.T) World) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"self names the server, and always the same", testSelf},
		{"nobody holds the address at first", testNobody},
		{"assign gives the address to the server", testAssign},
		{"assign is idempotent", testAssignTwice},
		{"assign to a server that is not the holder", testAssignHeld},
		{"release takes the address away", testRelease},
		{"release does nothing where another server holds the address", testReleaseOther},
		{"release does nothing where nobody holds the address", testReleaseNobody},
		{"the address goes back and forth", testBackAndForth},
		{"unknown is an error and never no", testOutage},
		{"a cancelled context ends every call", testCancelled},
		{"a deadline ends every call during an outage", testDeadline},
		{"what the server sees by itself agrees", testHere},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			w := &world{World: newWorld(t), ctx: ctx}
			var err error
			w.a, err = w.A.Self(ctx)
			require.NoError(t, err)
			w.b, err = w.B.Self(ctx)
			require.NoError(t, err)
			test.run(t, w)
		})
	}
}

type world struct {
	World
	ctx  context.Context
	a, b string // the servers' names
}

// holds waits until both servers see that the server (or "") holds the address: an assign may
// return early.
func (w *world) holds(t *testing.T, server string) {
	t.Helper()
	for _, provider := range []floatip.Provider{w.A, w.B} {
		var last string
		deadline := time.Now().Add(patience)
		for {
			holder, err := provider.Holder(w.ctx, w.IP)
			require.NoError(t, err)
			if last = holder; holder == server || server != "" && holder == w.Seen[server] {
				break
			}
			if time.Now().After(deadline) {
				require.Equal(t, server, last, "the holder")
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func testSelf(t *testing.T, w *world) {
	require.NotEqual(t, w.a, w.b)
	for _, name := range []string{w.a, w.b} {
		require.NotEmpty(t, name)
		require.Equal(t, strings.TrimSpace(name), name)
	}
	again, err := w.A.Self(w.ctx)
	require.NoError(t, err)
	require.Equal(t, w.a, again)
}

func testNobody(t *testing.T, w *world) { w.holds(t, "") }

func testAssign(t *testing.T, w *world) {
	require.NoError(t, w.A.Assign(w.ctx, w.IP, w.a))
	w.holds(t, w.a)
}

func testAssignTwice(t *testing.T, w *world) {
	for range 2 {
		require.NoError(t, w.A.Assign(w.ctx, w.IP, w.a))
		w.holds(t, w.a)
	}
}

func testAssignHeld(t *testing.T, w *world) {
	require.NoError(t, w.A.Assign(w.ctx, w.IP, w.a))
	w.holds(t, w.a)
	err := w.B.Assign(w.ctx, w.IP, w.b)
	if w.Exclusive {
		require.NoError(t, err)
		w.holds(t, w.b)
		return
	}
	require.Error(t, err, "nothing but the network keeps the two apart")
	w.holds(t, w.a)
}

func testRelease(t *testing.T, w *world) {
	require.NoError(t, w.A.Assign(w.ctx, w.IP, w.a))
	w.holds(t, w.a)
	for range 2 {
		require.NoError(t, w.A.Release(w.ctx, w.IP, w.a))
		w.holds(t, "")
	}
}

func testReleaseOther(t *testing.T, w *world) {
	require.NoError(t, w.A.Assign(w.ctx, w.IP, w.a))
	w.holds(t, w.a)
	require.NoError(t, w.B.Release(w.ctx, w.IP, w.b))
	w.holds(t, w.a)
}

func testReleaseNobody(t *testing.T, w *world) {
	require.NoError(t, w.A.Release(w.ctx, w.IP, w.a))
	w.holds(t, "")
}

func testBackAndForth(t *testing.T, w *world) {
	for range 2 {
		require.NoError(t, w.A.Assign(w.ctx, w.IP, w.a))
		w.holds(t, w.a)
		require.NoError(t, w.A.Release(w.ctx, w.IP, w.a))
		require.NoError(t, w.B.Assign(w.ctx, w.IP, w.b))
		w.holds(t, w.b)
		require.NoError(t, w.B.Release(w.ctx, w.IP, w.b))
	}
	w.holds(t, "")
}

func testOutage(t *testing.T, w *world) {
	require.NoError(t, w.A.Assign(w.ctx, w.IP, w.a))
	w.holds(t, w.a)
	end := w.Outage(t)
	ctx, cancel := context.WithTimeout(w.ctx, time.Second)
	defer cancel()
	holder, err := w.A.Holder(ctx, w.IP)
	require.Error(t, err, "the holder is unknown")
	require.Empty(t, holder)
	end()
	w.holds(t, w.a)
}

// calls returns the methods that may have to wait for an answer.
func (w *world) calls() map[string]func(context.Context) error {
	calls := map[string]func(context.Context) error{
		"holder": func(ctx context.Context) error { _, err := w.A.Holder(ctx, w.IP); return err },
		"assign": func(ctx context.Context) error { return w.A.Assign(ctx, w.IP, w.a) },
	}
	if w.Exclusive {
		calls["release"] = func(ctx context.Context) error { return w.A.Release(ctx, w.IP, w.a) }
	}
	return calls
}

func testCancelled(t *testing.T, w *world) {
	defer w.Outage(t)()
	for name, call := range w.calls() {
		ctx, cancel := context.WithCancel(w.ctx)
		time.AfterFunc(50*time.Millisecond, cancel)
		began := time.Now()
		err := call(ctx)
		require.Less(t, time.Since(began), 2*time.Second, "%s ends when its context does: %v", name,
			err)
		require.Error(t, err, name)
	}
}

func testDeadline(t *testing.T, w *world) {
	defer w.Outage(t)()
	for name, call := range w.calls() {
		ctx, cancel := context.WithTimeout(w.ctx, 300*time.Millisecond)
		began := time.Now()
		err := call(ctx)
		cancel()
		require.Less(t, time.Since(began), 2*time.Second, "%s ends when its context does: %v", name,
			err)
		require.Error(t, err, name)
		require.False(t, errors.Is(err, context.Canceled), "%s: %v", name, err)
	}
}

func testHere(t *testing.T, w *world) {
	local, ok := w.A.(floatip.Local)
	if !ok {
		t.Log("this provider has to be asked")
		return
	}
	agrees := func(want bool) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			here, err := local.Here(w.ctx, w.IP)
			require.NoError(c, err)
			require.Equal(c, want, here)
		}, patience, 5*time.Millisecond)
	}
	agrees(false)
	require.NoError(t, w.A.Assign(w.ctx, w.IP, w.a))
	w.holds(t, w.a)
	agrees(true)
	require.NoError(t, w.A.Release(w.ctx, w.IP, w.a))
	w.holds(t, "")
	agrees(false)
}
