package adopt

import "github.com/hawser-ha/hawser/cluster/deploy"

// Report is `hawser adopt --json`.
type Report struct {
	// File is the hawser.yaml that is written.
	File string `json:"file"`
	// YAML is its text.
	YAML string `json:"yaml"`
	// Interrupts is what visitors notice, "" if nothing.
	Interrupts string `json:"interrupts"`
	// Exchanged says which resources get another agent, and what that interrupts.
	Exchanged []string `json:"exchanged"`
	// Remarks are what to know about what was found.
	Remarks []string `json:"remarks"`
	// Plan is what changes in the cluster.
	Plan deploy.Report `json:"plan"`
	deploy.Done
}

// Report is the plan for a program, without secrets.
func (p Plan) Report() Report {
	return Report{
		File: p.File.Path, YAML: string(p.YAML), Interrupts: p.Headline(),
		Exchanged: append([]string{}, p.Exchanged...), Remarks: append([]string{}, p.Remarks...),
		Plan: p.Changes.Report(),
	}
}
