package move

// Report is `hawser move --json`.
type Report struct {
	// Resource is the address's.
	Resource string `json:"resource"`
	// From is the node that had it.
	From string `json:"from"`
	// To is the node that it was to go to.
	To string `json:"to"`
	// Moved says whether it went there; false if it was there already.
	Moved bool `json:"moved"`
	// Seconds is how long that took.
	Seconds float64 `json:"seconds"`
	// Also is what else moved, started or stopped with it.
	Also []string `json:"also"`
}

// Report is the move for a program, before it is made.
func (m Move) Report() Report {
	return Report{Resource: m.Resource, From: m.From, To: m.To, Also: append([]string{}, m.Also...)}
}
