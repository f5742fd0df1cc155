package ocf

import "fmt"

// State is what a Monitor found.
type State int

// A resource is Stopped only if it is certain that nothing of it is left: an unknown state is an
// error, never Stopped, because Pacemaker starts elsewhere what is Stopped here. Degraded is
// Running with something that an operator must know about; the error returned with it is the
// reason.
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

// Check says what kind of check of the resource is requested.
type Check struct {
	// Level is OCF_CHECK_LEVEL: 0 is the cheap check of every interval, 10 asks the service itself.
	Level int
	// Probe is set for a monitor with interval 0, with which Pacemaker asks a node whether the
	// resource runs there although it should not: nothing needs to be installed for the answer to
	// be Stopped.
	Probe bool
	// Action is "monitor", or "start" or "stop" where Main verifies that action. After a start or a
	// stop the answer has to be certain, so a Monitor that otherwise relies on a cheap source asks
	// the authoritative one.
	Action string
}
