package floatiptest_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/hawser-ha/hawser/agents/floatip/floatiptest"
	"github.com/hawser-ha/hawser/internal/fault"
)

func TestCloudConforms(t *testing.T) {
	floatiptest.Conformance(t, func(*testing.T) floatiptest.World {
		ip := netip.MustParseAddr("203.0.113.10")
		c := floatiptest.NewCloud(ip)
		c.Delay, c.Lag = 20*time.Millisecond, 20*time.Millisecond
		return floatiptest.World{
			IP: ip, A: c.Server("a"), B: c.Server("b"), Exclusive: true,
			Outage: func(*testing.T) func() {
				c.Down("a", fault.Errorf(fault.Unknown, "the cloud cannot be reached"))
				return func() { c.Down("a", nil) }
			},
		}
	})
}
