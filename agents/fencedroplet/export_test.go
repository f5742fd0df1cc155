package fencedroplet

import (
	"net"
	"time"

	"github.com/digitalocean/godo"

	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/digitalocean"
	"github.com/hawser-ha/hawser/internal/metadata"
)

// Latest is latest.
func Latest(actions []godo.Action, now time.Time) (busy, rising string) {
	return latest(actions, now)
}

// Stage is where a test lets the agent run.
type Stage struct {
	Note, Firmware string
	Addresses      []net.Addr
	Pacing         digitalocean.Pacing
}

// NewOn is New on the stage.
func NewOn(s Stage) *fence.Agent {
	a := &agent{}
	agent := newAgent("test", a)
	a.pacing = s.Pacing
	a.addresses = func() ([]net.Addr, error) { return s.Addresses, nil }
	a.identity = func(m *metadata.Client) metadata.Identity {
		m.HTTP.Timeout = 300 * time.Millisecond
		return metadata.Identity{Metadata: m, Cache: s.Note,
			BootID: "/proc/sys/kernel/random/boot_id", Firmware: s.Firmware}
	}
	return agent
}
