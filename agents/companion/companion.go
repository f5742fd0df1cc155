// Package companion runs the processes that an agent leaves beside what it has started: the keeper and
// its standby, the watcher.
//
// It imports contract and agents/pacemaker. Start reading here; exec.go detaches a process.
package companion

import (
	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
)

// Environ returns what the environment of such a process has besides its own: what Pacemaker's tools
// need, and limits that keep its memory small.
func Environ() []string {
	return append(pacemaker.Variables(), contract.SearchPath, "GOMAXPROCS=1", "GOGC=20",
		"GOMEMLIMIT=12MiB")
}
