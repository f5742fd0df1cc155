// Package nictest has interfaces that a test can unplug.
//
// Only tests import it. Open cable.go first.
package nictest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/hawser-ha/hawser/internal/needs"
)

// Cable is an interface of this machine, and what its other end is plugged into.
type Cable struct {
	t testing.TB
	// Name is the interface's.
	Name string
	port string
}

// New returns an interface that has a carrier, until the end of the test.
func New(t testing.TB) *Cable {
	t.Helper()
	needs.Root(t)
	name := fmt.Sprintf("hw%08x", rand.Uint32())
	c := &Cable{t: t, Name: name + "a", port: name + "b"}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = c.Name
	require.NoError(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: c.port}))
	t.Cleanup(func() {
		if link, err := netlink.LinkByName(c.Name); err == nil {
			require.NoError(t, netlink.LinkDel(link))
		}
	})
	require.NoError(t, netlink.LinkSetUp(c.link(c.Name)))
	c.Plug()
	return c
}

func (c *Cable) link(name string) netlink.Link {
	c.t.Helper()
	link, err := netlink.LinkByName(name)
	require.NoError(c.t, err)
	return link
}

// Unplug takes the carrier away.
func (c *Cable) Unplug() { require.NoError(c.t, netlink.LinkSetDown(c.link(c.port))) }

// Plug gives it back.
func (c *Cable) Plug() { require.NoError(c.t, netlink.LinkSetUp(c.link(c.port))) }

// Down switches the interface off.
func (c *Cable) Down() { require.NoError(c.t, netlink.LinkSetDown(c.link(c.Name))) }

// Up switches it on.
func (c *Cable) Up() { require.NoError(c.t, netlink.LinkSetUp(c.link(c.Name))) }

// Remove removes it.
func (c *Cable) Remove() { require.NoError(c.t, netlink.LinkDel(c.link(c.Name))) }
