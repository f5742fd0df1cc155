package status

import "strings"

// Is says what a resource is doing.
type Is string

// What a resource may be doing. Of one that a node is about to start, stop, move or ask Pacemaker
// says so in a word of its own.
const (
	Running Is = "running"
	// RunningDegraded is what an agent calls degraded: it serves, and something is wrong with it.
	RunningDegraded Is = "degraded"
	// RunningUnmanaged means that it runs, and Pacemaker neither checks nor recovers it.
	RunningUnmanaged Is = "running, not managed"
	// RunningOrphaned means that it runs and is not in the configuration any more.
	RunningOrphaned Is = "running, not configured any more"
	// RunningOnSeveral is followed by the names of the nodes: it should run on one only.
	RunningOnSeveral Is = "running on several nodes: "
	// NotAnswering means that it runs for Pacemaker, and its socket does not answer.
	NotAnswering Is = "not answering"
	Stopped      Is = "stopped"
	// StoppedOnPurpose is what a resource is that an administrator has stopped.
	StoppedOnPurpose Is = "stopped on purpose"
	// StoppedAndBlocked means that Pacemaker does not start it before its failure is cleared.
	StoppedAndBlocked Is = "stopped and blocked"
	// HasFailed means that its last action has failed.
	HasFailed Is = "failed"
	// FailedAndBlocked means that Pacemaker does nothing more with it.
	FailedAndBlocked Is = "failed and blocked"
	// Blocked means that Pacemaker does nothing with it.
	Blocked Is = "blocked"
	// KeptOff means that a constraint keeps it off the node.
	KeptOff     Is = "kept off"
	NodeOffline Is = "node offline"
	NodeStandby Is = "node standby"
	// UnknownPlace means that its node does not answer and has not been fenced yet.
	UnknownPlace Is = "unknown"
	Starting     Is = "starting"
	Stopping     Is = "stopping"
	Migrating    Is = "migrating"
	Promoting    Is = "promoting"
	Demoting     Is = "demoting"
	Monitoring   Is = "monitoring"
	// Promoted comes after what a promoted resource is doing.
	Promoted Is = ", promoted"
	// FencingOff comes after what a fencing device is doing.
	FencingOff Is = ", but fencing is off"
)

// NodeIs says what a node is.
type NodeIs string

// What a node may be.
const (
	Online         NodeIs = "online"
	Offline        NodeIs = "offline"
	InStandby      NodeIs = "standby"
	InMaintenance  NodeIs = "maintenance"
	NotYetMember   NodeIs = "pending"
	Unclean        NodeIs = "unclean" // it has to be fenced
	LeavingInOrder NodeIs = "shutting down"
)

// CheckIs says what a check has found, in the words that agents publish.
type CheckIs string

// What a check may have found.
const (
	CheckHolds CheckIs = "ok"
	CheckFails CheckIs = "failed"
)

// joined is what a node is, for people.
func joined(all []NodeIs) string {
	var words []string
	for _, is := range all {
		words = append(words, string(is))
	}
	return strings.Join(words, ", ")
}
