package main

import "github.com/hawser-ha/hawser/cluster/rollout"

var reloadColour = map[rollout.NodeState]string{
	rollout.NoAnswer: red, rollout.Taken: green, rollout.Kept: yellow, rollout.Differs: yellow,
	rollout.NodeFailed: red, rollout.Left: yellow, rollout.Absent: yellow,
	rollout.Unmanaged: yellow,
}

// showReload prints what has become of the reload on each node.
func (s *terminal) showReload(r rollout.ReloadReport) {
	s.printf("%s", r.Text(func(state rollout.NodeState, text string) string {
		return s.paint(reloadColour[state], text)
	}))
}
