package config

import "github.com/hawser-ha/hawser/param"

// Quorum is the section quorum.
type Quorum struct {
	Device   string // a host
	DeviceAt Position
}

func (q *Quorum) keys() []key {
	return []key{
		{
			name: "device",
			kind: one("the name or the address of a host", &q.Device, param.ParseHost).
				with(schema{"pattern": `^[A-Za-z0-9:._-]{1,253}$`}),
			at: &q.DeviceAt,
			doc: "the host at a third place on which corosync-qnetd runs. `hawser quorum device add` " +
				"sets it up; plan compares",
			effect: nothing,
		},
	}
}
