package machines

// Report is what a program reads of a change on several machines.
type Report struct {
	// Order is the command, such as "quorum device add".
	Order string `json:"order"`
	// Arguments are the command's.
	Arguments []string `json:"arguments"`
	// Changed says whether anything was done; false if all of it was so already.
	Changed bool `json:"changed"`
	// Says is what becomes of the cluster.
	Says []string `json:"says"`
	// Steps are what is done, in this order.
	Steps []StepReport `json:"steps"`
	// Notes are what an administrator should know beside it.
	Notes []string `json:"notes"`
}

// StepReport is one step.
type StepReport struct {
	// Node is the machine on which it is done.
	Node string `json:"node"`
	// Does is what is done there.
	Does string `json:"does"`
	// Command is the command line that does it, without what puts a file into its place; missing if
	// a file is all.
	Command string `json:"command,omitempty"`
	// File is the file that is written, missing if none is.
	File string `json:"file,omitempty"`
	// Done says whether it was done.
	Done bool `json:"done"`
}

// ReportOf is the report of a plan of which nothing has been done.
func ReportOf(order string, arguments []string, p Plan) Report {
	r := Report{
		Order: order, Arguments: append([]string{}, arguments...), Says: append([]string{}, p.Says...),
		Notes: append([]string{}, p.Notes...), Steps: []StepReport{},
	}
	for _, s := range p.Steps() {
		r.Steps = append(r.Steps, StepReport{Node: s.On, Does: s.Does, Command: s.Line, File: s.Into})
	}
	return r
}

// DoneUpTo says that so many steps were done.
func (r *Report) DoneUpTo(number int) {
	for i := range min(number, len(r.Steps)) {
		r.Steps[i].Done, r.Changed = true, true
	}
}
