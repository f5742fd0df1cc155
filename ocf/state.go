package ocf

import "fmt"

// State is what a Monitor found.
type State int

// A resource is Stopped only when it is certain that nothing of it is left: whatever could not be
// found out is an error, never Stopped, because Pacemaker starts elsewhere what is Stopped here.
// Degraded is Running with something that an operator must know of; the error returned beside it is
// the reason.
const (
	Stopped State = iota
	Running
	Degraded
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Stopped:
		return "stopped"
	case Running:
		return "running"
	case Degraded:
		return "degraded"
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// Check says what kind of look at the resource is asked for.
type Check struct {
	// Level is OCF_CHECK_LEVEL: 0 is the cheap check of every interval, 10 asks the service itself.
	Level int
	// Probe is set for a monitor with interval 0, with which Pacemaker asks a node whether the
	// resource runs there although it should not: nothing needs to be installed for the answer to
	// be Stopped.
	Probe bool
	// Action is "monitor", or "start" or "stop" where Main verifies that action. After a start or a
	// stop the answer has to be certain, so a Monitor that otherwise goes by a cheap source asks
	// the authoritative one.
	Action string
}
