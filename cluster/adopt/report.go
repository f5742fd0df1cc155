package adopt

import "github.com/hawser-ha/hawser/cluster/deploy"

// Report is `hawser adopt --json`.
type Report struct {
	File       string        `json:"file"`
	YAML       string        `json:"yaml"`
	Interrupts string        `json:"interrupts"` // what visitors notice, "" if nothing
	Exchanged  []string      `json:"exchanged"`
	Remarks    []string      `json:"remarks"`
	Plan       deploy.Report `json:"plan"`
}

// Report is the plan for a program, without secrets.
func (p Plan) Report() Report {
	return Report{
		File: p.File.Path, YAML: string(p.YAML), Interrupts: p.Headline(),
		Exchanged: append([]string{}, p.Exchanged...), Remarks: append([]string{}, p.Remarks...),
		Plan: p.Changes.Report(),
	}
}
