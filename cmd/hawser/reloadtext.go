package main

import (
	"time"

	"github.com/hawser-ha/hawser/cluster/rollout"
	"github.com/hawser-ha/hawser/internal/words"
)

var reloadColour = map[rollout.NodeState]string{
	rollout.NoAnswer: red, rollout.Taken: green, rollout.Kept: yellow, rollout.Differs: yellow,
	rollout.NodeFailed: red, rollout.Left: yellow, rollout.Absent: yellow,
	rollout.Unmanaged: yellow,
}

// showReload prints what has become of the reload on each node.
func (s *terminal) showReload(r rollout.ReloadReport) {
	r = words.Cleaned(r)
	s.printf("\n")
	t := new(words.Table)
	for _, n := range r.Nodes {
		hashes := ""
		switch {
		case n.State == rollout.Absent || n.After == "" && n.Before == "":
		case n.State == rollout.Taken || n.Before != n.After:
			hashes = orUnknown(n.Before) + " -> " + orUnknown(n.After)
		default:
			hashes = n.Before
		}
		age, old := "", ""
		if n.WorkerSeconds != nil {
			age = "worker " + words.Rough(time.Duration(*n.WorkerSeconds)*time.Second) + " old"
		}
		if n.OldWorkers > 0 {
			old = words.OldWorkers(n.OldWorkers, n.Connections, seconds(n.CutSeconds))
		}
		reason := ""
		if n.State == rollout.Left || n.State == rollout.Absent {
			reason = n.Reason
		}
		t.Row(n.Node, s.paint(reloadColour[n.State], string(n.State)), hashes, age, old, reason)
	}
	s.printf("%s", t.Fit(words.Screen, 6))
}

// seconds returns a number of seconds as a length of time, nil for nil.
func seconds(n *int64) *time.Duration {
	if n == nil {
		return nil
	}
	length := time.Duration(*n) * time.Second
	return &length
}

func orUnknown(hash string) string {
	if hash == "" {
		return "unknown"
	}
	return hash
}
